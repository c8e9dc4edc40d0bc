"""What alert rules measure of the windows of a model, besides their verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from data.model_records import ModelSpec
from services.monitoring.evidence import Evidence
from services.monitoring.verdicts import Judged

Measures = Mapping[datetime, Mapping[str, float]]
"""By the start of the window; what cannot be told is absent."""


def measured(judged: Judged) -> dict[datetime, dict[str, float]]:
    """The measures of every window with rows."""
    found = {}
    for place, verdict in enumerate(judged.verdicts):
        evidence = judged.gathered.evidence[place]
        if not verdict.rows:
            continue
        one = _outcomes(judged.inputs.spec, evidence)
        one |= _features(judged, place, verdict.harmful)
        found[verdict.start] = {
            k: round(float(v), 6) for k, v in one.items() if v is not None
        }
    return found


def _outcomes(spec: ModelSpec, e: Evidence) -> dict[str, float | None]:
    """Realised values count where enough labels have come."""
    realised = e.value if e.told else None
    rise = None
    if e.told and e.loss and e.realised.size is not None:
        rise = 100 * e.realised.size / e.loss
    return {
        e.metric: realised,
        f"estimated_{e.metric}": e.estimated,
        "loss_rise": rise,
        "floor_gap": floor_gap(spec, e.metric, realised),
    }


def floor_gap(spec: ModelSpec, metric: str, value: float | None) -> float | None:
    """How far a value is on the wrong side of its owner's threshold."""
    gaps = []
    for limit in spec.thresholds:
        if limit.metric != metric or value is None:
            continue
        if limit.below is not None:
            gaps.append(limit.below - value)
        if limit.above is not None:
            gaps.append(value - limit.above)
    return max(gaps, default=None)


def _features(
    judged: Judged, window: int, harmful: tuple[str, ...]
) -> dict[str, float | None]:
    scores, name = judged.gathered.scores, judged.inputs.name
    missing = scores.missing[:, window]
    told = missing[np.isfinite(missing)]
    places = [p for p, c in enumerate(scores.columns) if name(c) in harmful]
    psi = scores.value[places, window]
    psi = psi[np.isfinite(psi)]
    return {
        "missing_share": 100 * float(told.max()) if told.size else None,
        "drift_psi": float(psi.max()) if psi.size else (None if harmful else 0.0),
    }
