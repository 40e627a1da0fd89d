"""A text to colleagues with merge values, in which a dash stands for what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.attributes import Catalogue
from accounts.models import Account, Contact, Workspace
from playbooks.definition.fields import Problem
from playbooks.mail.liquid import TemplateError, Value, read_template
from playbooks.mail.values import About, unknown_in, values_for

OF_READERS = ("contact.", "sender.")
UNKNOWN = "–"


def check_text(text: str) -> None:
    """Raise Problem when the text cannot be read, or uses what is no merge value of a text to colleagues."""
    try:
        names = read_template(text).names
    except TemplateError as error:
        raise Problem("text", error.message) from None
    unknown = [*unknown_in(names, Catalogue()), *(name for name in names if name.startswith(OF_READERS))]
    if unknown:
        raise Problem(
            "text",
            _("There is no merge value %(names)s in a message to colleagues.")
            % {"names": ", ".join(f"“{name}”" for name in unknown[:5])},
        )


def text_about(account: Account, text: str, now: datetime, *, literally: Callable[[str], str] = str) -> str:
    """The text with the account's values, in the workspace's language; raises TemplateError.

    ``literally`` makes a value be read as it is, whatever is in it.
    """
    template = read_template(text)
    # Colleagues read it: what is said of a reader or a sender is not offered.
    about = About(account, Contact(account=account), "")
    with override(Workspace.current().language):
        values, _missing = values_for(template.names, about, Catalogue(), now)
        _make_literal(values.values(), literally)
        return template.text(values).strip()


def _make_literal(values: Iterable[Value], literally: Callable[[str], str]) -> None:
    for value in values:
        value.text = UNKNOWN if value.raw is None else literally(value.text)
        _make_literal(value.parts.values(), literally)
