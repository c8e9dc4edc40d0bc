"""What a rule may measure: the canonical metrics of heaters and of models.

``docs/alerts.md`` carries this table, made by ``table``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

READING, NOW = "reading", "now"
"""Grains: one value for each reading, or one value at the time of each look."""

APPLIES: tuple[str, ...] = ("always", "on", "drawing", "heating")
"""When a value of a heater counts; ``on``: not in mode off."""


@dataclass(frozen=True)
class AlertMetric:
    """One thing that is measured.

    unit: as stored; ``""`` for what has none. kind: its kind in ``services.units``
    where a reader may choose the unit, else ``""``. grain: ``READING`` or ``NOW``.
    grows_s: how many seconds one unit of it takes to grow, for ages; 0 for the rest.
    """

    key: str
    source: str
    label: str
    unit: str
    kind: str
    grain: str
    meaning: str
    grows_s: float = 0.0


def _reading(
    key: str, label: str, unit: str, kind: str, meaning: str = ""
) -> AlertMetric:
    said = meaning or "Each good reading; flagged values are left out"
    return AlertMetric(key, "device", label, unit, kind, READING, said)


def _device(
    key: str, label: str, unit: str, meaning: str, grows_s: float = 0.0
) -> AlertMetric:
    return AlertMetric(key, "device", label, unit, "", NOW, meaning, grows_s)


def _model(
    key: str, label: str, unit: str, meaning: str, grows_s: float = 0.0
) -> AlertMetric:
    return AlertMetric(key, "model", label, unit, "", NOW, meaning, grows_s)


_TEMPERATURE = ("°C", "temperature")
_OF_WINDOW = "newest judged window with rows of the newest version with data"

_ALL: tuple[AlertMetric, ...] = (
    _reading("temperature_c", "Tank temperature", *_TEMPERATURE),
    _reading("target_temperature_c", "Target temperature", *_TEMPERATURE),
    _reading("inlet_temperature_c", "Inlet temperature", *_TEMPERATURE),
    _reading("outlet_temperature_c", "Outlet temperature", *_TEMPERATURE),
    _reading("ambient_temperature_c", "Room temperature", *_TEMPERATURE),
    _reading("pressure_bar", "Pressure", "bar", "pressure"),
    _reading("flow_lpm", "Flow", "L/min", "flow"),
    _reading("power_w", "Power", "W", "power"),
    _reading("energy_kwh", "Energy meter", "kWh", "energy"),
    _reading("voltage_v", "Voltage", "V", "voltage"),
    _device("offline_min", "Time without a reading", "min",
            "Minutes since the newest reading, once 10 reporting intervals were "
            "missed; 0 before", 60.0),
    _device("offline_intervals", "Reporting intervals missed", "",
            "Age of the newest reading over the device's reporting interval"),
    _device("stale_min", "Age of the tank temperature", "min",
            "Minutes since the newest good tank temperature, while readings come",
            60.0),
    _device("error_code", "Error code present", "",
            "1 while the newest reading carries an error code, else 0"),
    _device("safe_hour_days", "Days since a Legionella-safe hour", "d",
            "Days since the newest whole hour at 60 °C or more; tanks only; at most "
            "the 15 days that are looked at", 86_400.0),
    _device("warm_hour_h", "Hours since an hour at 50 °C", "h",
            "Hours since the newest whole hour at 50 °C or more: below it Legionella "
            "grows; tanks only; at most the 15 days that are looked at", 3_600.0),
    _device("no_still_hour_h", "Hours since an hour without flow", "h",
            "Hours since the end of the newest whole hour in which no flow was "
            "measured: a leak lets none pass; at most the 15 days looked at", 3_600.0),
    _device("flagged_share", "Share of flagged readings", "%",
            "Readings of the last 24 h with a flagged value"),
    _device("energy_excess_pct", "Energy above expected", "%",
            "kWh of the newest 24 whole hours above what the up to 28 days before lead "
            "to expect of its litres; 0 within the 99 % prediction interval"),
    _model("accuracy", "Accuracy", "", f"Realised, {_OF_WINDOW}"),
    _model("mae", "Mean absolute error", "", f"Realised, {_OF_WINDOW}"),
    _model("estimated_accuracy", "Estimated accuracy", "",
           f"Without labels, {_OF_WINDOW}"),
    _model("estimated_mae", "Estimated mean absolute error", "",
           f"Without labels, {_OF_WINDOW}"),
    _model("loss_rise", "Rise of the loss", "%",
           "Realised loss (1 - accuracy, or MAE) above the reference's, in percent "
           f"of it, {_OF_WINDOW}"),
    _model("floor_gap", "Beyond the owner's threshold", "",
           "How far the realised accuracy or MAE is on the wrong side of the "
           "threshold its owner stated; negative on the right side"),
    _model("drift_psi", "PSI of the worst harmful feature", "",
           "Largest PSI among the features the verdict names as harmful; 0 where it "
           "names none"),
    _model("missing_share", "Missing values of the worst feature", "%",
           f"Largest share of missing values of a live feature, {_OF_WINDOW}"),
    _model("input_shift", "Input shift", "",
           "1 while the verdict says input shift that needs a look, else 0"),
    _model("concept_drift", "Concept drift", "",
           "1 while the verdict says concept drift, else 0"),
    _model("data_quality", "Data-quality break", "",
           "1 while the verdict says data-quality break, else 0"),
    _model("label_lag_days", "Label lag", "d",
           "Median days from prediction to label"),
    _model("label_coverage", "Label coverage", "%",
           "Share of rows with a label, newest window that ended before the usual "
           "label lag"),
    _model("silent_h", "Hours without predictions", "h",
           "Hours since the newest prediction", 3_600.0),
)  # fmt: skip

ALERT_METRICS: Mapping[str, AlertMetric] = MappingProxyType(
    {metric.key: metric for metric in _ALL}
)
"""Every metric by its key."""


def metrics_of(source: str) -> tuple[AlertMetric, ...]:
    """The metrics of ``device`` or ``model`` rules, as they are offered."""
    return tuple(metric for metric in _ALL if metric.source == source)


def table() -> str:
    """The metrics as a table for the documentation."""
    lines = ["| metric | of | unit | value |", "|---|---|---|---|"]
    for one in _ALL:
        lines.append(
            f"| `{one.key}` | {one.source} | {one.unit or '–'} | {one.meaning} |"
        )
    return "\n".join(lines) + "\n"
