from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Plan


class Feature(models.Model):
    """One thing that customers do in the product and whose use is counted."""

    key = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    is_essential = models.BooleanField(default=False)
    defines_value = models.BooleanField(default=False)
    plans = models.ManyToManyField(Plan, through="usage.PlanFeature", related_name="features")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PlanFeature(models.Model):
    """One feature that one plan includes. A plan without any such row includes every feature."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="plan_features")
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="plan_features")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "feature"], name="usage_planfeature_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.feature_id}"


class WriteKey(models.Model):
    """One key that a product sends its tracking calls with. Only its hash is kept; it can write and nothing else."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}…"


class SeenMessage(models.Model):
    """One message id that was accepted, so that a repeated delivery is counted once."""

    message_id = models.CharField(max_length=200, primary_key=True)
    received_at = models.DateTimeField()

    class Meta:
        indexes = [BrinIndex(fields=["received_at"], name="usage_seenmessage_by_age", autosummarize=True)]

    def __str__(self) -> str:
        return self.message_id


class TrackedEvent(models.Model):
    """One accepted tracking call as it was sent. Partitioned by the month it was received in.

    ``user_id`` and ``group_id`` are as sent, save that a merged user goes by the id it was merged into.
    ``anonymous_id`` is kept only when the call named no user. ``account`` is empty while nobody knows whose it is;
    it is counted when the link arrives.
    """

    pk = models.CompositePrimaryKey("received_at", "message_id")
    message_id = models.CharField(max_length=200)
    received_at = models.DateTimeField()
    occurred_at = models.DateTimeField()
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=200, blank=True)
    user_id = models.CharField(max_length=200, blank=True)
    anonymous_id = models.CharField(max_length=200, blank=True)
    group_id = models.CharField(max_length=200, blank=True)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="tracked_events"
    )
    feature = models.ForeignKey(
        Feature, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    properties = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-occurred_at"], name="usage_event_of_account"),
            models.Index(
                fields=["user_id", "occurred_at"],
                condition=models.Q(group_id="") & ~models.Q(user_id=""),
                name="usage_event_of_lone_user",
            ),
            models.Index(
                fields=["anonymous_id"], condition=~models.Q(anonymous_id=""), name="usage_event_of_anonymous"
            ),
            models.Index(fields=["group_id"], condition=models.Q(account=None), name="usage_event_unassigned_grp"),
            models.Index(fields=["user_id"], condition=models.Q(account=None), name="usage_event_unassigned_user"),
        ]

    def __str__(self) -> str:
        return self.message_id


class RejectedEvent(models.Model):
    """One tracking call that was refused, as it was sent, with the reason; it can be replayed."""

    received_at = models.DateTimeField()
    write_key = models.ForeignKey(WriteKey, on_delete=models.SET_NULL, null=True, related_name="rejected")
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=300)
    body = models.TextField()
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-received_at"], name="usage_rejected_latest")]

    def __str__(self) -> str:
        return f"{self.code} {self.received_at}"


class TrackedUser(models.Model):
    """One user of the product as ``identify`` calls describe them."""

    user_id = models.CharField(max_length=200, primary_key=True)
    traits = models.JSONField(default=dict)
    identified_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.user_id


class GroupJoin(models.Model):
    """One time that a user joined a group, which is an account's external id; known or not yet."""

    pk = models.CompositePrimaryKey("user_id", "joined_at", "group_id")
    user_id = models.CharField(max_length=200)
    joined_at = models.DateTimeField()
    group_id = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["recorded_at"], name="usage_groupjoin_latest")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.group_id}"


class UserAlias(models.Model):
    """One id that an ``alias`` call merged into another; ``user_id`` is never itself merged."""

    previous_id = models.CharField(max_length=200, primary_key=True)
    user_id = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["user_id"], name="usage_useralias_target"),
            models.Index(fields=["recorded_at"], name="usage_useralias_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.previous_id} {self.user_id}"


class DailyUsage(models.Model):
    """How often one account used one feature on one day of the workspace. Partitioned by month.

    It is read by account, which the primary key begins with, and by day; no other index slows its writers down.
    """

    pk = models.CompositePrimaryKey("account_id", "feature_id", "day")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="daily_usage"
    )
    feature = models.ForeignKey(
        Feature, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="daily_usage"
    )
    day = models.DateField()
    count = models.IntegerField()

    class Meta:
        indexes = [BrinIndex(fields=["day"], name="usage_dailyusage_by_day", autosummarize=True)]
        verbose_name_plural = _("daily usage")

    def __str__(self) -> str:
        return f"{self.account_id} {self.feature_id} {self.day}"


class ImportedUsage(models.Model):
    """One row of usage that a file told, as it was last read, so that reading it again adds only the difference."""

    pk = models.CompositePrimaryKey("source", "external_id")
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="imported_usage")
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, related_name="imported_usage")
    day = models.DateField()
    count = models.IntegerField()

    class Meta:
        verbose_name_plural = _("imported usage")

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}"


class RollingUsage(models.Model):
    """How often one account used one feature in the windows that end on ``UsageCalendar.as_of`` (included).

    The whole ones end on the day before it, for comparing: today has only begun.
    """

    pk = models.CompositePrimaryKey("account_id", "feature_id")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="rolling_usage"
    )
    feature = models.ForeignKey(Feature, on_delete=models.CASCADE, db_constraint=False, related_name="rolling_usage")
    last_7 = models.IntegerField(default=0)
    last_28 = models.IntegerField(default=0)
    prior_28 = models.IntegerField(default=0)
    whole_28 = models.IntegerField(default=0)
    whole_prior_28 = models.IntegerField(default=0)
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        verbose_name_plural = _("rolling usage")

    def __str__(self) -> str:
        return f"{self.account_id} {self.feature_id}"


class UsageCalendar(models.Model):
    """The one day that the rolling windows end on. Writers of usage share its lock, the day's turn takes it alone."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    as_of = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="usage_calendar_is_one")]

    def __str__(self) -> str:
        return str(self.as_of)


class AccountActivity(models.Model):
    """When the product was first and last heard to be used by an account."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="activity"
    )
    first_event_at = models.DateTimeField()
    last_event_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("account activity")

    def __str__(self) -> str:
        return str(self.account_id)


class UserActivity(models.Model):
    """The first and the last day on which one user of an account used the product."""

    pk = models.CompositePrimaryKey("account_id", "user_id")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="user_activity"
    )
    user_id = models.CharField(max_length=200)
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        verbose_name_plural = _("user activity")

    def __str__(self) -> str:
        return self.user_id
