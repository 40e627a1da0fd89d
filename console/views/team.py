"""The team: who has how much to do, when they are away, and what happens to the work of somebody who leaves."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.calendar import Calendar
from accounts.models import Account, Leave, User, Workspace
from accounts.services.staff import delete_leave, save_leave, set_capacity
from common import clock
from common.errors import DomainError, NotAllowed
from console.forms.fields import put_errors
from console.forms.team import CapacityForm, HandOverForm, LeaveForm
from console.queries.team import MOST_LISTED, Member, done_lately, due_this_week, team
from console.staff import StaffRequest, staff_page
from playbooks.capacity import Week
from playbooks.models import Assignment
from playbooks.models.task import NOBODYS
from playbooks.queries.queue import count_tasks, tasks_of
from playbooks.services.assigning import undo_assignment
from playbooks.services.leaving import hand_over, plan_hand_over

NOT_VALID = 422


@staff_page
@require_GET
def team_page(request: StaffRequest) -> HttpResponse:
    """Everybody's load beside what they can do."""
    now = clock.now()
    members = team(request.user, now=now)
    sees_all = request.user.role != User.Role.CSM
    nobodys = count_tasks(tasks_of(request.user, None).open().filter(NOBODYS), now) if sees_all else None
    context = {
        "members": members,
        "week": Week.at(now, Calendar.current()),
        "nobodys": nobodys,
        "total_left": round(sum(max(member.load.left, 0) for member in members) / 60),
        "total_due": round(sum(member.load.due for member in members) / 60),
    }
    return render(request, "console/team.html", context)


def _member(request: StaffRequest, pk: int) -> Member:
    """The row of one person that the reader may see, or 404."""
    members = [member for member in team(request.user, now=clock.now(), besides=pk) if member.user.pk == pk]
    if not members:
        get_object_or_404(User.objects.none())
    return members[0]


@staff_page
@require_http_methods(["GET", "POST"])
def team_member(request: StaffRequest, pk: int) -> HttpResponse:
    """One person: what the week has to hold, what they got done, their hours and their leave."""
    member = _member(request, pk)
    shown = {"weekly_hours": member.user.weekly_hours, "is_senior": member.user.is_senior}
    form = CapacityForm(request.POST if request.method == "POST" else None, initial=shown)
    if request.method == "POST" and form.is_valid():
        set_capacity(user=member.user, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved: %(name)s") % {"name": member.user.name})
        return redirect("console:team_member", pk)
    return _show_member(request, member, form, LeaveForm(user=member.user))


def _show_member(request: StaffRequest, member: Member, form: CapacityForm, leave_form: LeaveForm) -> HttpResponse:
    now = clock.now()
    today = Workspace.current().day(now)
    visible = Account.objects.visible_to(request.user)
    due = due_this_week(member.user, now).filter(account__in=visible).select_related("account")
    done = done_lately(now).filter(done_by=member.user, account__in=visible).select_related("account")
    is_self = member.user == request.user
    context = {
        "member": member,
        "due": due[:MOST_LISTED],
        "due_count": due.count(),
        "done": done.order_by("-done_at")[:MOST_LISTED],
        "leaves": Leave.objects.filter(user=member.user, ends_on__gte=today).select_related("cover"),
        "form": form,
        "leave_form": leave_form,
        "may_plan": request.user.can_edit and (is_self or request.user.leads),
        "last_handed": _last_hand_over(member.user) if request.user.leads else None,
        "crumbs": [{"label": _("Team"), "url": reverse("console:team")}, {"label": member.user.name}],
    }
    status = NOT_VALID if form.errors or leave_form.errors else 200
    return render(request, "console/team/member.html", context, status=status)


def _last_hand_over(user: User) -> Assignment | None:
    return Assignment.objects.filter(leaver=user, undone_at=None).order_by("-made_at").first()


@staff_page
@require_POST
def team_leave(request: StaffRequest, pk: int) -> HttpResponse:
    """Plan a leave."""
    member = _member(request, pk)
    leave_form = LeaveForm(request.POST, user=member.user, instance=Leave(user=member.user))
    if leave_form.is_valid():
        leave = Leave(user=member.user, **leave_form.cleaned_data)
        try:
            save_leave(leave=leave, by=request.user)
        except NotAllowed:
            raise
        except DomainError as error:
            put_errors(leave_form, error)
        else:
            messages.success(request, _("Leave planned for %(name)s") % {"name": member.user.name})
            return redirect("console:team_member", pk)
    shown = {"weekly_hours": member.user.weekly_hours, "is_senior": member.user.is_senior}
    return _show_member(request, member, CapacityForm(initial=shown), leave_form)


@staff_page
@require_POST
def team_leave_delete(request: StaffRequest, pk: int, leave: int) -> HttpResponse:
    """Take a leave back."""
    planned = get_object_or_404(Leave.objects.select_related("user"), pk=leave, user=pk)
    delete_leave(leave=planned, by=request.user)
    messages.success(request, _("Leave taken back"))
    return redirect("console:team_member", pk)


@staff_page
@require_http_methods(["GET", "POST"])
def team_hand_over(request: StaffRequest, pk: int) -> HttpResponse:
    """Show who would get what of somebody's work, and hand it over."""
    if not request.user.leads:
        raise NotAllowed(_("Only leaders and admins hand over somebody's work; ask one."))
    leaver = get_object_or_404(User, pk=pk)
    is_sent = request.method == "POST"
    form = HandOverForm(request.POST if is_sent else None, leaver=leaver)
    plan, problem = None, ""
    if not is_sent or form.is_valid():
        try:
            if is_sent and "preview" not in request.POST:
                given = hand_over(leaver=leaver, by=request.user, now=clock.now(), **form.cleaned_data)
                words = _("The work of %(name)s is handed over") if given else _("%(name)s had nothing to hand over")
                messages.success(request, words % {"name": leaver.name})
                return redirect("console:team")
            to = form.cleaned_data["to"] if is_sent else None
            plan = plan_hand_over(leaver=leaver, now=clock.now(), to=to)
        except NotAllowed:
            raise
        except DomainError as error:
            problem = error.message
    context: dict[str, Any] = {
        "leaver": leaver,
        "form": form,
        "plan": plan,
        "problem": problem,
        "crumbs": [
            {"label": _("Team"), "url": reverse("console:team")},
            {"label": leaver.name, "url": reverse("console:team_member", args=[pk])},
            {"label": _("Hand over")},
        ],
    }
    status = NOT_VALID if form.errors or problem else 200
    return render(request, "console/team/hand_over.html", context, status=status)


@staff_page
@require_POST
def team_hand_over_undo(request: StaffRequest, pk: int, assignment: int) -> HttpResponse:
    """Give back what was handed over, and let the person in again."""
    if not request.user.leads:
        raise NotAllowed(_("Only leaders and admins take back a hand-over; ask one."))
    given = get_object_or_404(Assignment, pk=assignment, leaver=pk)
    undo_assignment(assignment=given, by=request.user, now=clock.now())
    messages.success(request, _("Given back to who had it before."))
    return redirect("console:team_member", pk)
