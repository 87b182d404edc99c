"""What is seen: spans, metrics, logs, and the built-in trace store."""

from telemetry.setup import Telemetry, TelemetryConfig

__all__ = ["Telemetry", "TelemetryConfig"]
