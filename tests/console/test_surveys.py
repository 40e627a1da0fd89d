import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from common import clock
from outbox.models import Message
from outbox.services import set_budget
from playbooks.models import Task
from playbooks.services import publish
from surveys.models import Survey
from surveys.services import answer, remind
from tests.factories import AccountFactory, PlaybookFactory, SurveyFactory, UserFactory
from tests.playbooks.cases import settle
from tests.surveys.invited import invited, token_of

pytestmark = pytest.mark.django_db

CLOSE_THE_LOOP = {
    "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
    "steps": [{"id": "call", "kind": "task", "title": "Call back"}],
}


@pytest.fixture
def admin() -> Client:
    return signed_in(role=User.Role.ADMIN)


@pytest.fixture
def nps() -> Survey:
    made: Survey = SurveyFactory(key="nps", name="Relationship", kind=Survey.Kind.NPS)
    return made


def signed_in(**fields: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(**fields))
    return client


def text_of(client: Client, path: str, **extra: Any) -> str:
    response = client.get(path, **extra)
    assert response.status_code == 200, path
    page = response.content.decode()
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def answered(survey: Survey, score: int, comment: str = "", days_ago: int = 0, **person: Any) -> None:
    now = clock.now() - timedelta(days=days_ago)
    invitation = invited(survey=survey, now=now, **person)
    answer(token=token_of(invitation), score=score, comment=comment, now=now)
    Message.objects.update(status=Message.Status.SENT)


def test_list_shows_rate_and_score_with_margin(admin: Client, nps: Survey) -> None:
    for score in (10, 9, 9, 3):
        answered(nps, score)
    invited(survey=nps, now=clock.now())
    Message.objects.update(status=Message.Status.SENT)
    csat = SurveyFactory(key="csat", name="After a ticket", kind=Survey.Kind.CSAT)
    answered(csat, 5)
    Survey.objects.filter(pk=csat.pk).update(is_live=False)

    words = text_of(admin, "/surveys/")

    assert re.search(r"Relationship NPS On Delivered 5 Answered 4 Response rate 80\s% 50 ± \d+", words)
    assert re.search(
        r"After a ticket CSAT Switched off Delivered 1 Answered 1 Response rate 100\s% 100\s% satisfied", words
    )


def test_survey_without_answers_is_shown(admin: Client, nps: Survey) -> None:
    assert "Answered 0 Response rate – –" in text_of(admin, "/surveys/")
    assert "No answers yet" in text_of(admin, "/surveys/nps/")
    assert "Nobody is being waited for" in text_of(admin, "/surveys/nps/?show=waiting")
    assert admin.get("/surveys/other/").status_code == 404


def test_empty_list_says_how_to_begin(admin: Client) -> None:
    assert "No surveys yet" in text_of(admin, "/surveys/")


def test_answers_show_who_said_what_and_what_was_done(admin: Client, nps: Survey) -> None:
    publish(playbook=PlaybookFactory(), definition=CLOSE_THE_LOOP, author=None, note="", now=clock.now())
    answered(nps, 2, "Support <b>sleeps</b>", account=AccountFactory(name="Ostrava Steel"), name="Maria")
    answered(nps, 10, "Lovely", name="Ivan")
    settle(clock.now())
    task = Task.objects.get()

    page = admin.get("/surveys/nps/").content.decode()
    words = text_of(admin, "/surveys/nps/")

    assert "Support &lt;b&gt;sleeps&lt;/b&gt; Maria Ostrava Steel English Task · open" in words
    assert f'href="/queue/{task.pk}/"' in page
    detractors = text_of(
        admin, "/surveys/nps/?show=detractor", headers={"HX-Request": "true", "HX-Target": "survey-answers"}
    )
    assert "Maria" in detractors
    assert "Lovely" not in detractors
    assert "on the scale" not in detractors


def test_those_who_have_not_answered_are_listed_until_it_expires(admin: Client, nps: Survey) -> None:
    invited(survey=nps, now=clock.now(), name="Still time")
    invited(survey=nps, now=clock.now() - timedelta(days=60), name="Too late")
    answered(nps, 9, name="Has answered")

    words = text_of(admin, "/surveys/nps/?show=waiting")

    assert "Still time" in words
    assert "Too late" not in words
    assert "Has answered" not in words


def test_trend_speaks_of_a_change_only_when_it_is_one(admin: Client, nps: Survey) -> None:
    for score, earlier in ((9, 9), (9, 6), (6, 6)):
        answered(nps, score)
        answered(nps, earlier, days_ago=40)
    assert "no clear change" in text_of(admin, "/surveys/nps/")

    for _person in range(12):
        answered(nps, 10)
        answered(nps, 2, days_ago=40)
    assert re.search(r"NPS rose from −\d+ in", text_of(admin, "/surveys/nps/"))


def test_another_book_is_hidden_when_csms_see_only_their_own(nps: Survey) -> None:
    answered(nps, 1, "Secret", account=AccountFactory(name="Not for you"))
    invited(survey=nps, now=clock.now(), account=AccountFactory(name="Not for you"))
    Workspace.objects.filter(pk=Workspace.current().pk).update(csms_see_only_their_book=True)
    client = signed_in(role=User.Role.CSM)

    assert "Delivered 0 Answered 0" in text_of(client, "/surveys/")
    for path in ("/surveys/nps/", "/surveys/nps/?show=waiting", "/surveys/nps/?show=detractor"):
        words = text_of(client, path)
        assert "Not for you" not in words
        assert "Secret" not in words


def test_queries_stay_the_same_when_there_is_more_of_everything(admin: Client, nps: Survey) -> None:
    publish(playbook=PlaybookFactory(), definition=CLOSE_THE_LOOP, author=None, note="", now=clock.now())
    answered(nps, 2)
    invited(survey=nps, now=clock.now())
    settle(clock.now())
    paths = ("/surveys/", "/surveys/nps/", "/surveys/nps/?show=waiting")
    before = [_queries(admin, path) for path in paths]

    for score in (1, 2, 9, 10, 7):
        answered(nps, score, days_ago=35)
        invited(survey=nps, now=clock.now())
        answered(SurveyFactory(), 5)
    settle(clock.now())

    assert [_queries(admin, path) for path in paths] == before


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_admin_sets_the_reminder_and_takes_it_away(admin: Client, nps: Survey) -> None:
    assert "no reminder" in text_of(admin, "/surveys/nps/")

    assert admin.post("/surveys/nps/reminder/", {"remind_after_days": "7"}).status_code == 302

    words = text_of(admin, "/surveys/nps/")
    assert "one reminder after 7 days" in words
    assert "Reminders sent 0" in words
    admin.post("/surveys/nps/reminder/", {"remind_after_days": ""})
    assert Survey.objects.get().remind_after_days is None
    words = text_of(admin, "/surveys/nps/reminder/")
    assert "From after 7 days To no reminder" in words
    assert "From no reminder To after 7 days" in words


@pytest.mark.parametrize("days", ["0", "30", "x"])
def test_reminder_is_refused_when_it_could_not_come_in_time(admin: Client, nps: Survey, days: str) -> None:
    refused = admin.post("/surveys/nps/reminder/", {"remind_after_days": days})

    assert refused.status_code == 422
    assert f'value="{days}"' in refused.content.decode()
    assert Survey.objects.get().remind_after_days is None


def test_only_admins_set_the_reminder(nps: Survey) -> None:
    csm = signed_in(role=User.Role.CSM)

    assert csm.get("/surveys/nps/reminder/").status_code == 403
    assert "/surveys/nps/reminder/" not in csm.get("/surveys/nps/").content.decode()


def test_reminders_are_counted_and_stand_beside_who_is_waited_for(admin: Client, nps: Survey) -> None:
    now = clock.now()
    Survey.objects.update(remind_after_days=7)
    patient, late = (invited(survey=nps, now=now - timedelta(days=8), name=name) for name in ("Patient", "Late"))
    set_budget(most=1, days=28, now=now)
    held = invited(survey=nps, now=now - timedelta(days=7, hours=1), name="Held")
    set_budget(most=None, days=28, now=now)
    Message.objects.update(status=Message.Status.SENT)
    remind(now=now - timedelta(hours=20), limit=10)
    set_budget(most=1, days=28, now=now)
    remind(now=now, limit=10)
    Message.objects.update(status=Message.Status.SENT)
    answer(token=token_of(late), score=9, comment=None, now=now)

    assert "Reminders sent 2 1 answered afterwards" in text_of(admin, "/surveys/nps/")
    words = text_of(admin, "/surveys/nps/?show=waiting")
    assert re.search(rf"{held.contact.name} .* Held back", words)
    assert re.search(rf"{patient.contact.name} .* 20 hours ago", words)


def test_queries_do_not_grow_with_the_reminders(admin: Client, nps: Survey) -> None:
    now = clock.now()
    Survey.objects.update(remind_after_days=7)

    def count_with_one_more() -> int:
        invited(survey=nps, now=now - timedelta(days=8))
        Message.objects.update(status=Message.Status.SENT)
        remind(now=now, limit=10)
        with CaptureQueriesContext(connection) as queries:
            admin.get("/surveys/nps/?show=waiting")
        return len(queries)

    count_with_one_more()
    assert count_with_one_more() == count_with_one_more()
