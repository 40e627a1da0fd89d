"""A mail from a template: the text in the reader's language, with every value in its place, or no mail at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.attributes import Catalogue
from accounts.models import Account, User, Workspace
from common.templatetags.prose import prose
from common.text import one_line
from outbox.mail import inlined, unsubscribe_headers
from outbox.mail import sender as from_header
from playbooks.definition.references import PEOPLE
from playbooks.mail.liquid import Missing, TemplateError, read_template
from playbooks.mail.values import About, unknown_in, values_for
from playbooks.models import EmailTemplate, EmailText

OWNER = "owner"
WORKSPACE = "workspace"
LONGEST_SUBJECT = 300


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose name a mail carries, and where answers to it go; empty for the deployment's own address."""

    name: str
    answers_to: str = ""


def sender_of(said: str, account: Account) -> Sender | None:
    """The sender that a definition names: the account's CSM, the company, or a colleague; None when there is none."""
    if said == WORKSPACE:
        return Sender(Workspace.current().name)
    person: User | None = account.owner if said == OWNER else PEOPLE.rows().filter(email=said).first()
    if person is None or not person.is_active:
        return None
    return Sender(person.name, person.email)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that is ready: what ``outbox.services.enqueue_email`` needs beside the address, and its body as HTML."""

    language: str
    subject: str
    text: str
    html: str
    body: str
    headers: dict[str, str]


def text_for(template: EmailTemplate, language: str) -> EmailText | None:
    """The template's text in the language, else in a close one, the workspace's, English, or any; None for none."""
    texts = {text.language: text for text in template.texts.all()}
    for wanted in _languages_like(language):
        if wanted in texts:
            return texts[wanted]
    return next(iter(texts.values()), None)


def _languages_like(language: str) -> Iterator[str]:
    yield language
    family = language.partition("-")[0]
    yield from (known for known, _name in settings.LANGUAGES if known.partition("-")[0] == family)
    yield Workspace.current().language
    yield "en"


def problems_in(text: EmailText, catalogue: Catalogue) -> dict[str, str]:
    """What is wrong with a text, by its field: it cannot be read, or uses what is no merge value."""
    problems: dict[str, str] = {}
    for field in ("subject", "body"):
        try:
            unknown = unknown_in(read_template(getattr(text, field)).names, catalogue)
        except TemplateError as error:
            problems[field] = error.message
            continue
        if unknown:
            names = ", ".join(f"“{name}”" for name in unknown[:5])
            problems[field] = _("There is no merge value %(names)s; use one from the list.") % {"names": names}
    return problems


def compose(text: EmailText, about: About, sender: Sender, *, unsubscribe: str, now: datetime) -> Letter:
    """The mail; raises Missing when a value that it needs is not known, and TemplateError when it cannot be said."""
    subject, body = read_template(text.subject), read_template(text.body)
    catalogue = Catalogue()
    names = (*subject.names, *body.names)
    if unknown := unknown_in(names, catalogue):
        raise Missing(tuple(unknown))
    with override(text.language):
        values, missing = values_for(names, about, catalogue, now)
        title = one_line(subject.text(values))[:LONGEST_SUBJECT]
        plain, markdown = body.text(values), body.markdown(values)
        if missing:
            raise Missing(tuple(missing))
        if not title or not plain.strip():
            raise TemplateError(_("With these values nothing is left of the subject or of the body."))
        context = {
            "company": Workspace.current().name,
            "subject": title,
            "text": plain.strip(),
            "body": prose(markdown),
            "unsubscribe": unsubscribe,
        }
        written = render_to_string("email/playbooks/message.txt", context)
        html = inlined(render_to_string("email/playbooks/message.html", context))
    headers = {"From": from_header(sender.name), **unsubscribe_headers(unsubscribe)}
    if sender.answers_to:
        headers["Reply-To"] = sender.answers_to
    return Letter(text.language, title, written, html, context["body"], headers)
