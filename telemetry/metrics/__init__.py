"""What production's numbers say, pure: `window` and `chart` of any metric and arm over a series (`telemetry.minutes` reads one)."""

from telemetry.metrics.catalogue import CATALOGUE, metric_by_name
from telemetry.metrics.charts import chart
from telemetry.metrics.series import MinuteSeries
from telemetry.metrics.windows import MetricWindow, window

__all__ = [
    "CATALOGUE",
    "MetricWindow",
    "MinuteSeries",
    "chart",
    "metric_by_name",
    "window",
]
