"""The evaluations of rules that are kept: those with news, so that a rollout's course can be shown and explained later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from releases.models import Measurement, Rollout
from releases.rules import Evaluation

# LATERAL: one probe of `measurement_by_rule` for each rule, however many measurements a rollout has by now.
_LATEST = """
SELECT rule.rollout_id, rule.rule_id, found.body::text
FROM json_to_recordset(%s) AS rule (rollout_id uuid, rule_id text)
CROSS JOIN LATERAL (
  SELECT body FROM releases_measurement AS measurement
  WHERE measurement.rollout_id = rule.rollout_id AND measurement.rule_id = rule.rule_id
  ORDER BY measurement.id DESC LIMIT 1
) AS found
"""


def keep_measurements(found: Sequence[tuple[Rollout, Mapping[str, Evaluation]]], now: datetime) -> None:
    """Store each evaluation whose data or verdict is new since the last one; ages of windows alone are not news.

    For rollouts under the caller's locks, in two queries altogether.
    """
    latest = _latest([(rollout.pk, rule_id) for rollout, evaluations in found for rule_id in evaluations])
    news = []
    for rollout, evaluations in found:
        for rule_id, evaluation in evaluations.items():
            body = evaluation.to_dict()
            last = latest.get((rollout.pk, rule_id))
            if last is None or _news(last) != _news(body):
                news.append(
                    Measurement(
                        project_id=rollout.project_id,
                        rollout=rollout,
                        rule_id=rule_id,
                        at=now,
                        verdict=evaluation.verdict.value,
                        body=body,
                    )
                )
    Measurement.objects.bulk_create(news)


def _latest(rules: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], dict[str, Any]]:
    if not rules:
        return {}
    asked = [{"rollout_id": str(rollout_id), "rule_id": rule_id} for rollout_id, rule_id in rules]
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [json.dumps(asked)])
        return {(rollout_id, rule_id): json.loads(body) for rollout_id, rule_id, body in cursor.fetchall()}


def _news(body: Mapping[str, Any]) -> list[Any]:
    def plain(window: Mapping[str, Any] | None) -> Any:
        return window and [window["value"], window["n"]]

    conditions = [[c["verdict"], plain(c["candidate"]), plain(c["baseline"])] for c in body["conditions"]]
    return [body["verdict"], conditions]
