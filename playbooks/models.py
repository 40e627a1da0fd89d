from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Account, Event

if TYPE_CHECKING:
    from accounts.models import User


class Playbook(models.Model):
    """One thing that the company does whenever an account is in a certain situation; its versions say what.

    ``problem`` is the sentence that says why nobody can enter it at present, such as a condition on a deleted field.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LIVE = "live", _("On")
        PAUSED = "paused", _("Paused")

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    live_version = models.ForeignKey(
        "playbooks.PlaybookVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    problem = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(live_version__isnull=False),
                name="playbooks_playbook_live_has_version",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlaybookVersion(models.Model):
    """One definition of a playbook, never altered once published; runs finish on the version that they started on."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["playbook", "number"], name="playbooks_version_number_once")]

    def __str__(self) -> str:
        return f"{self.playbook_id} v{self.number}"


class EntryMatch(models.Model):
    """One account for which a playbook's entry condition holds; a new row is the condition becoming true.

    ``entered_at`` is empty while a rule (a live run, the re-entry rule) holds the account back.
    """

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="entry_matches")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    entered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("entry matches")
        indexes = [
            models.Index(fields=["playbook"], condition=Q(entered_at=None), name="playbooks_entrymatch_held_back")
        ]
        constraints = [models.UniqueConstraint(fields=["playbook", "account"], name="playbooks_entrymatch_once")]

    def __str__(self) -> str:
        return f"{self.playbook_id} {self.account_id}"


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User) -> RunQuerySet:
        """The runs of the accounts that ``user`` may see."""
        return self.filter(account__in=Account.objects.visible_to(user))

    def due(self, now: datetime) -> RunQuerySet:
        """Waiting runs whose time has come and that no worker has leased."""
        return self.filter(
            Q(leased_until=None) | Q(leased_until__lte=now), state=Run.State.WAITING, held=False, due_at__lte=now
        )

    def live(self) -> RunQuerySet:
        """Runs that have not ended."""
        return self.filter(state__in=Run.LIVE)


class Run(models.Model):
    """One playbook version at work on one account. Waiting is ``due_at``; ``step`` is the id of the step to do then.

    A worker that takes a turn of the run leases it until ``leased_until``; ``attempts`` counts the turns begun since
    the last one that was finished. ``held`` is set while the playbook is paused.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RECOVERED = "recovered", _("Recovered")
        FINISHED = "finished", _("Finished")
        EXITED = "exited", _("Left")
        PARKED = "parked", _("Needs attention")

    LIVE = (State.WAITING, State.PARKED)

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(PlaybookVersion, on_delete=models.PROTECT, related_name="runs")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="runs")
    event = models.ForeignKey(Event, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    step = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    held = models.BooleanField(default=False)
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-entered_at", "-id"]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state="waiting", held=False), name="playbooks_run_due"),
            models.Index(fields=["account", "-entered_at"], name="playbooks_run_of_account"),
            models.Index(fields=["playbook", "state", "-entered_at"], name="playbooks_run_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["playbook", "account"],
                condition=Q(state__in=["waiting", "parked"]),
                name="playbooks_run_one_live",
            ),
            models.UniqueConstraint(fields=["playbook", "event"], name="playbooks_run_once_an_event"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "parked"], ended_at=None)
                | Q(~Q(state__in=["waiting", "parked"]), ended_at__isnull=False),
                name="playbooks_run_ended_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook_id} {self.account_id} {self.state}"


class RunStep(models.Model):
    """One step that a run has taken: what it found, what it decided, and when. Never altered.

    ``facts`` holds what was seen; ``playbooks.record`` writes and reads it.
    """

    class Decision(models.TextChoices):
        ENTERED = "entered", _("Entered")
        WAITING = "waiting", _("Waiting")
        STILL = "still", _("Still so")
        TURNED = "turned", _("Went another way")
        RECOVERED = "recovered", _("Recovered")
        ACTED = "acted", _("Acted")
        EXITED = "exited", _("Left")
        FINISHED = "finished", _("Finished")

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    decision = models.CharField(max_length=20, choices=Decision)
    facts = models.JSONField(default=dict)
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="playbooks_runstep_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.position} {self.step}"


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> TaskQuerySet:
        """The tasks on the accounts that ``user`` may see."""
        accounts = Account.objects.visible_to(user)
        # Who sees every account needs no join with them, which 100,000 open tasks would feel.
        return self.filter(account__in=accounts) if accounts.query.where else self

    def open(self) -> TaskQuerySet:
        """Tasks that still wait for somebody, snoozed ones included."""
        return self.filter(status=Task.Status.OPEN)

    def awake(self, now: datetime) -> TaskQuerySet:
        """Open tasks that are not snoozed at ``now``."""
        return self.open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))


class Task(models.Model):
    """One thing that one person of the staff should do for an account, and why.

    ``why`` holds what was seen, oldest first; ``playbooks.record`` writes it and turns it into sentences.
    ``priority`` is the number the queue is ordered by, and ``priority_reasons`` the parts that it is made of.
    """

    class Severity(models.IntegerChoices):
        LOW = 1, _("Low")
        NORMAL = 2, _("Normal")
        HIGH = 3, _("High")
        URGENT = 4, _("Urgent")

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("task", "Open")
        DONE = "done", pgettext_lazy("task", "Done")
        CANCELLED = "cancelled", _("Cancelled")

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", _("Recovered")
        SAVED = "saved", _("Saved")
        NO_ANSWER = "no_answer", _("No answer")
        LOST = "lost", _("Lost")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tasks")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks"
    )
    title = models.CharField(max_length=300)
    guidance = models.TextField(blank=True)
    why = models.JSONField(default=list)
    run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="tasks")
    dedupe_key = models.CharField(max_length=200, unique=True, null=True, blank=True)
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.NORMAL)
    due_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    note = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    priority = models.FloatField(default=0)
    priority_reasons = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["owner", "-priority", "id"],
                condition=Q(status="open"),
                include=["snoozed_until", "due_at"],
                name="playbooks_task_queue",
            ),
            models.Index(
                fields=["-priority", "id"],
                condition=Q(status="open"),
                include=["snoozed_until", "due_at"],
                name="playbooks_task_team_queue",
            ),
            models.Index(
                fields=["account"], condition=Q(status="open"), include=["due_at"], name="playbooks_task_open_of"
            ),
            models.Index(fields=["account", "-created_at"], name="playbooks_task_of_account"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="done", done_at__isnull=False) | Q(~Q(status="done"), done_at=None),
                name="playbooks_task_done_has_time",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Yardstick(models.Model):
    """What a customer pays a month on average, against which the value of each task's account is measured."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    average_mrr = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="playbooks_yardstick_is_one")]

    def __str__(self) -> str:
        return str(self.average_mrr)
