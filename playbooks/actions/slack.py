"""Tell colleagues in Slack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.attributes import Catalogue
from accounts.models import Account, Contact, Workspace
from outbox.models import Destination
from outbox.services import enqueue_slack, slack_text
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.fields import Problem, Text
from playbooks.definition.references import Reference, Source
from playbooks.mail.liquid import TemplateError, Value, read_template
from playbooks.mail.values import About, unknown_in, values_for

CHANNELS = Source(
    lambda: Destination.objects.filter(kind=Destination.Kind.SLACK),
    gettext_lazy("There is no Slack channel “%(key)s”; use one of: %(known)s."),
    page="messages_destination",
)
OF_READERS = ("contact.", "sender.")
UNKNOWN = "–"


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
        try:
            names = read_template(self.text).names
        except TemplateError as error:
            raise Problem("text", error.message) from None
        unknown = [*unknown_in(names, Catalogue()), *(name for name in names if name.startswith(OF_READERS))]
        if unknown:
            raise Problem(
                "text",
                _("There is no merge value %(names)s in a message to colleagues.")
                % {"names": ", ".join(f"“{name}”" for name in unknown[:5])},
            )

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Owe one message; to a channel that is gone or switched off, none."""
        channel = CHANNELS.rows().filter(key=self.channel, is_on=True).first()
        if channel is None:
            return {"skipped": "channel_off", "channel": self.channel}
        try:
            said = self._said(moment)
        except TemplateError as error:
            return {"skipped": "text_broken", "channel": channel.name, "problem": error.message}
        text = f"{said}\n{_link(moment.account)} · {slack_text(moment.run.playbook.name)}"
        message = enqueue_slack(dedupe_key=moment.key, destination=channel, text=text, due_at=moment.now)
        return {"message": message.pk, "channel": channel.name}

    def _said(self, moment: Moment) -> str:
        template = read_template(self.text)
        # Colleagues read it: what is said of a reader or a sender is not offered.
        about = About(moment.account, Contact(account=moment.account), "")
        with override(Workspace.current().language):
            values, _missing = values_for(template.names, about, Catalogue(), moment.now)
            _for_slack(values.values())
            return template.text(values).strip()

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


def _for_slack(values: Iterable[Value]) -> None:
    """Let values be read literally, whatever is in them, and those that are not known as a dash."""
    for value in values:
        value.text = UNKNOWN if value.raw is None else slack_text(value.text)
        _for_slack(value.parts.values())


def _link(account: Account) -> str:
    return f"<{settings.BASE_URL}{reverse('console:account', args=[account.pk])}|{slack_text(account.name)}>"
