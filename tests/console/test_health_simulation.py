"""The page of a simulation: started, watched, read by an admin; nobody else sees it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.attributes import Scope
from accounts.models import User
from common import clock
from health.models import NamedScore, Simulation, Version
from health.services import (
    compute_health,
    create_measure,
    create_profile,
    open_draft,
    override_score,
    publish,
    simulate_chunk,
    start_simulation,
    update_measure,
    update_profile,
)
from playbooks.models import EntryMatch, Playbook, Run
from playbooks.services import enter_accounts, evaluate_entries
from tests.console.pages import HTMX, client_of, queries_of, words_of
from tests.factories import AccountFactory, SegmentFactory, SubscriptionFactory, UserFactory
from tests.health.simulated import SEATS, draft_of_half, first_version, simulate, weigh
from tests.health.test_backtest import lost, record
from tests.playbooks.cases import leaf, published

pytestmark = pytest.mark.django_db

PAGE = "/health/draft/simulation/"
START = "/health/draft/simulation/start/"
POOR = leaf("health.band", "in", ["poor"])
TASK = {"id": "call", "kind": "task", "title": "Call them", "guidance": ""}


def definition(entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"entry": entry, "audience": {"all": []}, "exit": None, "reentry_after_days": None, "steps": [TASK], **more}


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def admin() -> Client:
    return client_of(UserFactory(role=User.Role.ADMIN, name="Ada Admin"))


@pytest.fixture
def first(now: datetime) -> Version:
    return first_version(now=now - timedelta(days=300))


@pytest.fixture
def draft(first: Version, now: datetime) -> Version:
    return draft_of_half(now=now)


def run(draft: Version) -> Simulation:
    return simulate(draft, now=clock.now())


def part(client: Client, target: str, query: str = "") -> str:
    return words_of(client, f"{PAGE}{query}", headers={**HTMX, "HX-Target": target})


def test_admin_starts_it_watches_it_and_reads_it(admin: Client, draft: Version) -> None:
    AccountFactory(seats=80)
    assert "was not simulated yet" in words_of(admin, PAGE)

    assert admin.post(START).headers["Location"] == PAGE
    running = words_of(admin, PAGE)
    assert "The simulation is running" in running
    assert "0 of 1 parts are done" in running
    while simulate_chunk(now=clock.now()):
        pass

    words = words_of(admin, PAGE)
    assert "1 of 1 accounts changes band; 0 become poor." in words
    assert "by Ada Admin" in words
    assert 'hx-trigger="every 2s"' not in admin.get(PAGE).content.decode()


def test_headline_and_matrix_say_who_changes_band(admin: Client, draft: Version) -> None:
    for seats, mrr in ((90, 3000), (80, 500), (60, 250), (10, 5)):
        SubscriptionFactory(account=AccountFactory(seats=seats), mrr=mrr)
    run(draft)

    words = words_of(admin, PAGE)

    assert "3 of 4 accounts change band; 1 becomes poor." in words
    assert "4 scores change (0 up, 4 down): half of them by at most 35.0 points, 95 % by at most 44.3." in words
    assert "Good · 2 $3.5k · · 2 $3.5k" in words


def test_movers_say_which_measure_moves_them(admin: Client, draft: Version) -> None:
    AccountFactory(name="Big fall", seats=90)
    AccountFactory(name="Small fall", seats=70)
    AccountFactory(name="Within its band", seats=20)
    run(draft)

    words = words_of(admin, PAGE)

    assert words.index("Big fall") < words.index("Small fall")
    assert "Seats −45 (90 → 45 points)" in words
    assert "Within its band" not in words
    assert "Within its band" in words_of(admin, f"{PAGE}?every=1")


def test_why_tells_weights_and_measures_that_come_and_go(admin: Client, first: Version, now: datetime) -> None:
    AccountFactory(name="Heavier", seats=10)
    draft = open_draft(by=None, now=now)
    weigh(draft, now=now, seats=1, tickets=1)
    run(draft)
    assert "Tickets +50 (counts now)" in words_of(admin, f"{PAGE}?every=1")

    publish(draft=draft, by=None, note="Both", now=now)
    draft = open_draft(by=None, now=now)
    weigh(draft, now=now, seats=3, tickets=1)
    run(draft)
    assert "Tickets −25 (weighs 50 % → 25 %)" in words_of(admin, f"{PAGE}?every=1")

    weigh(draft, now=now + timedelta(seconds=1), seats=1)
    run(draft)
    assert "Tickets −50 (no longer counts)" in words_of(admin, f"{PAGE}?every=1")


def test_segments_and_bands_that_change_are_noted(admin: Client, first: Version, now: datetime) -> None:
    AccountFactory(name="Moved over", seats=80)
    draft = open_draft(by=None, now=now)
    profile = draft.profiles.get()
    create_profile(
        draft=draft,
        name="Large",
        segment=SegmentFactory(name="Large ones", priority=0, condition=leaf("seats", "gt", 50)),
        weights={"seats": 1},
        good_from=90,
        now=now,
    )
    draft.refresh_from_db()
    run(draft)
    assert f"Scored as “Large ones” instead of “{profile.segment.name}”." in words_of(admin, PAGE)

    draft.profiles.exclude(pk=profile.pk).delete()
    update_profile(profile=profile, good_from=85, now=now + timedelta(seconds=1))
    draft.refresh_from_db()
    run(draft)
    assert "The score stays; the bands begin elsewhere." in words_of(admin, PAGE)


def test_list_is_narrowed_by_bands_segment_and_csm(admin: Client, draft: Version) -> None:
    owner = UserFactory(name="Olga Owner", email="olga@example.com")
    SegmentFactory(key="huge", condition=leaf("seats", "gte", 90))
    AccountFactory(name="Huge one", seats=95)
    AccountFactory(name="Owned one", seats=85, owner=owner)
    AccountFactory(name="Sinking one", seats=50)
    run(draft)

    def names(query: str) -> set[str]:
        words = part(admin, "simulation-moves", query)
        return {name for name in ("Huge one", "Owned one", "Sinking one") if name in words}

    assert names("") == {"Huge one", "Owned one", "Sinking one"}
    assert names("?before=good&after=watch") == {"Huge one", "Owned one"}
    assert names("?after=poor") == {"Sinking one"}
    assert names("?segment=huge") == {"Huge one"}
    assert names("?csm=olga@example.com") == {"Owned one"}
    assert names("?before=good&after=good") == set()
    assert names("?before=nonsense&segment=nowhere&csm=nobody&from=-3&every=x") == names("")


def test_long_list_is_paged(admin: Client, draft: Version) -> None:
    for seats in range(70, 100):
        AccountFactory(name=f"Seats {seats}.", seats=seats)
    run(draft)

    assert "1–10 of 30" in words_of(admin, PAGE)
    second = part(admin, "simulation-moves", "?from=20")
    assert "21–30 of 30" in second
    assert "Seats 70." in second
    assert "Seats 99." not in second
    assert "1–10 of 30" in part(admin, "simulation-moves", "?from=9999")


def test_page_says_when_it_is_out_of_date_and_still_explains(admin: Client, draft: Version, now: datetime) -> None:
    AccountFactory(seats=80)
    run(draft)
    weigh(draft, now=now + timedelta(minutes=1), tickets=1)
    draft.measures.get(key="seats").delete()

    words = words_of(admin, PAGE)

    assert "This is out of date" in words
    assert "Run again" in words
    assert "Seats −40 (80 → 40 points)" in words


def test_simulation_that_was_given_up_says_why(admin: Client, draft: Version, now: datetime) -> None:
    AccountFactory(seats=80)
    start_simulation(draft=draft, by=None, now=now)
    weigh(draft, now=now + timedelta(minutes=1), tickets=1)
    simulate_chunk(now=now)

    assert "The draft was changed while it was simulated" in words_of(admin, PAGE)


def test_broken_measure_is_said(admin: Client, draft: Version) -> None:
    AccountFactory(seats=80)
    weigh(draft, now=draft.changed_at, seats=1, tickets=1)
    draft.measures.filter(key="tickets").update(attribute="custom.gone")
    run(draft)

    assert "“Tickets” of version 2 is left out: There is no attribute “custom.gone”." in words_of(admin, PAGE)


def test_without_a_draft_the_page_says_what_to_do(admin: Client, first: Version) -> None:
    assert "There is no draft" in words_of(admin, PAGE)
    assert admin.post(START).status_code == 409


def test_company_without_accounts_is_simulated(admin: Client, draft: Version) -> None:
    admin.post(START)

    assert "No account has this score, by either formula." in words_of(admin, PAGE)


def test_other_scores_have_a_tab(admin: Client, first: Version, now: datetime) -> None:
    AccountFactory(name="Fit one", seats=80)
    fit = NamedScore.objects.create(key="fit", label="Product fit", position=1)
    draft = open_draft(by=None, now=now)
    segment = draft.profiles.get().segment
    create_profile(draft=draft, named=fit, name="Fit", segment=segment, weights={"tickets": 1}, now=now)
    draft.refresh_from_db()
    run(draft)

    assert "Nobody changes band." in words_of(admin, PAGE)
    words = words_of(admin, f"{PAGE}?score=fit")
    assert "1 of 1 accounts changes band" in words
    assert "which had no score before" in words


def test_backtest_is_told_with_its_caveats(admin: Client, first: Version, now: datetime) -> None:
    profile = first.profiles.get()
    draft = open_draft(by=None, now=now)
    create_measure(draft=draft, key="age", label="Age in days", attribute="customer_days", curve=SEATS, now=now)
    weigh(draft, now=now, seats=1, age=1)
    day = now.date() - timedelta(days=40)
    for n in range(22):
        account = lost(name=f"Gone {n}", ended_at=now - timedelta(days=10))
        record(account, profile, 10, day=day)
    for seats in range(40, 80):
        record(AccountFactory(), profile, seats, day=day)
    run(draft)

    words = words_of(admin, PAGE)

    assert "22 accounts were lost in the last year, and 22 of them had a score recorded 30 days before." in words
    assert "1 of 2 measures of the draft has no history and is left out here: Age in days." in words
    assert "It tells the lost from those that stayed. Weak evidence: fewer than 80 losses." in words
    assert "Gone 0" in words
    assert "1–10 of 22" in words
    assert "21–22 of 22" in part(admin, "simulation-lost", "?lost=20")


def test_few_losses_give_no_figure(admin: Client, draft: Version) -> None:
    AccountFactory(seats=80)
    run(draft)

    words = words_of(admin, PAGE)

    assert "Not enough history: it takes 20 losses with a record." in words
    assert "The accounts that were lost" not in words


@pytest.fixture
def poor(draft: Version) -> Playbook:
    """A playbook for what is poor; of four accounts one is, two become so, and one of these was in it before."""
    AccountFactory.create_batch(3, seats=60)
    AccountFactory(seats=10)
    return published(definition({"kind": "condition", "condition": POOR}), key="poor", name="Save the poor")


def loads(client: Client) -> str:
    return part(client, "simulation-playbooks", "?playbooks=1")


def test_load_on_playbooks_counts_new_runs_and_tasks(
    admin: Client, draft: Version, poor: Playbook, now: datetime
) -> None:
    compute_health(scope=Scope.everything(), now=now)
    evaluate_entries(now=now)
    assert Run.objects.count() == 1
    run(draft)

    assert "Show what playbooks would do" in words_of(admin, PAGE)
    assert "Save the poor Newly meant 3 No longer meant 0 New runs 3 Tasks, at most 3" in loads(admin)
    assert "Save the poor Newly meant 3" in words_of(admin, f"{PAGE}?playbooks=1")


def test_load_is_what_publishing_does(draft: Version, poor: Playbook, now: datetime, admin: Client) -> None:
    compute_health(scope=Scope.everything(), now=now)
    evaluate_entries(now=now)
    curve = [[0, 30], [10, 50], [60, 20]]
    update_measure(measure=draft.measures.get(key="seats"), curve=curve, direction="middle", now=now)
    draft.refresh_from_db()
    run(draft)
    told = loads(admin)
    before = set(EntryMatch.objects.values_list("account_id", flat=True))

    publish(draft=draft, by=None, note="As simulated", now=now)
    compute_health(scope=Scope.everything(), now=now)
    evaluate_entries(now=now)

    after = set(EntryMatch.objects.values_list("account_id", flat=True))
    assert f"Newly meant {len(after - before)} No longer meant {len(before - after)}" in told
    assert (len(after - before), len(before - after)) == (3, 1)
    assert Run.objects.count() == 1 + len(after - before)


def test_accounts_held_back_by_reentry_make_no_run(
    admin: Client, draft: Version, poor: Playbook, now: datetime
) -> None:
    compute_health(scope=Scope.everything(), now=now)
    account = AccountFactory(seats=50)
    enter_accounts(playbook=poor, account_ids=[account.pk], now=now)
    run(draft)

    words = loads(admin)

    assert "Newly meant 4 No longer meant 0 New runs 3" in words
    assert "The others are held back" in words


def test_playbooks_started_by_a_change_of_health_are_not_started_by_a_formula(admin: Client, draft: Version) -> None:
    published(definition({"kind": "event", "event": "health.band_changed", "data": {}}), name="On a drop")
    published(
        definition({"kind": "event", "event": "ticket.opened", "data": {}}, audience=POOR), name="Poor with a ticket"
    )
    published(name="Not about health")
    AccountFactory(seats=60)
    run(draft)

    words = loads(admin)

    assert "A new formula does not start it" in words
    assert "Poor with a ticket Newly meant 1 No longer meant 0 New runs 0" in words
    assert "Not about health" not in words


def test_set_by_hand_stays_for_playbooks(admin: Client, draft: Version, poor: Playbook, now: datetime) -> None:
    account = AccountFactory(seats=60)
    compute_health(scope=Scope.everything(), now=now)
    override_score(
        account=account,
        named=NamedScore.overall(),
        score=95,
        reason="They renewed",
        by=UserFactory(role=User.Role.ADMIN),
        expires_at=now + timedelta(days=30),
        now=now,
    )
    run(draft)

    assert "Save the poor Newly meant 3" in loads(admin)


@pytest.mark.parametrize("role", [User.Role.LEADER, User.Role.CSM, User.Role.VIEWER])
def test_only_admins_see_and_start_it(role: str, draft: Version) -> None:
    client = client_of(UserFactory(role=role))

    assert client.get(PAGE).status_code == 403
    assert client.post(START).status_code == 403
    assert not Simulation.objects.exists()


def test_queries_stay_the_same_when_there_is_more_of_everything(admin: Client, draft: Version, now: datetime) -> None:
    day = now.date() - timedelta(days=40)

    def more(count: int) -> None:
        for n in range(count):
            SubscriptionFactory(account=AccountFactory(seats=60 + n, owner=UserFactory()))
            record(lost(ended_at=now - timedelta(days=10)), draft.based_on.profiles.get(), 10, day=day)  # type: ignore[union-attr]

    more(1)
    run(draft)
    before = queries_of(admin, PAGE)
    more(6)
    run(draft)

    assert queries_of(admin, PAGE) == before
