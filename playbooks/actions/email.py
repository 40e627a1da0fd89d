"""Write to the customer from a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes import Catalogue
from accounts.models import Contact
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.fields import Choice, Problem
from playbooks.definition.references import PEOPLE, Reference, Source
from playbooks.mail.compose import OWNER, WORKSPACE, problems_in
from playbooks.mail.writing import USEFUL, write_email
from playbooks.models import EmailTemplate, EmailText

TEMPLATES = Source(
    EmailTemplate.objects.all,
    gettext_lazy("There is no email template “%(key)s”; use one of: %(known)s."),
    page="email_template",
)
SENDERS = ((OWNER, gettext_lazy("The account's CSM")), (WORKSPACE, gettext_lazy("Our company")))
FITTING = ""
RECIPIENTS = Choice(
    "to",
    gettext_lazy("To whom"),
    (
        (FITTING, gettext_lazy("Whoever it is about, else the champion, the decision maker, a user")),
        *Contact.Role.choices,
    ),
    default=FITTING,
    help=gettext_lazy("It is about the contact of the event that the playbook started with, if there is one."),
)


@register
@dataclass(frozen=True, slots=True)
class EmailAction(Action):
    """A mail from the template with this key, in the contact's language, sent in the name of ``sender``."""

    kind: ClassVar = "email"
    label: ClassVar = gettext_lazy("Email")
    hint: ClassVar = gettext_lazy("A mail from a template, to one contact, in their language.")
    icon: ClassVar = "email"
    writes_to_contact: ClassVar = True
    form: ClassVar = (
        Reference("template", gettext_lazy("Template"), TEMPLATES, most=64),
        Reference(
            "sender",
            gettext_lazy("In whose name"),
            PEOPLE,
            also=SENDERS,
            help=gettext_lazy("Answers go to this person. An account without a CSM gets no mail in the CSM's name."),
        ),
        RECIPIENTS,
    )

    template: str
    sender: str
    to: str

    def check(self) -> None:
        super(EmailAction, self).check()
        catalogue = Catalogue()
        for text in EmailText.objects.filter(template__key=self.template):
            for problem in problems_in(text, catalogue).values():
                words = {"language": text.get_language_display(), "problem": problem}
                raise Problem("template", _("The template in %(language)s: %(problem)s") % words)

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Owe one mail. Without a reader, a sender or one of the values that it needs, none; the facts say which."""
        contact = self.recipient(moment.account, moment.event)
        if contact is None:
            return {"skipped": "nobody_reachable", "template": self.template}
        return write_email(
            run=moment.run,
            contact=contact,
            template=self.template,
            sender=self.sender,
            key=moment.key,
            useful_until=moment.now + USEFUL,
            now=moment.now,
        )

    @property
    def reader_role(self) -> str:
        return self.to

    def words(self, names: Names) -> str:
        return _("Send the email “%(template)s”") % {"template": names.of(TEMPLATES, self.template)}

    def shown(self, names: Names) -> Shown:
        sender = dict(SENDERS).get(self.sender) or names.of(PEOPLE, self.sender)
        notes = (
            _("to: %(whom)s") % {"whom": RECIPIENTS.named(self.to)},
            _("in the name of: %(sender)s") % {"sender": sender},
        )
        return Shown(self.words(names), notes=notes, page=names.page(TEMPLATES, self.template))

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        if "held_back" in facts:
            words = _("Held back the email “%(name)s”: the contact budget of %(contact)s was used up.")
        elif "skipped" not in facts:
            words = _("Wrote “%(subject)s” to %(contact)s.")
        else:
            words = {
                "value_missing": _("Sent no email to %(contact)s: not known of this account: %(values)s."),
                "nobody_reachable": _("Sent no email: nobody at the customer can be written to."),
                "no_sender": _("Sent no email: there is nobody in whose name to send it."),
                "no_template": _("Sent no email: the template “%(template)s” is gone."),
            }.get(facts["skipped"]) or _("Sent no email: the template “%(name)s” cannot be used: %(problem)s")
        return words % {**facts, "values": ", ".join(facts.get("missing", ()))}
