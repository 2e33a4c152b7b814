"""The statements that move a batch of inference events from a serving node into the database. No Django.

One transaction per batch: `CREATE_TEMP`, `COPY` of `(id, event)` rows, `STRAYS`, then `INGEST`. An event that was stored before is
skipped, also in the rollups, so a batch may be sent again after a crash. `INGEST` answers one row: `(received, stored, rollup
rows touched)`. It also skips what belongs to no environment that is there; `STRAYS` says what that will be, as rows of
`(project, environment, events)`.

The histogram index is that of `stats.histogram` (γ = 1.02/0.98): `ceil(ln(latency_ms) / ln(γ))`, and its zero index up to 1e-9.
"""

from __future__ import annotations

CREATE_TEMP = "CREATE TEMP TABLE incoming_event (id uuid, event jsonb) ON COMMIT DROP"

COPY = "COPY incoming_event (id, event) FROM STDIN"

STRAYS = """
SELECT coalesce(event->>'project', ''), coalesce(event->>'environment', ''), count(*)
FROM incoming_event
WHERE NOT EXISTS (
  SELECT FROM core_project project
  JOIN core_environment environment ON environment.project_id = project.id
  WHERE project.slug = event->>'project' AND environment.slug = event->>'environment')
GROUP BY 1, 2
ORDER BY 1, 2
"""

INGEST = """
WITH stored AS (
  INSERT INTO telemetry_inference (
    id, project_id, environment_id, feature, at, received_at, release_digest, release_version, rollout_id, arm, reason, role,
    prompt, prompt_version, model, model_version, endpoint, endpoint_revision, unit_hash, session, trace_id, span_id, status,
    error_code, latency_ms, input_tokens, output_tokens, cost_usd_nanos, policy_hit, policy_reasons, output_valid,
    variables_redacted, output_redacted, stream, generation, node, paired_with)
  SELECT DISTINCT ON (incoming.id)
    incoming.id, project.id, environment.id, e->>'feature', (e->>'at')::timestamptz, clock_timestamp(),
    coalesce(e->>'release_digest', ''), coalesce(e->>'release_version', ''), (e->>'rollout_id')::uuid, e->>'arm',
    coalesce(e->>'reason', ''), coalesce(e->>'role', ''), coalesce(e->>'prompt', ''), coalesce(e->>'prompt_version', ''),
    coalesce(e->>'model', ''), coalesce(e->>'model_version', ''), coalesce(e->>'endpoint', ''),
    (e->>'endpoint_revision')::int, coalesce(e->>'unit_hash', ''), coalesce(e->>'session', ''), coalesce(e->>'trace_id', ''),
    coalesce(e->>'span_id', ''), e->>'status', coalesce(e->>'error_code', ''), (e->>'latency_ms')::float8,
    coalesce((e->>'input_tokens')::int, 0), coalesce((e->>'output_tokens')::int, 0), coalesce((e->>'cost_usd_nanos')::bigint, 0),
    coalesce((e->>'policy_hit')::bool, false),
    coalesce((SELECT array_agg(left(r, 80)) FROM jsonb_array_elements_text(e->'policy_reasons') r), '{}'),
    (e->>'output_valid')::bool, nullif(e->'variables_redacted', 'null'::jsonb), e->>'output_redacted',
    coalesce((e->>'stream')::bool, false), coalesce((e->>'generation')::bigint, 0), coalesce(e->>'node', ''),
    (e->>'paired_with')::uuid
  FROM (SELECT id, event AS e FROM incoming_event) incoming
  JOIN core_project project ON project.slug = e->>'project'
  JOIN core_environment environment ON environment.project_id = project.id AND environment.slug = e->>'environment'
  ON CONFLICT (id) DO NOTHING
  RETURNING *
), keyed AS (
  SELECT project_id, environment_id, feature, coalesce(rollout_id, '00000000-0000-0000-0000-000000000000'::uuid) AS rollout_id,
    release_digest, arm, date_trunc('minute', at) AS minute, status, policy_hit, output_valid, input_tokens, output_tokens,
    cost_usd_nanos, latency_ms,
    CASE WHEN latency_ms > 1e-9 THEN ceil(ln(latency_ms) / ln(1.02::float8 / 0.98::float8))::int ELSE -2147483648 END AS index
  FROM stored
), counted AS (
  SELECT project_id, environment_id, feature, rollout_id, release_digest, arm, minute, count(*) AS count,
    count(*) FILTER (WHERE status = 'error') AS errors, count(*) FILTER (WHERE policy_hit) AS policy_hits,
    count(output_valid) AS validated, count(*) FILTER (WHERE output_valid) AS valid, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(cost_usd_nanos) AS cost_usd_nanos, sum(latency_ms) AS latency_sum_ms
  FROM keyed GROUP BY 1, 2, 3, 4, 5, 6, 7
), histogram AS (
  SELECT environment_id, feature, rollout_id, release_digest, arm, minute, jsonb_object_agg(index, n) AS counts
  FROM (SELECT environment_id, feature, rollout_id, release_digest, arm, minute, index, count(*) AS n
        FROM keyed GROUP BY 1, 2, 3, 4, 5, 6, 7) by_index
  GROUP BY 1, 2, 3, 4, 5, 6
), rolled AS (
  INSERT INTO telemetry_rollup AS kept (
    project_id, environment_id, feature, rollout_id, release_digest, arm, minute, count, errors, policy_hits, validated, valid,
    input_tokens, output_tokens, cost_usd_nanos, latency_sum_ms, latency_histogram)
  SELECT counted.*, histogram.counts
  FROM counted JOIN histogram USING (environment_id, feature, rollout_id, release_digest, arm, minute)
  ORDER BY environment_id, feature, rollout_id, release_digest, arm, minute
  ON CONFLICT (environment_id, feature, rollout_id, release_digest, arm, minute) DO UPDATE SET
    count = kept.count + excluded.count, errors = kept.errors + excluded.errors,
    policy_hits = kept.policy_hits + excluded.policy_hits, validated = kept.validated + excluded.validated,
    valid = kept.valid + excluded.valid, input_tokens = kept.input_tokens + excluded.input_tokens,
    output_tokens = kept.output_tokens + excluded.output_tokens,
    cost_usd_nanos = kept.cost_usd_nanos + excluded.cost_usd_nanos,
    latency_sum_ms = kept.latency_sum_ms + excluded.latency_sum_ms,
    latency_histogram = telemetry_merge_counts(kept.latency_histogram, excluded.latency_histogram)
  RETURNING 1
)
SELECT (SELECT count(*) FROM incoming_event), (SELECT count(*) FROM stored), (SELECT count(*) FROM rolled)
"""
