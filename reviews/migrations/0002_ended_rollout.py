import django.db.models.deletion
from django.db import migrations, models

import promptstore.core.clock
import promptstore.core.ids


class Migration(migrations.Migration):
    """Rollouts that are over are remembered, so that what they answered late is not asked about."""

    dependencies = [
        ("core", "0004_api_key_last_used_at"),
        ("reviews", "0001_review_queue"),
    ]
    operations = [
        migrations.CreateModel(
            name="EndedRollout",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=promptstore.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=promptstore.core.clock.now, editable=False)),
                ("rollout_id", models.UUIDField()),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.project"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "endedrollout",
            models.UniqueConstraint(fields=["project", "rollout_id"], name="rollout_ends_once_for_reviews"),
        ),
    ]
