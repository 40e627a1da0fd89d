"""Tell another system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.models import Workspace
from outbox.models import Destination
from outbox.services import enqueue_webhook
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.references import Reference, Source
from playbooks.record import Teller, occasion

WEBHOOKS = Source(
    lambda: Destination.objects.filter(kind=Destination.Kind.WEBHOOK),
    gettext_lazy("There is no webhook “%(key)s”; use one of: %(known)s."),
    page="messages_destination",
)
EVENT = "playbook.step"


@register
@dataclass(frozen=True, slots=True)
class WebhookAction(Action):
    """A signed POST to the webhook with this key, which says what was seen of which account (``docs/playbooks.md``)."""

    kind: ClassVar = "webhook"
    label: ClassVar = gettext_lazy("Webhook")
    hint: ClassVar = gettext_lazy("A signed message to another system, with why.")
    icon: ClassVar = "integration"
    form: ClassVar = (Reference("webhook", gettext_lazy("Webhook"), WEBHOOKS, most=64),)

    webhook: str

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Owe one message; to a webhook that is gone or switched off, none."""
        webhook = WEBHOOKS.rows().filter(key=self.webhook, is_on=True).first()
        if webhook is None:
            return {"skipped": "webhook_off", "webhook": self.webhook}
        message = enqueue_webhook(
            dedupe_key=moment.key, destination=webhook, event=EVENT, body=_body(moment), due_at=moment.now
        )
        return {"message": message.pk, "webhook": webhook.name}

    def words(self, names: Names) -> str:
        return _("Call the webhook “%(webhook)s”") % {"webhook": names.of(WEBHOOKS, self.webhook)}

    def shown(self, names: Names) -> Shown:
        return Shown(self.words(names), page=names.page(WEBHOOKS, self.webhook))

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        if "skipped" in facts:
            return _("Called no webhook: “%(webhook)s” is switched off or gone.") % facts
        return _("Called the webhook “%(webhook)s”.") % facts


def _body(moment: Moment) -> dict[str, Any]:
    workspace, account, run = Workspace.current(), moment.account, moment.run
    with override(workspace.language):
        why = Teller(workspace.zone).why(moment.why)
    return {
        "event": EVENT,
        "at": moment.now.isoformat(),
        "account": {"id": account.pk, "external_id": account.external_id, "name": account.name},
        "playbook": {"key": run.playbook.key, "name": run.playbook.name},
        "run": run.pk,
        "step": moment.key.rpartition(":")[2],
        "why": why,
        "occasion": occasion(moment.event) if moment.event is not None else None,
    }
