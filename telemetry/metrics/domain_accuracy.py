"""Domain accuracy. Until a feature brings a judge of its own, correct means: the output matches its schema."""

from __future__ import annotations

from dataclasses import replace

from telemetry.metrics import output_valid_rate

METRIC = replace(output_valid_rate.METRIC, name="domain_accuracy", title="Domain accuracy")
