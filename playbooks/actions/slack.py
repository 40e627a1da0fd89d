"""Tell colleagues in Slack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from outbox.models import Destination
from outbox.services import enqueue_slack, slack_text
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.fields import Text
from playbooks.definition.references import Reference, Source
from playbooks.mail.colleagues import check_text, text_about
from playbooks.mail.liquid import TemplateError

CHANNELS = Source(
    lambda: Destination.objects.filter(kind=Destination.Kind.SLACK),
    gettext_lazy("There is no Slack channel “%(key)s”; use one of: %(known)s."),
    page="messages_destination",
)


@register
@dataclass(frozen=True, slots=True)
class SlackAction(Action):
    """A message to the Slack channel with this key; ``text`` is a template with merge values, in Slack's markup."""

    kind: ClassVar = "slack"
    label: ClassVar = gettext_lazy("Slack message")
    hint: ClassVar = gettext_lazy("A message to colleagues in a channel.")
    icon: ClassVar = "chat"
    form: ClassVar = (
        Reference("channel", gettext_lazy("Channel"), CHANNELS, most=64),
        Text(
            "text",
            gettext_lazy("Text"),
            most=2000,
            help=gettext_lazy(
                "Merge values such as {{ account.name }} may stand in it; a link to the account is added."
            ),
        ),
    )

    channel: str
    text: str

    def check(self) -> None:
        super(SlackAction, self).check()
        check_text(self.text)

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Owe one message; to a channel that is gone or switched off, none."""
        channel = CHANNELS.rows().filter(key=self.channel, is_on=True).first()
        if channel is None:
            return {"skipped": "channel_off", "channel": self.channel}
        try:
            said = text_about(moment.account, self.text, moment.now, literally=slack_text)
        except TemplateError as error:
            return {"skipped": "text_broken", "channel": channel.name, "problem": error.message}
        text = f"{said}\n{_link(moment.account)} · {slack_text(moment.run.playbook.name)}"
        message = enqueue_slack(dedupe_key=moment.key, destination=channel, text=text, due_at=moment.now)
        return {"message": message.pk, "channel": channel.name}

    def words(self, names: Names) -> str:
        return _("Write to the Slack channel “%(channel)s”") % {"channel": names.of(CHANNELS, self.channel)}

    def shown(self, names: Names) -> Shown:
        return Shown(self.words(names), notes=(self.text,), page=names.page(CHANNELS, self.channel))

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        match facts.get("skipped"):
            case "channel_off":
                return _("Wrote nothing to Slack: the channel “%(channel)s” is switched off or gone.") % facts
            case "text_broken":
                return _("Wrote nothing to the Slack channel “%(channel)s”: %(problem)s") % facts
        return _("Wrote to the Slack channel “%(channel)s”.") % facts


def _link(account: Account) -> str:
    return f"<{settings.BASE_URL}{reverse('console:account', args=[account.pk])}|{slack_text(account.name)}>"
