"""OpenTelemetry for clients of resp-sansio: an `Observer` that makes metrics and traces of what it is told.

Names, units and attributes are those of the semantic conventions for database clients; where these have none, those of redis-py;
and where that has none either, names of the same kind. `resp_otel` needs nothing but `opentelemetry-api`, the extra `otel`; what is
done with the metrics and traces is the SDK's, which the program chooses.
"""

from ._metrics import OpenTelemetryMetrics
from ._observer import OpenTelemetryObserver
from ._traces import OpenTelemetryTraces

__all__ = ["OpenTelemetryMetrics", "OpenTelemetryObserver", "OpenTelemetryTraces"]
