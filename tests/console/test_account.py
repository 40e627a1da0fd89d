"""The account page, section by section: what a person reads there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.attributes import Scope
from accounts.models import Account, AccountTeamMember, Contact, Ticket, User, Workspace
from accounts.services.ledger import record
from accounts.services.ratings import rate_account
from common import clock
from health.models import HealthScore
from health.services import compute_health
from playbooks.services.tasks import complete_task, create_task
from surveys.services import answer
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import (
    AccountFactory,
    ContactFactory,
    FeatureFactory,
    InvoiceFactory,
    MeasureFactory,
    PlanFactory,
    PlanFeatureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    StageFactory,
    SubscriptionFactory,
    SurveyFactory,
    TicketFactory,
    TouchpointFactory,
    UserFactory,
)
from tests.surveys.invited import ask, token_of
from usage.services import add_daily_usage, turn_windows

pytestmark = pytest.mark.django_db

SECTIONS = (
    "account",
    "account_health",
    "account_timeline",
    "account_people",
    "account_usage",
    "account_tickets",
    "account_revenue",
    "account_tasks",
)
READ = (*SECTIONS, "account_timeline_more", "account_peek", "account_next")
WRITTEN = ("account_touchpoint", "account_note", "account_task", "account_rate")


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


@pytest.fixture
def account(csm: User) -> Account:
    made: Account = AccountFactory(owner=csm, name="Ostrava Steel", seats=40)
    return made


def read(client: Client, account: Account, section: str = "account", query: str = "") -> str:
    return words_of(client, f"{reverse(f'console:{section}', args=[account.pk])}{query}")


def score(account: Account) -> None:
    """Seats (weight 3) and tickets (weight 1) make the score; nobody ever answered a survey."""
    profile = ProfileFactory(name="Base", segment=SegmentFactory(key="all"))
    seats = MeasureFactory(key="seats", label="Seats taken", attribute="seats")
    tickets = MeasureFactory(key="tickets", label="Tickets", attribute="tickets.open", curve=[[0, 100], [4, 0]])
    nps = MeasureFactory(key="nps", label="NPS", attribute="nps.last", curve=[[0, 0], [10, 100]])
    for measure, weight in ((seats, 3), (tickets, 1), (nps, 2)):
        ProfileMeasureFactory(profile=profile, measure=measure, weight=weight)
    compute_health(scope=Scope.everything(), now=clock.now())


def test_reasons_of_health_add_up_and_say_what_was_left_out(client: Client, account: Account) -> None:
    TicketFactory(account=account)
    score(account)

    words = read(client, account)

    # 40 points thrice and 75 points once: (120 + 75) / 4.
    assert "Usage 49 Costs −51.3 Adds 48.8" in words
    assert "Seats taken 40 40 Costs −45.0 Adds 30.0" in words
    assert "Tickets 1 75 Costs −6.3 Adds 18.8" in words
    assert "Score = 48.8" in words
    assert words.index("Seats taken") < words.index("Tickets 1 75")
    assert "Left out, so that they neither help nor harm NPS · nothing is known" in words


def test_stale_inputs_are_said_where_the_score_stands(client: Client, account: Account) -> None:
    now = clock.now()
    feature = FeatureFactory()
    add_daily_usage([(account.pk, feature.pk, (now - timedelta(days=20)).date(), 9)], now=now)
    profile = ProfileFactory(segment=SegmentFactory(key="all"))
    use = MeasureFactory(label="Last use", attribute="usage.days_since", curve=[[0, 100], [40, 0]], stale_after_days=7)
    ProfileMeasureFactory(profile=profile, measure=use)
    compute_health(scope=Scope.everything(), now=now)

    words = read(client, account)

    assert "1 of 1 inputs is older than it should be; the score may not tell what is true today." in words
    assert "2 weeks ago" in words


def test_no_score_is_said_with_how_to_get_one(client: Client, account: Account) -> None:
    assert "No score yet A score appears when the account is in a segment" in read(client, account)


def test_header_answers_at_a_glance(client: Client, account: Account, csm: User) -> None:
    today = Workspace.current().day(clock.now())
    Account.objects.filter(pk=account.pk).update(customer_since=today - timedelta(days=800))
    SubscriptionFactory(account=account, mrr=1500, renews_on=today + timedelta(days=20))
    TicketFactory(account=account, priority=Ticket.Priority.URGENT)

    words = read(client, account)

    assert "Ostrava Steel" in words
    assert "Maya Lindholm" in words
    assert "MRR $1,500 $18.0k a year" in words
    assert "Renewal 20 days" in words
    assert "Open tickets 1 1 urgent" in words
    assert "Customer for 2 years" in words


def test_overview_says_who_spoke_last_and_what_is_next(client: Client, account: Account, csm: User) -> None:
    contact = ContactFactory(account=account, name="Jana Nováková", role=Contact.Role.CHAMPION)
    AccountTeamMember.objects.create(
        account=account, user=UserFactory(name="Tom Support"), role=AccountTeamMember.Role.SUPPORT
    )
    TouchpointFactory(
        account=account,
        contact=contact,
        user=csm,
        next_step="Send the plan",
        happened_at=clock.now() - timedelta(days=3),
    )

    words = read(client, account)

    assert "Last touch 3 days ago · Call with Jana Nováková · Maya Lindholm" in words
    assert "Next step Send the plan" in words
    assert "Champion" in words
    assert "CSM Maya Lindholm Support Tom Support" in words


def test_timeline_tells_what_happened_in_words(client: Client, account: Account, csm: User) -> None:
    now = clock.now()
    contact = ContactFactory(account=account, name="Jana Nováková")
    survey = SurveyFactory(key="nps", name="Relationship", is_live=True)
    invitation = ask(survey=survey, contact=contact, occasion="2026", now=now)
    answer(token=token_of(invitation), score=3, comment="Too slow", now=now)
    task = create_task(account=account, owner=csm, title="Call back", due_at=now, now=now)
    complete_task(task=task, by=csm, outcome="saved", note="They stay", now=now)
    for kind, data in (
        ("health.band_changed", {"from": "good", "to": "poor", "score": 21.26}),
        ("ticket.opened", {"subject": "Export fails", "priority": "urgent"}),
        ("subscription.started", {"mrr": "99.50"}),
        ("something.new_here", {}),
    ):
        record(account=account, kind=kind, happened_at=now, data=data)

    words = read(client, account, "account_timeline")

    for told in (
        "Jana Nováková was invited to answer “Relationship”",
        "Jana Nováková answered “Relationship” with 3, detractor “Too slow”",
        "Task: Call back",
        "Task done: Call back · Maya Lindholm They stay",
        "Health went from Good to Poor Score 21.3",
        "Urgent ticket opened: Export fails",
        "Subscription started $99.50 a month",
        "Something new here",
    ):
        assert told in words
    narrowed = read(client, account, "account_timeline", "?show=surveys")
    assert "with 3, detractor" in narrowed
    assert "Call back" not in narrowed


def test_timeline_goes_on_where_it_stopped(client: Client, account: Account) -> None:
    now = clock.now()
    for n in range(45):
        record(account=account, kind=f"thing.number_{n}", happened_at=now - timedelta(minutes=n))
    page = client.get(reverse("console:account_timeline", args=[account.pk])).content.decode()
    assert "Thing number 39" in page
    assert "Thing number 40" not in page
    more = page.partition("/timeline/more/?")[2].partition('"')[0].replace("&amp;", "&")

    rest = client.get(f"/accounts/{account.pk}/timeline/more/?{more}", headers=HTMX).content.decode()
    plain = client.get(f"/accounts/{account.pk}/timeline/more/?{more}", follow=True)

    assert rest.count("timeline-text") == 5
    assert "Thing number 40" in rest
    assert "Thing number 44" in plain.content.decode()
    assert plain.redirect_chain == [(f"/accounts/{account.pk}/timeline/?{more}", 302)]


@pytest.mark.parametrize("before", ["x", "_", "2026-99-99T00:00:00_5", "2026-01-01T00:00:00_5", "%00_1"])
def test_wrong_place_in_the_timeline_shows_its_beginning(client: Client, account: Account, before: str) -> None:
    record(account=account, kind="thing.done", happened_at=clock.now())
    assert "Thing done" in read(client, account, "account_timeline", f"?before={before}")


def test_people_who_left_come_last(client: Client, account: Account) -> None:
    ContactFactory(account=account, name="Adam Left", role=Contact.Role.DECISION_MAKER, left_at=clock.now())
    ContactFactory(account=account, name="Bea User", role=Contact.Role.USER)
    ContactFactory(account=account, name="Zoe Champion", role=Contact.Role.CHAMPION, unsubscribed_at=clock.now())

    words = read(client, account, "account_people")

    assert words.index("Zoe Champion") < words.index("Bea User") < words.index("Adam Left")
    assert "unsubscribed" in words
    assert "Nobody has answered a survey yet." in words


def test_usage_compares_features_of_the_plan(client: Client, account: Account) -> None:
    now = clock.now()
    today = Workspace.current().day(now)
    plan = PlanFactory(name="Team")
    Account.objects.filter(pk=account.pk).update(plan=plan)
    chat, boards, other = (FeatureFactory(name=name) for name in ("Chat", "Boards", "Vault"))
    for feature in (chat, boards):
        PlanFeatureFactory(plan=plan, feature=feature)
    turn_windows(now=now)
    rows = [(account.pk, chat.pk, today - timedelta(days=1), 30), (account.pk, chat.pk, today - timedelta(days=30), 20)]
    add_daily_usage([*rows, (account.pk, other.pk, today, 1)], now=now)

    words = read(client, account, "account_usage")

    assert "Chat 28 days 30 before 20 +50 %" in words
    assert "In the plan, and not used 1 Boards · never" in words
    assert "1 feature is not in the plan Team and is left out." in words
    assert "31 actions in 28 days, 50 % more than in the 28 days before" in words
    assert "Week of" in read(client, account, "account_usage", "?period=year")


def test_sections_say_how_to_fill_them_when_nothing_is_known(client: Client, account: Account) -> None:
    for section, told in (
        ("account_timeline", "Nothing of this kind happened yet"),
        ("account_people", "Nobody is known here yet"),
        ("account_usage", "No usage was heard"),
        ("account_tickets", "No tickets"),
        ("account_revenue", "No contract is known"),
        ("account_tasks", "Nothing to do here."),
    ):
        assert told in read(client, account, section)


def test_tickets_that_wait_come_first(client: Client, account: Account) -> None:
    now = clock.now()
    TicketFactory(account=account, subject="Solved one", opened_at=now, solved_at=now, satisfaction=4)
    TicketFactory(account=account, subject="Waiting one", opened_at=now - timedelta(days=9), is_escalated=True)

    words = read(client, account, "account_tickets")

    assert words.index("Waiting one") < words.index("Solved one")
    assert "escalated" in words
    assert "4 / 5" in words


def test_revenue_shows_lines_and_how_the_mrr_went(client: Client, account: Account) -> None:
    today = Workspace.current().day(clock.now())
    SubscriptionFactory(account=account, mrr=Decimal(100), started_on=today - timedelta(days=400))
    SubscriptionFactory(account=account, mrr=Decimal(50), started_on=today - timedelta(days=40))
    SubscriptionFactory(account=account, mrr=Decimal(900), started_on=today, is_trial=True)

    words = read(client, account, "account_revenue")

    assert "MRR grew from $100 to $150 in 12 months" in words
    assert "Subscriptions 3" in words
    assert "trial" in words


def test_tasks_open_and_closed_are_told_apart(client: Client, account: Account, csm: User) -> None:
    now = clock.now()
    create_task(account=account, owner=csm, title="Still to do", due_at=now - timedelta(days=1), now=now)
    done = create_task(account=account, owner=csm, title="Was done", due_at=now, now=now)
    complete_task(task=done, by=csm, outcome="saved", note="They stay", now=now)

    words = read(client, account, "account_tasks")

    opened, _closed, closed = words.partition("Closed")
    assert "Still to do Made by hand" in opened
    assert "Was done Done" in closed
    assert "They stay" in closed


def test_section_alone_is_sent_when_htmx_asks(client: Client, account: Account) -> None:
    address = reverse("console:account_people", args=[account.pk])

    part = client.get(address, headers={**HTMX, "HX-Target": "account"}).content.decode()

    assert "<html" not in part
    assert "Nobody is known here yet" in part
    assert "<html" in client.get(address, headers=HTMX).content.decode()


def test_peek_shows_the_account_in_short(client: Client, account: Account) -> None:
    address = reverse("console:account_peek", args=[account.pk])

    assert "Ostrava Steel" in client.get(address, headers=HTMX).content.decode()
    assert client.get(address)["Location"] == f"/accounts/{account.pk}/"


def test_next_account_goes_round_the_book(client: Client, account: Account, csm: User) -> None:
    first = AccountFactory(owner=csm, name="Acme")
    AccountFactory(name="Pelican of somebody else")
    AccountFactory(owner=csm, name="Quince ended", ended_at=clock.now())

    def after(here: Account) -> str:
        return client.get(reverse("console:account_next", args=[here.pk]))["Location"]

    assert after(first) == f"/accounts/{account.pk}/"
    assert after(account) == f"/accounts/{first.pk}/"


def test_another_book_is_not_there_on_any_address_when_csms_see_only_their_own(account: Account, csm: User) -> None:
    stranger = client_of(only_own_book())
    touchpoint = TouchpointFactory(account=account, user=csm)
    addresses = [reverse(f"console:{name}", args=[account.pk]) for name in (*READ, *WRITTEN)]
    addresses.append(reverse("console:account_touchpoint_withdraw", args=[account.pk, touchpoint.pk]))

    for address in addresses:
        for headers in ({}, HTMX):
            plain_peek = "peek" in address and not headers
            assert stranger.get(address, headers=headers, follow=plain_peek).status_code in (404, 405), address
            assert stranger.post(address, {"text": "x", "summary": "x"}, headers=headers).status_code in (404, 405)
            for verb in (stranger.put, stranger.patch, stranger.delete):
                assert verb(address, headers=headers).status_code in (404, 405), address
    assert account.touchpoints.count() == 1
    assert client_of(csm).get(addresses[0]).status_code == 200


def test_helper_sees_the_account_when_csms_see_only_their_book(account: Account) -> None:
    helper = only_own_book()
    AccountTeamMember.objects.create(account=account, user=helper, role=AccountTeamMember.Role.SUPPORT)

    assert client_of(helper).get(reverse("console:account", args=[account.pk])).status_code == 200


def test_queries_stay_the_same_when_there_is_more_of_everything(client: Client, account: Account, csm: User) -> None:
    now = clock.now()
    score(account)
    features = [FeatureFactory() for _ in range(5)]
    stage = StageFactory()
    survey = SurveyFactory(key="nps", is_live=True)

    def more(count: int) -> None:
        for n in range(count):
            contact = ContactFactory(account=account)
            TouchpointFactory(account=account, contact=contact, user=csm)
            record(account=account, kind="touchpoint.logged", happened_at=now, user=csm, contact=contact)
            TicketFactory(account=account, contact=contact)
            SubscriptionFactory(account=account)
            InvoiceFactory(account=account)
            AccountFactory(parent=account, stage=stage)
            rate_account(account=account, user=csm, value=4, now=now)
            answer(
                token=token_of(ask(survey=survey, contact=contact, occasion="x", now=now)),
                score=n % 11,
                comment=None,
                now=now,
            )
            create_task(account=account, owner=csm, title=f"Task {n}", due_at=now, now=now)
            done = create_task(account=account, owner=csm, title=f"Done {n}", due_at=now, now=now)
            complete_task(task=done, by=csm, outcome="", note="", now=now)
        add_daily_usage([(account.pk, feature.pk, now.date(), count) for feature in features], now=now)

    more(5)
    addresses = [reverse(f"console:{section}", args=[account.pk]) for section in SECTIONS]
    few = [queries_of(client, address) for address in addresses]
    more(45)

    assert [queries_of(client, address) for address in addresses] == few
    assert max(few) <= 50


def test_group_of_a_parent_is_told_with_its_lowest(client: Client, csm: User) -> None:
    top = AccountFactory(name="Top", owner=csm, seats=90)
    for seats, mrr in ((50, 300), (10, 100)):
        SubscriptionFactory(account=AccountFactory(parent=top, seats=seats), mrr=mrr)
    profile = ProfileFactory(segment=SegmentFactory(key="everybody"))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key="seats-taken"))
    alone = AccountFactory(owner=csm, seats=70)
    unscored = AccountFactory(owner=csm, ended_at=clock.now())
    AccountFactory(parent=unscored, seats=65)
    compute_health(scope=Scope.everything(), now=clock.now())

    words = words_of(client, reverse("console:account", args=[top.pk]))

    assert "Group score 40 Watch · with all below, weighted by MRR Lowest in it 10 Poor" in words
    assert "Group score" not in words_of(client, reverse("console:account", args=[alone.pk]))
    # One without a profile of its own has no bands to tell by.
    assert "Group score 65 · with" in words_of(client, reverse("console:account", args=[unscored.pk]))


def test_group_score_says_when_scores_in_it_rest_on_old_inputs(client: Client, csm: User) -> None:
    top = AccountFactory(name="Top", owner=csm, seats=90)
    for seats in (50, 10):
        AccountFactory(parent=top, seats=seats)
    profile = ProfileFactory(segment=SegmentFactory(key="everybody"))
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory(key="seats-taken"))
    compute_health(scope=Scope.everything(), now=clock.now())
    address = reverse("console:account", args=[top.pk])

    HealthScore.objects.filter(score=50).update(stale=1)
    words = words_of(client, address)
    assert "Group score 50 Watch , 1 of 3 inputs is older than it should be ·" in words
    assert "Lowest in it 10 Poor ," not in words

    HealthScore.objects.filter(score=10).update(stale=1)
    words = words_of(client, address)
    assert "Group score 50 Watch , 2 of 3 inputs are older than they should be ·" in words
    assert "Lowest in it 10 Poor , 1 of 1 inputs is older than it should be" in words
