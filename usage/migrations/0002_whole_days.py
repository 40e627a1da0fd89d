from django.db import migrations, models

COUNT = """
UPDATE usage_rollingusage r SET whole_28 = counted.last, whole_prior_28 = counted.prior
FROM (
    SELECT account_id, feature_id,
        coalesce(sum(count) FILTER (WHERE day > as_of - 29), 0) AS last,
        coalesce(sum(count) FILTER (WHERE day <= as_of - 29), 0) AS prior
    FROM usage_dailyusage CROSS JOIN usage_usagecalendar
    WHERE day > as_of - 57 AND day <= as_of - 1
    GROUP BY account_id, feature_id
) counted
WHERE r.account_id = counted.account_id AND r.feature_id = counted.feature_id
"""


class Migration(migrations.Migration):
    """Windows of whole days for comparing; the second week back was read by nobody."""

    dependencies = [("usage", "0001_initial")]

    operations = [
        migrations.RemoveField(model_name="rollingusage", name="prior_7"),
        migrations.AddField(model_name="rollingusage", name="whole_28", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="rollingusage", name="whole_prior_28", field=models.IntegerField(default=0)),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
