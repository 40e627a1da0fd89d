"""Actions as they are declared: complete, checked at their step, done once, and told from what they kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from accounts.models import Account, Event
from common.errors import DomainError
from console.queries.playbook_words import shown_definition
from console.queries.step_kinds import step_kinds
from playbooks.actions import REGISTRY, Action, Moment, Names
from playbooks.actions.base import register
from playbooks.actions.opportunity import OpportunityAction
from playbooks.actions.tag import TagAction
from playbooks.definition.fields import Text
from playbooks.definition.parse import load, parse
from playbooks.definition.steps import Act
from playbooks.models import Run
from playbooks.queries import why_run
from revenue.models import Opportunity
from tests.factories import NOW, UserFactory
from tests.playbooks.cases import REFERENCE, customer, messaging, pass_time, published

pytestmark = pytest.mark.django_db

OPPORTUNITY = {"id": "sell", "kind": "opportunity", "name": "More seats", "amount": 1200}


@pytest.fixture(autouse=True)
def _features() -> None:
    messaging()


def ran(step: dict[str, Any], account: Account | None = None) -> Run:
    """A run that has come to the end of a playbook with just this step."""
    account = account or customer(uses=3)
    published({**REFERENCE, "steps": [step]})
    pass_time(NOW, NOW)
    return Run.objects.get()


def told(run: Run) -> str:
    return why_run(run)[1].words


def action_of(step: dict[str, Any]) -> Action:
    act = load({**REFERENCE, "steps": [step]}).steps[0]
    assert isinstance(act, Act)
    return act.action


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_action_declares_all_that_pages_need(kind: str) -> None:
    action = REGISTRY[kind]

    assert action.kind == kind
    assert all(map(str, (action.label, action.hint, action.icon)))
    assert is_dataclass(action)
    assert {field.name for field in action.form} == {field.name for field in fields(action)}


@pytest.mark.parametrize(
    ("step", "field", "says"),
    [
        ({"kind": "tag"}, "add", "Name a tag to add or to take off."),
        ({"kind": "tag", "add": "x" * 65}, "add", "cannot be a tag: it has 1 to 64 characters and no comma."),
        ({"kind": "tag", "add": "a, b", "remove": "b"}, "remove", "b cannot be both added and taken off."),
        ({"kind": "tag", "add": ["vip"]}, "add", "Give a text"),
        ({"kind": "opportunity"}, "name", "“name” is missing."),
        ({"kind": "opportunity", "name": "X", "amount": -1}, "amount", "Give a whole number from 0"),
        ({"kind": "opportunity", "name": "X", "opportunity": "gift"}, "opportunity", "Use one of: upsell, cross_sell"),
        ({"kind": "opportunity", "name": "X", "assign": "no@body"}, "assign", "Nobody who works here"),
        ({"kind": "stage", "stage": "nowhere"}, "stage", "There is no stage “nowhere”"),
    ],
)
def test_step_is_refused_at_its_field_when_it_cannot_work(step: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(DomainError) as refused:
        parse({**REFERENCE, "steps": [{"id": "do", **step}]})

    assert list(refused.value.fields) == [f"steps[0].{field}"]
    assert says in refused.value.fields[f"steps[0].{field}"]


def test_tags_are_put_on_and_taken_off() -> None:
    account = customer(uses=3, tags=["old", "vip"])

    run = ran({"id": "tag", "kind": "tag", "add": "vip, grows ", "remove": "old,never"}, account)

    account.refresh_from_db()
    assert account.tags == ["vip", "grows"]
    assert told(run) == "Tagged the account grows and took off old."
    assert Event.objects.get(kind="account.tagged").data["added"] == ["grows"]


def test_tags_that_are_so_already_are_no_event() -> None:
    run = ran({"id": "tag", "kind": "tag", "add": "vip"}, customer(uses=3, tags=["vip"]))

    assert told(run) == "The account's tags were so already."
    assert not Event.objects.filter(kind="account.tagged").exists()


def test_opportunity_is_opened_for_the_csm() -> None:
    anna = UserFactory(name="Anna Berg")

    run = ran(OPPORTUNITY, customer(uses=3, owner=anna))

    one = Opportunity.objects.get()
    assert (one.name, one.amount, one.owner, one.origin) == ("More seats", Decimal(1200), anna, run.playbook.name)
    assert one.key == f"run:{run.pk}:sell"
    assert told(run) == "Opened the opportunity “More seats” for Anna Berg."


@pytest.mark.parametrize("step", [OPPORTUNITY, {"id": "tag", "kind": "tag", "add": "vip"}])
def test_effect_is_there_once_when_a_step_is_performed_twice(
    step: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for action in (OpportunityAction, TagAction):
        perform: Any = action.perform
        monkeypatch.setattr(action, "perform", lambda self, moment, do=perform: (do(self, moment), do(self, moment))[1])

    ran(step)

    assert Opportunity.objects.count() + Event.objects.filter(kind="account.tagged").count() == 1


def test_names_are_read_with_one_query_a_source(django_assert_num_queries: Any) -> None:
    people = UserFactory.create_batch(3)
    steps = [{"id": f"s{n}", "kind": "task", "title": "Call", "assign": one.email} for n, one in enumerate(people)]
    actions = [action_of(step) for step in [*steps, {**OPPORTUNITY, "assign": people[0].email}]]

    with django_assert_num_queries(1):
        names = Names(actions)
        shown = [action.shown(names) for action in actions[:3]]

    assert [one.notes[0].partition(" · ")[0] for one in shown] == [f"for {one.name}" for one in people]


def test_records_of_earlier_releases_are_told() -> None:
    assert REGISTRY["stage"].told({"stage": "adoption", "moved": True}) == "Moved the account to the stage “adoption”."


@pytest.fixture
def praise() -> Iterator[type[Action]]:
    """An action that is declared here and nowhere else."""

    @register
    @dataclass(frozen=True, slots=True)
    class Praise(Action):
        kind: ClassVar = "praise"
        label: ClassVar = "Praise"
        hint: ClassVar = "Somebody is praised."
        icon: ClassVar = "star"
        form: ClassVar = (Text("whom", "Whom", most=20),)

        whom: str

        def perform(self, moment: Moment) -> dict[str, Any]:
            Account.objects.filter(pk=moment.account.pk).update(industry=f"praised {self.whom}")
            return {"whom": self.whom}

        def words(self, names: Names) -> str:
            return f"Praise {self.whom}"

        @classmethod
        def told(cls, facts: Mapping[str, Any]) -> str:
            return f"Praised {facts['whom']}."

    yield Praise
    del REGISTRY["praise"]


def test_action_that_is_declared_in_one_place_is_offered_refused_done_and_told(praise: type[Action]) -> None:
    step = {"id": "praise", "kind": "praise", "whom": "Ada"}
    with pytest.raises(DomainError) as refused:
        parse({**REFERENCE, "steps": [{"id": "praise", "kind": "praise", "whom": "x" * 21}]})
    assert list(refused.value.fields) == ["steps[0].whom"]

    assert step_kinds()["praise"].label == praise.label
    account = customer(uses=3)
    run = ran(step, account)
    account.refresh_from_db()
    assert account.industry == "praised Ada"
    assert told(run) == "Praised Ada."
    assert shown_definition(parse({**REFERENCE, "steps": [step]})).steps[0].title == "Praise Ada"
