"""What playbooks tell Slack and other systems: what is refused, what goes out, and that it goes out once."""

import json
from typing import Any

import pytest

from accounts.models import Account
from accounts.services.ledger import record
from common.errors import DomainError
from outbox.models import Destination, Message
from outbox.services import add_destination, switch_destination
from playbooks.definition.parse import parse
from playbooks.models import Run
from playbooks.queries import why_run
from tests.factories import NOW, ContactFactory, SubscriptionFactory
from tests.playbooks.cases import REFERENCE, customer, messaging, pass_time, published, settle

pytestmark = pytest.mark.django_db

SAY = {"id": "say", "kind": "slack", "channel": "cs-team", "text": "*{{ account.name }}* pays {{ mrr }}."}
TELL = {"id": "tell", "kind": "webhook", "webhook": "data-team"}


@pytest.fixture(autouse=True)
def channel() -> Destination:
    messaging()
    add_destination(kind=Destination.Kind.WEBHOOK, name="Data team", url="https://hooks.example/in")
    return add_destination(kind=Destination.Kind.SLACK, name="#cs-team", url="https://hooks.slack.example/T1")


def ran(*steps: dict[str, Any], account: Account | None = None, **definition: Any) -> Run:
    """A run that has come to the end of a playbook of these steps."""
    account = account or customer(uses=3)
    published({**REFERENCE, **definition, "steps": list(steps)})
    pass_time(NOW, NOW)
    return Run.objects.get()


def body() -> Any:
    return json.loads(Message.objects.get().payload["body"])


@pytest.mark.parametrize(
    ("step", "field", "says"),
    [
        ({**SAY, "channel": "nowhere"}, "channel", "There is no Slack channel “nowhere”; use one of: cs-team."),
        ({**SAY, "channel": "data-team"}, "channel", "There is no Slack channel “data-team”"),
        ({**SAY, "text": "{{ mmr }}"}, "text", "There is no merge value “mmr”"),
        ({**SAY, "text": "{{ contact.name }}"}, "text", "“contact.name” in a message to colleagues"),
        ({**SAY, "text": "{{ mrr"}, "text", "Line 1 cannot be read"),
        ({**SAY, "text": " "}, "text", "1 to 2000 characters"),
        ({**TELL, "webhook": "cs-team"}, "webhook", "There is no webhook “cs-team”; use one of: data-team."),
    ],
)
def test_step_is_refused_at_its_field_when_it_cannot_be_done(step: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(DomainError) as refused:
        parse({**REFERENCE, "steps": [step]})

    assert list(refused.value.fields) == [f"steps[0].{field}"]
    assert says in refused.value.message


def test_a_channel_hears_of_an_account_when_a_playbook_says_so() -> None:
    account = customer(uses=3, name="<!channel> & Sons")
    SubscriptionFactory(account=account, mrr=1200)
    run = ran(SAY, account=account)

    name = "&lt;!channel&gt; &amp; Sons"
    first, link = body()["text"].split("\n")
    assert first.startswith(f"*{name}* pays ")
    assert "1,200" in first
    assert link == f"<http://testserver/accounts/{account.pk}/|{name}> · {run.playbook.name}"
    message = Message.objects.get()
    assert (message.channel, message.dedupe_key, message.recipient) == ("slack", f"run:{run.pk}:say", "#cs-team")
    assert why_run(run)[1].words == "Wrote to the Slack channel “#cs-team”."


def test_what_is_not_known_is_a_dash_when_a_channel_hears_of_it() -> None:
    ran({**SAY, "text": "Renews on {{ renewal_on }}, owner {{ owner.name }}{% if renewal_on %}, soon{% endif %}"})

    assert body()["text"].startswith("Renews on –, owner Casey Manager")
    assert ", soon" not in body()["text"].split("\n")[0]


def test_a_webhook_gets_the_documented_body_when_a_playbook_calls_it() -> None:
    run = ran(TELL)

    assert body() == {
        "event": "playbook.step",
        "at": NOW.isoformat(),
        "account": {"id": run.account_id, "external_id": run.account.external_id, "name": run.account.name},
        "playbook": {"key": run.playbook.key, "name": run.playbook.name},
        "run": run.pk,
        "step": "tell",
        "why": ["March 16, 2026: Messaging, 7 days was 3 (below 10)."],
        "occasion": None,
    }
    assert Message.objects.get().channel == "webhook"
    assert why_run(run)[1].words == "Called the webhook “Data team”."


def test_a_webhook_gets_the_event_when_one_began_the_run() -> None:
    account = customer(uses=30)
    published({**REFERENCE, "entry": {"kind": "event", "event": "ticket.reopened"}, "steps": [TELL]})
    contact = ContactFactory(account=account, name="Jana")
    record(account=account, kind="ticket.reopened", happened_at=NOW, contact=contact, data={"ticket": 7})
    settle(NOW)

    assert body()["occasion"] == {
        "at": NOW.isoformat(),
        "kind": "ticket.reopened",
        "data": {"ticket": 7},
        "contact": "Jana",
    }


@pytest.mark.parametrize(
    ("step", "key", "says"),
    [
        (SAY, "cs-team", "Wrote nothing to Slack: the channel “cs-team” is switched off or gone."),
        (TELL, "data-team", "Called no webhook: “data-team” is switched off or gone."),
    ],
)
def test_step_is_passed_by_in_words_when_its_destination_is_off(step: dict[str, Any], key: str, says: str) -> None:
    switch_destination(destination=Destination.objects.get(key=key), is_on=False)
    run = ran(step)

    assert run.state == Run.State.FINISHED
    assert not Message.objects.exists()
    assert why_run(run)[1].words == says


def test_a_message_goes_out_once_when_a_turn_is_taken_again() -> None:
    run = ran(SAY, TELL)
    Run.objects.filter(pk=run.pk).update(state=Run.State.WAITING, step="say", due_at=NOW, ended_at=None)

    settle(NOW)

    assert Message.objects.count() == 2
