"""Scores set by hand on the pages: with scripts and without, what is told, who may, and the list of all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.attributes import Scope
from accounts.models import Account, User
from common import clock
from health.models import HealthScore, NamedScore, Override
from health.services import compute_health, override_score
from tests.console.pages import HTMX, client_of, only_own_book, queries_of, words_of
from tests.factories import (
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

LIST = "/health/overrides/"


@pytest.fixture
def csm() -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def client(csm: User) -> Client:
    return client_of(csm)


@pytest.fixture
def account(csm: User) -> Account:
    made: Account = AccountFactory(owner=csm, name="Ostrava Steel", seats=42)
    ProfileMeasureFactory(profile=ProfileFactory(segment=SegmentFactory(key="all")), measure=MeasureFactory())
    compute_health(scope=Scope.everything(), now=clock.now())
    return made


def at(name: str, account: Account, *more: int) -> str:
    return reverse(f"console:account_override{name}", args=[account.pk, *more])


def given(**changed: Any) -> dict[str, Any]:
    return {"named": "overall", "score": "85", "reason": "They renew in spring", "lasts": "30", **changed}


def set_by_hand(account: Account, by: User, **kwargs: Any) -> Override:
    now = clock.now()
    named = kwargs.pop("named", None) or NamedScore.overall()
    expires_at = now + timedelta(days=kwargs.pop("days", 10))
    values: dict[str, Any] = {"score": 85.0, "reason": "They renew in spring", **kwargs}
    return override_score(account=account, named=named, expires_at=expires_at, by=by, now=now, **values)


def score_of(account: Account) -> float | None:
    return HealthScore.objects.overall().get(account=account).score


def test_score_is_set_shown_and_taken_back_when_htmx_asks(client: Client, account: Account, csm: User) -> None:
    answer = client.post(at("", account), given(), headers=HTMX)

    override = Override.objects.get()
    assert (override.author, override.score, override.reason) == (csm, 85, "They renew in spring")
    last_minute = timezone.localtime(override.expires_at)
    assert last_minute.date() == timezone.localdate() + timedelta(days=30)
    assert (last_minute.hour, last_minute.minute) == (23, 59)
    assert "Ostrava Steel is set to 85 until" in answer.content.decode()
    assert answer["HX-Trigger"] == "dialog-close, account-changed"
    page = words_of(client, reverse("console:account", args=[account.pk]))
    day = last_minute.strftime("%B ") + str(last_minute.day)
    assert f"Set by hand by Maya Lindholm until {day} They renew in spring Computed beneath: 42" in page
    assert (
        f"Health was set to 85 by hand until {day} · Maya Lindholm They renew in spring · computed beneath: 42" in page
    )
    undo = at("_take_back", account, override.pk)
    assert undo in answer.content.decode()

    undone = client.post(undo, headers=HTMX)

    assert "The score of Ostrava Steel is computed again" in undone.content.decode()
    assert score_of(account) == 42
    page = words_of(client, reverse("console:account", args=[account.pk]))
    assert "What was set by hand was ended: Health is computed again, Watch · Maya Lindholm" in page
    assert "Computed beneath" not in page
    again = client.post(undo, headers=HTMX)
    assert (again.status_code, again.content.decode()) == (409, "This score is not set by hand any more.")


def test_score_is_set_without_scripts(client: Client, account: Account) -> None:
    page = client.get(at("", account)).content.decode()
    assert "<html" in page
    assert "Set a score of Ostrava Steel by hand" in page

    answer = client.post(at("", account), given(), follow=True)

    assert answer.redirect_chain == [(f"/accounts/{account.pk}/", 302)]
    assert "Ostrava Steel is set to 85 until" in answer.content.decode()


def test_end_is_undone(client: Client, account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)

    ended = client.post(at("_end", account, override.pk), headers=HTMX)

    assert score_of(account) == 42
    undo = at("_restore", account, override.pk)
    assert undo in ended.content.decode()
    undone = client.post(undo, headers=HTMX)
    assert "Ostrava Steel is set to 85 until" in undone.content.decode()
    assert score_of(account) == 85


def test_replaced_one_is_named_and_holds_again_when_the_new_one_is_taken_back(
    client: Client, account: Account, csm: User
) -> None:
    first = set_by_hand(account, UserFactory(name="Jonas Weber"), score=70.0)

    assert "set by hand by Jonas Weber until" in client.get(at("", account)).content.decode()
    client.post(at("", account), given(score="20"), headers=HTMX)
    page = words_of(client, reverse("console:account", args=[account.pk]))
    assert "What was set by hand for Health was replaced · Maya Lindholm" in page
    second = Override.objects.live(clock.now()).get()
    # It was replaced by another than its author, so taking back is its own matter.
    undone = client.post(at("_take_back", account, second.pk), headers=HTMX)

    assert "Ostrava Steel is set to 70 until" in undone.content.decode()
    assert Override.objects.live(clock.now()).get() == first


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"score": ""}, "This field is required."),
        ({"score": "high"}, "Enter a number."),
        ({"score": "101"}, "Give a number from 0 to 100."),
        ({"score": "nan"}, "Enter a number."),
        ({"reason": " "}, "This field is required."),
        ({"reason": "x" * 501}, "at most 500 characters"),
        ({"lasts": "day"}, "This field is required."),
        ({"lasts": "day", "day": "soon"}, "Enter a valid date."),
        ({"lasts": "day", "day": "2020-01-01"}, "Choose a time that is still to come."),
        ({"lasts": "day", "day": "2999-01-01"}, "Choose a time within a year"),
        ({"lasts": "day", "day": "0001-01-01"}, "Choose a time that is still to come."),
        ({"lasts": "day", "day": "9999-12-31"}, "Choose a time within a year"),
        ({"lasts": "for ever"}, "is not one of the available choices"),
        ({"named": "fit"}, "This account has no such score."),
    ],
)
def test_score_is_refused_at_its_field_and_what_was_typed_is_kept(
    client: Client, account: Account, changed: dict[str, str], told: str
) -> None:
    answer = client.post(at("", account), given(**{"reason": "Typed with care", **changed}), headers=HTMX)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "<html" not in page
    assert told in page
    assert "Typed with care" in page or "reason" in changed
    assert not Override.objects.exists()


def test_one_of_several_scores_is_chosen(client: Client, account: Account) -> None:
    fit = NamedScore.objects.create(key="fit", label="Product fit", position=5)
    ProfileMeasureFactory(profile=ProfileFactory(named=fit), measure=MeasureFactory())
    compute_health(scope=Scope.everything(), now=clock.now())

    page = client.get(f"{at('', account)}?score=fit", headers=HTMX).content.decode()
    assert '<option value="fit" selected>Product fit</option>' in page

    client.post(at("", account), given(named="fit"), headers=HTMX)

    assert HealthScore.objects.of("fit").get().score == 85
    assert score_of(account) == 42
    assert "Product fit was set to 85 by hand" in words_of(client, reverse("console:account", args=[account.pk]))


def test_account_without_a_score_says_so(client: Client, account: Account) -> None:
    answer = client.get(at("", AccountFactory(ended_at=clock.now())), headers=HTMX)

    assert (answer.status_code, answer.content.decode()) == (
        400,
        "This account has no score to set yet: no profile decides it.",
    )


def test_only_those_who_may_edit_the_account_set_its_score(client: Client, account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)
    viewer, outsider = client_of(UserFactory(role=User.Role.VIEWER)), client_of(only_own_book())

    for who, status in ((viewer, 403), (outsider, 404)):
        assert who.get(at("", account), headers=HTMX).status_code == status
        assert who.post(at("", account), given(), headers=HTMX).status_code == status
        for name in ("_end", "_restore", "_take_back"):
            assert who.post(at(name, account, override.pk), headers=HTMX).status_code == status
    assert client.get(at("_end", account, override.pk)).status_code == 405
    shown = words_of(viewer, reverse("console:account", args=[account.pk]))
    assert "Set by hand by Maya Lindholm" in shown
    assert "End it" not in shown
    assert score_of(account) == 85


def test_list_has_those_that_hold_the_first_to_expire_on_top(client: Client, account: Account, csm: User) -> None:
    assert "No score is set by hand" in words_of(client, LIST)
    later = AccountFactory(name="Pelican", seats=10)
    compute_health(scope=Scope.everything(), now=clock.now())
    set_by_hand(later, UserFactory(name="Jonas Weber"), days=20, reason="Their sponsor is back", score=60.0)
    override = set_by_hand(account, csm, days=10)

    page = words_of(client, LIST)

    first, second = page.index("Ostrava Steel"), page.index("Pelican")
    assert first < second
    assert "Computed 42" in page
    assert "They renew in spring Maya Lindholm" in page
    assert "Their sponsor is back Jonas Weber" in page
    answer = client.post(at("_end", account, override.pk), {"next": LIST})
    assert answer["Location"] == LIST
    assert "Ostrava Steel Maya" not in words_of(client, LIST)


def test_list_is_narrowed(client: Client, account: Account, csm: User) -> None:
    other, jonas = AccountFactory(name="Pelican", seats=10), UserFactory(name="Jonas Weber")
    fit = NamedScore.objects.create(key="fit", label="Product fit", position=5)
    ProfileMeasureFactory(profile=ProfileFactory(named=fit), measure=MeasureFactory())
    compute_health(scope=Scope.everything(), now=clock.now())
    set_by_hand(account, csm)
    set_by_hand(other, jonas, named=fit)

    for query, shown, hidden in (
        (f"by={csm.pk}", "Ostrava Steel", "Pelican"),
        (f"by={jonas.pk}", "Pelican", "Ostrava Steel"),
        (f"csm={csm.pk}", "Ostrava Steel", "Pelican"),
        ("csm=none", "Pelican", "Ostrava Steel"),
        ("score=fit", "Pelican", "Ostrava Steel"),
        (f"by={csm.pk}&score=overall", "Ostrava Steel", "Pelican"),
    ):
        page = words_of(client, f"{LIST}?{query}")
        assert shown in page, query
        assert hidden not in page, query
    assert "None of these" in words_of(client, f"{LIST}?by={csm.pk}&score=fit")
    for nonsense in ("by=x", "csm=99999999999999999999", "score=%00", "from=abc", "from=-1", "from=500"):
        page = words_of(client, f"{LIST}?{nonsense}")
        assert "Ostrava Steel" in page, nonsense
        assert "Pelican" in page, nonsense


def test_list_has_only_what_the_reader_may_see(account: Account, csm: User) -> None:
    set_by_hand(account, csm)
    outsider = client_of(only_own_book())

    assert "No score is set by hand" in words_of(outsider, LIST)
    assert "Ostrava Steel" in words_of(client_of(csm), LIST)


def test_list_takes_as_many_queries_when_it_is_longer(client: Client, account: Account, csm: User) -> None:
    set_by_hand(account, csm)
    few = queries_of(client, LIST)
    others = AccountFactory.create_batch(5, seats=10)
    compute_health(scope=Scope.everything(), now=clock.now())
    for other in others:
        set_by_hand(other, UserFactory())

    assert queries_of(client, LIST) <= few
