from django.db import migrations

MERGE = """
CREATE OR REPLACE FUNCTION telemetry_merge_counts(one jsonb, other jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(jsonb_object_agg(key, total), '{}'::jsonb) FROM (
    SELECT key, sum(value::bigint) AS total
    FROM (SELECT * FROM jsonb_each_text(one) UNION ALL SELECT * FROM jsonb_each_text(other)) AS both_sides
    GROUP BY key) AS merged
$$;
"""


class Migration(migrations.Migration):
    """Adds two latency histograms index by index."""

    dependencies = [("telemetry", "0001_initial")]
    operations = [migrations.RunSQL(MERGE, "DROP FUNCTION telemetry_merge_counts(jsonb, jsonb)")]
