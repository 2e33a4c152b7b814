from django.db import migrations, models


class Migration(migrations.Migration):
    """A copy of a call for another release knows the call that was answered."""

    dependencies = [("telemetry", "0003_label_counts")]
    operations = [
        migrations.AddField("inference", "paired_with", models.UUIDField(null=True)),
        migrations.AddIndex(
            "inference",
            models.Index(
                fields=["paired_with"], name="inference_by_pair", condition=~models.Q(("paired_with", None))
            ),
        ),
    ]
