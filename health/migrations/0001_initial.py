import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from common.partitions import partition_by_range


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Measure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=64)),
                ("label", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True)),
                (
                    "group",
                    models.CharField(
                        choices=[
                            ("usage", "Usage"),
                            ("relationship", "Relationship"),
                            ("outcome", "Outcome"),
                            ("support", "Support"),
                            ("money", "Money"),
                        ],
                        max_length=20,
                    ),
                ),
                ("attribute", models.CharField(max_length=150)),
                ("curve", models.JSONField()),
                (
                    "direction",
                    models.CharField(
                        choices=[
                            ("higher", "Higher is better"),
                            ("lower", "Lower is better"),
                            ("middle", "Best in the middle"),
                        ],
                        default="higher",
                        max_length=10,
                    ),
                ),
                (
                    "missing",
                    models.CharField(
                        choices=[("leave_out", "Leave it out"), ("neutral", "Score it 50"), ("worst", "Score it 0")],
                        default="leave_out",
                        max_length=10,
                    ),
                ),
                ("stale_after_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("applies_when", models.JSONField(blank=True, null=True)),
            ],
            options={
                "ordering": ["label"],
            },
        ),
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "get_latest_by": "started_at",
            },
        ),
        migrations.CreateModel(
            name="NamedScore",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("key", models.SlugField(max_length=40, unique=True)),
                ("label", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("drop_points", models.PositiveSmallIntegerField(default=10)),
            ],
            options={
                "ordering": ["position", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[-a-zA-Z0-9_]+$")), name="health_namedscore_key_is_a_slug"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("drop_points__range", (1, 100))), name="health_namedscore_drop_1_to_100"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Override",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("score", models.FloatField()),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="health_overrides",
                        to="accounts.account",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "named",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="overrides", to="health.namedscore"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("good_from", models.PositiveSmallIntegerField(default=70)),
                ("watch_from", models.PositiveSmallIntegerField(default=40)),
                (
                    "named",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="profiles", to="health.namedscore"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="profiles", to="accounts.segment"
                    ),
                ),
            ],
            options={
                "ordering": ["named__position", "segment__priority"],
            },
        ),
        migrations.CreateModel(
            name="HealthScore",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "named_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="health_scores",
                        to="accounts.account",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="health.profile",
                    ),
                ),
                ("score", models.FloatField(null=True)),
                (
                    "override",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="health.override",
                    ),
                ),
                ("computed_score", models.FloatField(null=True)),
                ("since", models.DateTimeField()),
                ("computed_at", models.DateTimeField()),
                ("dropped_at", models.DateTimeField(blank=True, null=True)),
                (
                    "named",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="health.namedscore",
                    ),
                ),
                ("stale", models.PositiveSmallIntegerField(default=0)),
                (
                    "band",
                    models.CharField(
                        blank=True, choices=[("good", "Good"), ("watch", "Watch"), ("poor", "Poor")], max_length=5
                    ),
                ),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), size=None),
                ),
                (
                    "points",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), size=None),
                ),
                (
                    "heard",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(null=True), size=None),
                ),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE health_healthscore SET (fillfactor = 50)",
            reverse_sql="ALTER TABLE health_healthscore RESET (fillfactor)",
        ),
        migrations.CreateModel(
            name="HealthDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "named_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="health_days",
                        to="accounts.account",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="health.profile",
                    ),
                ),
                ("score", models.FloatField(null=True)),
                (
                    "override",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="health.override",
                    ),
                ),
                ("computed_score", models.FloatField(null=True)),
                ("formula_shift", models.FloatField(null=True)),
                ("day", models.DateField()),
                (
                    "named",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="health.namedscore",
                    ),
                ),
                (
                    "band",
                    models.CharField(
                        blank=True, choices=[("good", "Good"), ("watch", "Watch"), ("poor", "Poor")], max_length=5
                    ),
                ),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), size=None),
                ),
                (
                    "points",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), size=None),
                ),
                (
                    "heard",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(null=True), size=None),
                ),
            ],
        ),
        partition_by_range("health_healthday", "day"),
        migrations.CreateModel(
            name="ProfileMeasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("weight", models.DecimalField(decimal_places=3, default=1, max_digits=7)),
                (
                    "measure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="profile_measures",
                        to="health.measure",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile_measures",
                        to="health.profile",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="profile",
            name="measures",
            field=models.ManyToManyField(related_name="profiles", through="health.ProfileMeasure", to="health.measure"),
        ),
        migrations.CreateModel(
            name="SweepChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("scored", models.PositiveIntegerField(default=0)),
                (
                    "sweep",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="health.sweep"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("effective_at", models.DateTimeField(blank=True, null=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "based_on",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="health.version",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            model_name="sweep",
            name="version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="health.version",
            ),
        ),
        migrations.AddField(
            model_name="profile",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="profiles", to="health.version"
            ),
        ),
        migrations.AddField(
            model_name="measure",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="measures", to="health.version"
            ),
        ),
        migrations.AddIndex(
            model_name="override",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["expires_at"], name="health_override_to_expire"
            ),
        ),
        migrations.AddConstraint(
            model_name="override",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("account", "named"),
                name="health_override_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__range", (0, 100))), name="health_override_0_to_100"
            ),
        ),
        migrations.AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="health_override_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))), name="health_override_expires_later"
            ),
        ),
        migrations.AddIndex(
            model_name="healthday",
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=["day"], name="health_day_brin"),
        ),
        migrations.AddIndex(
            model_name="healthday",
            index=models.Index(
                condition=models.Q(("formula_shift__isnull", False)),
                fields=["account", "named", "day"],
                include=("formula_shift",),
                name="health_day_formula_shift",
            ),
        ),
        migrations.AddConstraint(
            model_name="profilemeasure",
            constraint=models.UniqueConstraint(fields=("profile", "measure"), name="health_profilemeasure_once"),
        ),
        migrations.AddConstraint(
            model_name="profilemeasure",
            constraint=models.CheckConstraint(
                condition=models.Q(("weight__gt", 0)), name="health_profilemeasure_weight_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="sweepchunk",
            index=models.Index(condition=models.Q(("done_at", None)), fields=["id"], name="health_sweepchunk_waiting"),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.UniqueConstraint(
                condition=models.Q(("published_at", None)),
                fields=("published_at",),
                name="health_version_one_draft",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="version",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("effective_at", None), ("published_at", None)),
                    models.Q(("effective_at__gte", models.F("published_at")), ("published_at__isnull", False)),
                    _connector="OR",
                ),
                name="health_version_effective_when_published",
            ),
        ),
        migrations.AddConstraint(
            model_name="sweep",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at", None)),
                fields=("finished_at",),
                name="health_sweep_one_at_a_time",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="profile",
            constraint=models.UniqueConstraint(
                fields=("version", "named", "segment"), name="health_profile_one_a_segment_and_score"
            ),
        ),
        migrations.AddConstraint(
            model_name="profile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("good_from__gt", models.F("watch_from")), ("good_from__lte", 100), ("watch_from__gt", 0)
                ),
                name="health_profile_bands_ascend",
            ),
        ),
        migrations.AddConstraint(
            model_name="measure",
            constraint=models.UniqueConstraint(fields=("version", "key"), name="health_measure_once_a_version"),
        ),
        migrations.AddConstraint(
            model_name="measure",
            constraint=models.CheckConstraint(
                condition=models.Q(("key__regex", "^[-a-zA-Z0-9_]+$")), name="health_measure_key_is_a_slug"
            ),
        ),
    ]
