"""What production's numbers say: `load_minutes` once, then `window` and `chart` for any metric and arm."""

from telemetry.metrics.catalogue import CATALOGUE, metric_by_name
from telemetry.metrics.charts import chart
from telemetry.metrics.series import NO_ROLLOUT, MinuteSeries, load_minutes
from telemetry.metrics.windows import MetricWindow, window

__all__ = [
    "CATALOGUE",
    "NO_ROLLOUT",
    "MetricWindow",
    "MinuteSeries",
    "chart",
    "load_minutes",
    "metric_by_name",
    "window",
]
