"""Email templates: the list, and one in one of its languages beside what it says to a real customer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Workspace
from common import clock
from common.errors import DomainError, NotAllowed
from console.forms.email_templates import EmailTemplateForm
from console.forms.fields import put_errors
from console.queries.email_preview import account_to_show, shown_for, values_of
from console.queries.health_preview import found_accounts
from console.staff import StaffRequest, admin_page, staff_page
from playbooks.models import EmailTemplate, EmailText
from playbooks.services import delete_template, save_template, send_test
from playbooks.services.emails import users_of

NOT_VALID = 422
PARTS = {
    "email-letter": "console/email/_letter.html",
    "email-found": "console/email/_found.html",
    "email-side": "console/email/_side.html",
}
"""What HTMX asks for without the form."""


@staff_page
@require_GET
def email_templates(request: StaffRequest) -> HttpResponse:
    """The list."""
    context = {
        "templates": EmailTemplate.objects.prefetch_related("texts").select_related("changed_by"),
        "crumbs": _crumbs(),
    }
    return render(request, "console/email/list.html", context)


@admin_page
@require_http_methods(["GET", "POST"])
def email_template_new(request: StaffRequest) -> HttpResponse:
    """Write a new template."""
    return _respond(request, None)


@staff_page
@require_http_methods(["GET", "POST"])
def email_template(request: StaffRequest, key: str) -> HttpResponse:
    """One template in the language that ``language`` names. Everybody reads it; admins change it."""
    return _respond(request, get_object_or_404(EmailTemplate.objects.prefetch_related("texts"), key=key))


@admin_page
@require_POST
def email_template_delete(request: StaffRequest, key: str) -> HttpResponse:
    """Drop a template that no playbook writes."""
    template = get_object_or_404(EmailTemplate, key=key)
    delete_template(template=template, by=request.user)
    messages.success(request, _("“%(template)s” is deleted.") % {"template": template})
    return redirect("console:email_templates")


def _respond(request: StaffRequest, template: EmailTemplate | None) -> HttpResponse:
    texts = {text.language: text for text in template.texts.all()} if template else {}
    language = _language(request, texts)
    text = texts.get(language) or EmailText(language=language)
    data = request.POST if request.method == "POST" else None
    initial = {"name": template.name if template else "", "subject": text.subject, "body": text.body}
    form = EmailTemplateForm(data, initial=initial)
    button = request.POST.get("do", "")
    if button in ("save", "drop", "test") and not request.user.is_admin:
        raise NotAllowed(_("Only an admin can do this; ask one."))
    if data is not None and button not in ("save", "drop"):
        # Nothing is kept, and nobody is told of mistakes yet.
        form = EmailTemplateForm(initial={name: data.get(name, "") for name in form.fields})
        text = EmailText(language=language, subject=data.get("subject", ""), body=data.get("body", ""))
    elif data is not None:
        saved = _save(request, template, texts, language, form, is_dropped=button == "drop")
        if saved is not None:
            return saved
        text = EmailText(language=language, subject=data.get("subject", ""), body=data.get("body", ""))
    return _show(request, template, texts, text, form)


def _language(request: StaffRequest, texts: dict[str, EmailText]) -> str:
    asked = request.GET.get("language", "")
    known = dict(settings.LANGUAGES)
    own = Workspace.current().language
    return asked if asked in known else own if own in texts or not texts else next(iter(texts))


def _save(
    request: StaffRequest,
    template: EmailTemplate | None,
    texts: dict[str, EmailText],
    language: str,
    form: EmailTemplateForm,
    *,
    is_dropped: bool,
) -> HttpResponse | None:
    """Keep the template with the text of this language, or without it; None when something has to be corrected."""
    kept = {one.language: (one.subject, one.body) for one in texts.values() if one.language != language}
    if not is_dropped:
        if not form.is_valid():
            return None
        kept[language] = (form.cleaned_data["subject"], form.cleaned_data["body"])
    name = template.name if is_dropped and template else form.cleaned_data["name"]
    try:
        saved = save_template(template=template, name=name, texts=kept, by=request.user, now=clock.now())
    except DomainError as error:
        put_errors(form, error, names={f"{language}.{field}": field for field in ("subject", "body")})
        return None
    messages.success(request, _("“%(template)s” is saved.") % {"template": saved})
    url = reverse("console:email_template", args=[saved.key])
    return redirect(url if is_dropped else f"{url}?language={language}")


def _show(
    request: StaffRequest,
    template: EmailTemplate | None,
    texts: dict[str, EmailText],
    text: EmailText,
    form: EmailTemplateForm,
) -> HttpResponse:
    now = clock.now()
    button, wanted = request.POST.get("do", ""), request.POST.get("find", "").strip()
    account = account_to_show(
        request.user, _number(button.removeprefix("look-")) or _number(request.POST.get("account", ""))
    )
    shown = shown_for(account, text, now=now) if account is not None else None
    if button == "test" and shown is not None:
        send_test(text=text, about=shown.about, sender=shown.sender, to=request.user, now=now)
        messages.success(request, _("A trial is on its way to %(address)s.") % {"address": request.user.email})
    target = request.htmx.target if request.htmx else None
    url = reverse("console:email_template", args=[template.key]) if template else reverse("console:email_template_new")
    context: dict[str, Any] = {
        "url": f"{url}?language={text.language}",
        "shown": shown,
        "is_blank": not text.subject and not text.body,
        "find": wanted,
        "found": found_accounts(request.user, wanted, without=[account.pk] if account else []),
    }
    if target != "email-letter" and shown is not None:
        context["values"] = values_of(shown, text.language, now=now)
    if target in PARTS:
        return render(request, PARTS[target], context)
    names = dict(settings.LANGUAGES)
    context |= {
        "template": template,
        "text": text,
        "form": form,
        "language": names[text.language],
        "has_text": text.language in texts,
        "may_drop": text.language in texts and len(texts) > 1,
        "tabs": [
            {
                "url": f"{url}?language={key}",
                "label": name if key in texts else _("%(language)s (none yet)") % {"language": name},
                "is_current": key == text.language,
            }
            for key, name in settings.LANGUAGES
        ]
        if template
        else [],
        "users": users_of(template.key) if template else [],
        "crumbs": _crumbs(template.name if template else _("New template")),
    }
    return render(request, "console/email/template.html", context, status=NOT_VALID if form.errors else 200)


def _number(sent: str) -> int:
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else 0


def _crumbs(*more: str) -> list[dict[str, str]]:
    return [
        {"label": _("Playbooks"), "url": reverse("console:playbooks")},
        {"label": _("Email templates"), "url": reverse("console:email_templates")}
        if more
        else {"label": _("Email templates")},
        *({"label": label} for label in more),
    ]
