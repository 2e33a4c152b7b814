from django.db import migrations, models

COUNTS = ("judged", "hallucinated", "unsupported", "toned", "tone_off")


class Migration(migrations.Migration):
    """Rollups count what people found in an arm's answers."""

    dependencies = [("telemetry", "0002_merge_counts")]
    operations = [
        migrations.AddField("rollup", name, models.BigIntegerField(default=0, db_default=0))
        for name in COUNTS
    ]
