"""Playbooks, their runs, and tasks over the REST API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from accounts.api import Endpoint
from accounts.conditions import matching
from accounts.models import Account
from common import clock
from common.api import ACCOUNT, CONDITION, AdminWrites, CanEdit, whole_number, yes_or_no
from common.errors import Conflict, DomainError
from playbooks.definition.parse import load
from playbooks.models import Assignment, Holdout, Playbook, Run, Task
from playbooks.queries.verdict import why
from playbooks.rules import ACCOUNT_RULES, Rule
from playbooks.serializers import (
    AssignmentSerializer,
    AssignSerializer,
    ByHandSerializer,
    CompleteSerializer,
    DiscardDraftSerializer,
    DraftSerializer,
    EnterSerializer,
    HoldoutSerializer,
    HoldoutWithResultsSerializer,
    MovedSerializer,
    PlaybookSerializer,
    PublishSerializer,
    ReassignSerializer,
    RehearsalSerializer,
    RehearseSerializer,
    RunSerializer,
    RunWithStorySerializer,
    SaveDraftSerializer,
    SnoozeSerializer,
    TaskSerializer,
    TaskWithWhySerializer,
    TodaySerializer,
    VerdictSerializer,
)
from playbooks.services.assigning import assign_accounts, undo_assignment
from playbooks.services.by_hand import MOST_BY_HAND, meant_by, start_by_hand
from playbooks.services.holdouts import start_holdout, stop_holdout
from playbooks.services.moving import move_runs
from playbooks.services.publishing import discard_draft, pause, publish, resume, save_draft
from playbooks.services.rehearsing import start_rehearsal
from playbooks.services.tasks import complete_task, create_task, reassign_task, reopen_task, snooze_task
from playbooks.today import Today


class PlaybookViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, mixins.UpdateModelMixin, Endpoint
):
    """What the company does whenever an account is in a certain situation."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Playbook.objects.select_related("live_version")
    serializer_class = PlaybookSerializer
    http_method_names = ["get", "post", "patch", "head", "options"]

    @extend_schema(request=PublishSerializer, responses=PlaybookSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a definition the live version; runs at work finish on theirs."""
        given = PublishSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        playbook = self.get_object()
        publish(playbook=playbook, author=self.caller, now=clock.now(), **given.validated_data)
        return Response(PlaybookSerializer(playbook).data)

    @extend_schema(request=None, responses=PlaybookSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let nobody enter, and let the runs at work stand still."""
        return Response(PlaybookSerializer(pause(playbook=self.get_object(), by=self.caller)).data)

    @extend_schema(request=None, responses=PlaybookSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Go on where the playbook was paused."""
        return Response(PlaybookSerializer(resume(playbook=self.get_object(), by=self.caller, now=clock.now())).data)

    @extend_schema(request=None, responses=MovedSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the runs of older versions go on by the live one; those whose step is not in it stay."""
        return Response({"moved": move_runs(playbook=self.get_object(), by=self.caller, now=clock.now())})

    @extend_schema(request=RehearseSerializer, responses=RehearsalSerializer)
    @action(detail=True, methods=["post"])
    def rehearse(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Try the draft, or the live version, on the last 90 days; it is worked off at once, and read there again."""
        given = _valid(RehearseSerializer(data=request.data))
        rehearsal = start_rehearsal(playbook=self.get_object(), by=self.caller, now=clock.now(), **given)
        return Response(RehearsalSerializer(rehearsal).data, status=202)

    @extend_schema(request=None, responses=RehearsalSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def rehearsals(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The latest rehearsals, with what they found."""
        return Response(RehearsalSerializer(self.get_object().rehearsals.all()[:10], many=True).data)

    @extend_schema(request=EnterSerializer, responses=ByHandSerializer)
    @action(detail=True, methods=["post"], permission_classes=[CanEdit])
    def enter(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Start the playbook for some accounts, whatever its entry asks for."""
        given = _valid(EnterSerializer(data=request.data))
        now = clock.now()
        playbook, accounts = self.get_object(), given.get("accounts")
        if accounts is None:
            meant = meant_by(playbook, Account.objects.visible_to(self.caller))
            found = matching(meant, given["condition"], now=now)
            accounts = list(found.order_by("pk").values_list("pk", flat=True)[: MOST_BY_HAND + 1])
        done = start_by_hand(playbook=playbook, account_ids=accounts, by=self.caller, now=now)
        return Response(
            {
                "entered": [{"account": run.account_id, "run": run.pk} for run in done.runs],
                "held_back": [
                    {"account": pk, "reason": held.value, "message": held.label} for pk, held in done.held_back.items()
                ],
            }
        )


class PlaybookWhyView(Endpoint):
    """Why a playbook fired for an account, what it waits for, or why it did not."""

    parameters = frozenset({"account"})
    queryset = Playbook.objects.select_related("live_version")

    @extend_schema(
        parameters=[OpenApiParameter("account", int, required=True, description="The account that one wonders about.")],
        responses=VerdictSerializer,
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The answer in sentences, with every hurdle of entering now and the value found at each of its leaves."""
        visible = Account.objects.visible_to(self.caller)
        account = get_object_or_404(visible, pk=whole_number(request, "account") or 0)
        return Response(VerdictSerializer(why(self.get_object(), account, clock.now())).data)


class PlaybookTodayView(Endpoint):
    """Who would enter a playbook now if its draft (or what is live, without one) were switched on."""

    parameters = frozenset({"is_held_back"})
    queryset = Playbook.objects.select_related("live_version")

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "is_held_back",
                bool,
                description="Those of which all conditions hold, but that a rule of entering holds back.",
            )
        ],
        responses=TodaySerializer(many=True),
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The accounts with what was found of each, or with the rules that hold it back.

        Empty when the entry is an event or by hand: nobody enters before it happens.
        """
        playbook = self.get_object()
        is_held_back = yes_or_no(request, "is_held_back")
        written = playbook.draft or (playbook.live_version and playbook.live_version.definition)
        if not written:
            words = _("“%(playbook)s” has neither a draft nor a version; write a draft first.")
            raise Conflict(words % {"playbook": playbook}, code="nothing_to_rehearse")
        today = Today(playbook, load(written), now=clock.now())
        asked = today.held_back if is_held_back else today.entering
        page = self.paginate_queryset(Account.objects.visible_to(self.caller).filter(pk__in=asked))
        ids = [account.pk for account in page or ()]
        found = today.why_held_back(ids, self.caller) if is_held_back else today.why_entering(ids, self.caller)
        return self.get_paginated_response(TodaySerializer(found, many=True).data)


class PlaybookDraftView(Endpoint):
    """The draft of a playbook: what is being worked on until it is published."""

    parameters = frozenset()
    permission_classes = [AdminWrites]
    queryset = Playbook.objects.select_related("draft_by")

    @extend_schema(responses=DraftSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What is being worked on; ``definition`` is null when nothing is."""
        return Response(DraftSerializer(self.get_object()).data)

    @extend_schema(request=SaveDraftSerializer, responses=DraftSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Keep a definition as the draft; 409 when somebody else has saved since ``number``."""
        given = _valid(SaveDraftSerializer(data=request.data))
        saved = save_draft(playbook=self.get_object(), by=self.caller, now=clock.now(), **given)
        return Response(DraftSerializer(saved).data)

    @extend_schema(request=DiscardDraftSerializer, responses=DraftSerializer)
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Drop the draft; 409 when somebody else has saved since ``number``."""
        given = _valid(DiscardDraftSerializer(data=request.data))
        return Response(DraftSerializer(discard_draft(playbook=self.get_object(), by=self.caller, **given)).data)


@extend_schema_view(
    list=extend_schema(
        parameters=[CONDITION, ACCOUNT, OpenApiParameter("state", str, description="Only runs in this state.")]
    ),
    retrieve=extend_schema(responses=RunWithStorySerializer),
)
class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """Playbooks at work on accounts; one run tells its story."""

    parameters = frozenset({"condition", "account", "state"})
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        found = self.narrowed(Run.objects.visible_to(self.caller))
        return _chosen(found, self.request, "state", Run.State.values)

    def get_serializer_class(self) -> type[BaseSerializer[Run]]:
        return RunWithStorySerializer if self.action == "retrieve" else RunSerializer


@extend_schema_view(
    list=extend_schema(
        parameters=[CONDITION, ACCOUNT, OpenApiParameter("status", str, description="Only tasks with this status.")]
    ),
    retrieve=extend_schema(responses=TaskWithWhySerializer),
)
class TaskViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, Endpoint):
    """What people should do for accounts, and why."""

    parameters = frozenset({"condition", "account", "status"})
    queryset = Task.objects.none()

    def get_queryset(self) -> QuerySet[Task]:
        found = self.narrowed(Task.objects.visible_to(self.caller).select_related("account", "owner"))
        return _chosen(found, self.request, "status", Task.Status.values)

    def get_serializer_class(self) -> type[BaseSerializer[Task]]:
        return TaskWithWhySerializer if self.action == "retrieve" else TaskSerializer

    def perform_create(self, serializer: BaseSerializer[Task]) -> None:
        self.own_account(serializer)
        given = {"owner": self.caller, **serializer.validated_data}
        serializer.instance = create_task(by=self.caller, now=clock.now(), **given)

    @extend_schema(request=CompleteSerializer, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Close the task with its outcome."""
        given = _valid(CompleteSerializer(data=request.data))
        task = complete_task(task=self.get_object(), by=self.caller, now=clock.now(), **given)
        return Response(TaskSerializer(task).data)

    @extend_schema(request=None, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take back that the task was closed."""
        return Response(TaskSerializer(reopen_task(task=self.get_object(), by=self.caller, now=clock.now())).data)

    @extend_schema(request=SnoozeSerializer, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Keep the task out of the queue until an instant."""
        given = _valid(SnoozeSerializer(data=request.data))
        task = snooze_task(task=self.get_object(), by=self.caller, now=clock.now(), **given)
        return Response(TaskSerializer(task).data)

    @extend_schema(request=ReassignSerializer, responses=TaskSerializer)
    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give the task to somebody else."""
        given = _valid(ReassignSerializer(data=request.data))
        task = reassign_task(task=self.get_object(), by=self.caller, now=clock.now(), **given)
        return Response(TaskSerializer(task).data)


@extend_schema_view(
    list=extend_schema(
        parameters=[OpenApiParameter("playbook", str, description="Only those of the playbook with this key.")]
    ),
    retrieve=extend_schema(responses=HoldoutWithResultsSerializer),
)
class HoldoutViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, Endpoint):
    """Accounts that are only watched, so that what a playbook changes is measured."""

    parameters = frozenset({"playbook"})
    permission_classes = [AdminWrites]
    queryset = Holdout.objects.all()

    def get_serializer_class(self) -> type[BaseSerializer[Holdout]]:
        return HoldoutWithResultsSerializer if self.action == "retrieve" else HoldoutSerializer

    def get_queryset(self) -> QuerySet[Holdout]:
        asked = self.request.query_params.get("playbook")
        found = Holdout.objects.all()
        return found if asked is None else found.filter(playbook__key=asked)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """From now on hold out some that enter by themselves, and compare on the day of the verdict."""
        given = _valid(HoldoutSerializer(data=request.data))
        return Response(HoldoutSerializer(start_holdout(by=self.caller, now=clock.now(), **given)).data, status=201)

    @extend_schema(request=None, responses=HoldoutSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End it without a verdict; whoever was held out is treated from now on."""
        return Response(
            HoldoutSerializer(stop_holdout(holdout=self.get_object(), by=self.caller, now=clock.now())).data
        )


class AssignmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.CreateModelMixin, Endpoint):
    """Accounts given to people by a rule: one's own assignments, everybody's for who leads."""

    parameters = frozenset()
    queryset = Assignment.objects.none()
    serializer_class = AssignmentSerializer

    def get_queryset(self) -> QuerySet[Assignment]:
        found = Assignment.objects.all()
        return found if self.caller.leads else found.filter(made_by=self.caller)

    @extend_schema(request=AssignSerializer, responses=AssignmentSerializer)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give accounts to whoever the rule chooses; those for which it finds nobody keep their owner."""
        given = _valid(AssignSerializer(data=request.data))
        wanted = set(given["accounts"])
        accounts = list(Account.objects.visible_to(self.caller).filter(pk__in=wanted).order_by("pk"))
        if missing := wanted - {account.pk for account in accounts}:
            message = _("There is no account %(id)s, or not for this key.") % {"id": min(missing)}
            raise DomainError(message, fields={"accounts": message})
        rule = Rule(given["to"], tuple(given["among"]), given["difficult"], given["otherwise"]).check(ACCOUNT_RULES)
        assignment, _choices = assign_accounts(
            rule=rule,
            accounts=accounts,
            by=self.caller,
            now=clock.now(),
            reason=given["reason"],
            move_open_work=given["move_open_work"],
        )
        if assignment is None:
            raise Conflict(_("Nothing changes hands: they have it already, or the rule finds nobody."))
        return Response(AssignmentSerializer(assignment).data, status=201)

    @extend_schema(request=None, responses=AssignmentSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give back what did not change hands again since."""
        assignment = undo_assignment(assignment=self.get_object(), by=self.caller, now=clock.now())
        return Response(AssignmentSerializer(assignment).data)


def _valid(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _chosen(found: QuerySet[Any], request: Request, name: str, known: list[str]) -> QuerySet[Any]:
    wanted = request.query_params.get(name)
    if wanted is None:
        return found
    if wanted not in known:
        message = _("Use one of: %(known)s.") % {"known": ", ".join(known)}
        raise DomainError(message, fields={name: message})
    return found.filter(**{name: wanted})
