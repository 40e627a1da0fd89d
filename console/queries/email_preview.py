"""What an email template would say to a real customer, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.attributes import Catalogue
from accounts.models import Account, Contact, User
from common.errors import DomainError
from outbox.mail import sender as from_header
from playbooks.mail.compose import OWNER, WORKSPACE, Letter, Sender, compose, problems_in, sender_of
from playbooks.mail.liquid import Missing
from playbooks.mail.values import About, Offered, offered_values
from playbooks.models import EmailText
from playbooks.recipients import recipient_of


@dataclass(frozen=True, slots=True)
class Shown:
    """One template for one reader: the letter, or why there is none."""

    about: About
    sender: Sender
    letter: Letter | None = None
    missing: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def from_line(self) -> str:
        return from_header(self.sender.name)

    @property
    def refusal(self) -> str:
        """Why the account would get no mail, and what would help."""
        words = {"account": self.about.account.name, "values": ", ".join(self.missing)}
        return (
            _(
                "%(account)s gets no mail: not known are %(values)s. Say what stands for a value that may be missing, "
                "as in {{ mrr | default: '…' }}."
            )
            % words
        )

    @property
    def is_reachable(self) -> bool:
        """Whether there is somebody to write to; else the preview is for a stand-in."""
        return self.about.contact.pk is not None


def account_to_show(user: User, wanted: int) -> Account | None:
    """The account that was asked for, else the first with somebody to write to; None when there is none."""
    visible = Account.objects.visible_to(user).select_related("owner")
    asked = visible.filter(pk=wanted).first() if wanted else None
    if asked is not None:
        return asked
    reachable = Contact.objects.reachable().filter(account__in=visible.live())
    first = reachable.order_by("account__name", "account_id").values_list("account_id", flat=True).first()
    return visible.filter(pk=first).first() if first else visible.first()


def shown_for(account: Account, text: EmailText, *, now: datetime) -> Shown:
    """The text as the account's reader would get it."""
    contact = recipient_of(account, None) or Contact(account=account)
    sender = sender_of(OWNER, account) or sender_of(WORKSPACE, account)
    assert sender is not None, "there is always a company"
    about = About(account, contact, sender.name)
    if problems := problems_in(text, Catalogue()):
        return Shown(about, sender, problems=problems)
    try:
        return Shown(about, sender, letter=compose(text, about, sender, unsubscribe="#", now=now))
    except Missing as missing:
        return Shown(about, sender, missing=missing.labels)
    except DomainError as error:
        return Shown(about, sender, problems={"": error.message})


def values_of(shown: Shown, language: str, *, now: datetime) -> list[tuple[str, list[Offered]]]:
    """Every merge value by its group, with what it says of the account in the mail's language."""
    with override(language):
        samples = {one.name: one.sample for one in offered_values(shown.about, Catalogue(), now)}
    offered = [
        Offered(one.name, one.label, one.group, samples[one.name]) for one in offered_values(None, Catalogue(), now)
    ]
    return [(group, list(ones)) for group, ones in groupby(offered, key=lambda one: one.group)]
