from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponseBase
from django.test import Client

from accounts.models import Contact, Event
from surveys.models import Invitation, Response
from surveys.services import answer
from tests.factories import NOW
from tests.surveys.invited import invited, page_of, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def customer() -> Client:
    """A browser without cookies, in which Django checks forms as it does in production."""
    return Client(enforce_csrf_checks=True)


def state() -> tuple[int, int, list[object]]:
    return (
        Response.objects.count(),
        Event.objects.count(),
        list(Contact.objects.values_list("unsubscribed_at", "updated_at")),
    )


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("page", ["", "?score=9", "why/", "thanks/", "unsubscribe/", "?score=10&comment=x"])
def test_nothing_changes_when_a_page_is_only_opened(customer: Client, method: str, page: str) -> None:
    invitation = invited()
    before = state()

    for headers in ({}, {"Sec-Purpose": "prefetch", "Purpose": "prefetch"}):
        response = getattr(customer, method)(page_of(invitation, page), headers=headers)
        assert response.status_code in {200, 303}
        assert not response.cookies

    assert state() == before


def test_the_number_is_chosen_when_the_link_of_the_mail_has_one(customer: Client) -> None:
    invitation = invited()

    page = customer.get(page_of(invitation, "?score=9")).text
    assert page.count(" checked") == 1
    assert 'value="9" checked' in page
    for odd in ("", "99", "abc", "%00", "9%22%3E%3Cscript%3E", "٣"):
        page = customer.get(page_of(invitation, f"?score={odd}")).text
        assert " checked" not in page
        assert "<script" not in page


def test_the_answer_is_kept_at_each_step_when_sent(customer: Client) -> None:
    invitation = invited()

    sent = customer.post(page_of(invitation), {"score": "9"})
    assert (sent.status_code, sent["Location"]) == (303, page_of(invitation, "why/"))
    assert Response.objects.get().score == 9
    assert "What do you like most?" in customer.get(sent["Location"]).text

    sent = customer.post(page_of(invitation, "why/"), {"comment": "  Your people ❤️  "})
    assert (sent.status_code, sent["Location"]) == (303, page_of(invitation, "thanks/"))
    assert Response.objects.get().comment == "Your people ❤️"
    assert "Thank you" in customer.get(sent["Location"]).text


@pytest.mark.parametrize(
    ("score", "words"),
    [(9, "What do you like most?"), (7, "What should we improve first?"), (2, "What went wrong?")],
)
def test_the_second_question_depends_on_the_score_when_asked(customer: Client, score: int, words: str) -> None:
    invitation = invited()
    customer.post(page_of(invitation), {"score": score})

    assert words in customer.get(page_of(invitation, "why/")).text


def test_the_answer_can_be_changed_when_it_has_not_expired(customer: Client) -> None:
    invitation = invited()
    customer.post(page_of(invitation), {"score": "9"})
    assert 'value="9" checked' in customer.get(page_of(invitation)).text

    customer.post(page_of(invitation), {"score": "2"})

    assert Response.objects.get().score == 2
    assert Event.objects.filter(kind__startswith="survey.").count() == 3


@pytest.mark.parametrize("typed", ["", "11", "-1", "nine", "9.0", "9" * 5000, "\x00", "٣"])
def test_the_page_comes_again_with_a_sentence_when_the_score_is_none(customer: Client, typed: str) -> None:
    invitation = invited()

    page = customer.post(page_of(invitation), {"score": typed})

    assert page.status_code == 400
    assert "Choose a number from 0 to 10." in page.text
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("a\x00bc", "cannot be stored"), ("<b>" + "x" * 10_000, "10003 characters long")],
)
def test_the_comment_is_kept_on_the_page_when_it_is_refused(customer: Client, typed: str, sentence: str) -> None:
    invitation = invited()
    customer.post(page_of(invitation), {"score": "9"})

    page = customer.post(page_of(invitation, "why/"), {"comment": typed})

    assert page.status_code == 400
    assert sentence in page.text
    assert typed.replace("\x00", "").replace("<", "&lt;").replace(">", "&gt;") in page.text
    assert Response.objects.get().comment == ""


def test_a_sentence_is_shown_when_the_body_is_larger_than_any_form(customer: Client) -> None:
    invitation = invited()
    customer.post(page_of(invitation), {"score": "9"})
    body = b"comment=" + b"x" * 3_000_000
    form = "application/x-www-form-urlencoded"

    page = customer.post(page_of(invitation, "why/"), body, content_type=form)
    assert page.status_code == 400
    assert "far too long" in page.text
    assert customer.post(page_of(invitation), body, content_type=form).status_code == 400


def whole(response: HttpResponseBase) -> tuple[object, ...]:
    assert hasattr(response, "content")
    return response.status_code, response.content, tuple(sorted(response.headers.items()))


def test_every_dead_link_looks_the_same_when_opened_or_sent(customer: Client) -> None:
    expired, left = invited(language="ru"), invited(language="bg")
    open_ = invited()
    answer(token=token_of(expired), score=3, comment=None, now=NOW)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=NOW)
    Contact.objects.filter(pk=left.contact_id).update(left_at=NOW)
    forged = page_of(open_)[:-2] + ("A/" if page_of(open_)[-2] != "A" else "B/")
    dead = [page_of(expired), page_of(left), forged, "/s/x/", "/s/%00/", "/s/%F0%9F%98%80/", f"/s/{expired.digest}/"]

    seen = {
        whole(response)
        for path in dead
        for page in ("", "why/", "thanks/")
        for response in (customer.get(path + page), customer.post(path + page, {"score": "9", "comment": "x"}))
    }

    assert len(seen) == 1
    status, body, _headers = seen.pop()
    assert status == 404
    assert b"This link does not work" in body
    assert Response.objects.get().score == 3


def test_a_dead_link_answers_in_the_readers_language_when_the_browser_says_one(customer: Client) -> None:
    page = customer.get("/s/forged/", headers={"Accept-Language": "zh-TW,zh;q=0.9"})

    assert page.status_code == 404
    assert "此連結無效" in page.text
    assert '<html lang="zh-hant"' in page.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", "Совсем маловероятно"),
        ("bg", "Никак не е вероятно"),
        ("zh-hans", "完全不可能"),
        ("zh-hant", "完全不可能"),
    ],
)
def test_pages_are_in_the_contacts_language_when_the_browsers_is_another(
    customer: Client, language: str, words: str
) -> None:
    invitation = invited(language=language)

    page = customer.get(page_of(invitation), headers={"Accept-Language": "en"})

    assert words in page.text
    assert f'<html lang="{language}" dir="ltr">' in page.text
    assert page["Content-Language"] == language
    refused = customer.post(page_of(invitation), {"score": "x"}, headers={"Accept-Language": "en"})
    assert "Choose a number" not in refused.text


def test_the_question_comes_first_when_a_later_page_is_opened_without_an_answer(customer: Client) -> None:
    invitation = invited()

    for page in ("why/", "thanks/"):
        assert customer.get(page_of(invitation, page))["Location"] == page_of(invitation)
    assert customer.post(page_of(invitation, "why/"), {"comment": "x"})["Location"] == page_of(invitation)


def test_the_contact_is_unsubscribed_when_a_mail_program_posts(customer: Client) -> None:
    invitation = invited()
    Invitation.objects.update(expires_at=NOW - timedelta(days=100))
    path = page_of(invitation, "unsubscribe/")
    assert "No more surveys?" in customer.get(path).text

    done = customer.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert done.status_code == 200
    again = customer.post(path, {"List-Unsubscribe": "One-Click"})

    assert "You are unsubscribed" in again.text
    assert Contact.objects.get().unsubscribed_at == NOW
    assert Event.objects.filter(kind="contact.unsubscribed").count() == 1


def test_nobody_is_unsubscribed_when_the_post_is_another_or_the_link_forged(customer: Client) -> None:
    invitation = invited()

    assert "No more surveys?" in customer.post(page_of(invitation, "unsubscribe/"), {"x": "y"}).text
    assert customer.post("/s/forged/unsubscribe/", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert Contact.objects.get().unsubscribed_at is None


def test_other_methods_are_refused_when_tried(customer: Client) -> None:
    assert customer.delete(page_of(invited())).status_code == 405


def test_pages_stay_out_of_caches_and_other_sites_when_shown(customer: Client) -> None:
    page = customer.get(page_of(invited()))

    assert page["Cache-Control"] == "no-store, private"
    assert '<meta name="referrer" content="no-referrer">' in page.text
    assert "noindex" in page.text
