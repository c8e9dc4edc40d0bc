"""Scores of a window that need its raw rows: told apart, rebuilt, re-weighted.

Made by the worker and kept, so that they outlive the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from data.binning import Binner
from data.grids import NumericGrid
from data.inference_lake import InferenceLake
from data.judgement_store import WindowResult
from data.model_records import LABEL
from data.reference_rows import reference_frame
from services.monitoring.calibrators import positions
from services.monitoring.scope import Scope
from services.stats.cells import Task
from services.stats.density_ratio import (
    ReferenceRows,
    density_ratio,
    estimate_reweighted,
)
from services.stats.multivariate import domain_drift
from services.stats.reconstruction import Reconstruction

WINDOW_ROWS = 3_000
REFERENCE_ROWS = 10_000
MOST_COLUMNS = 100
"""Wider models are looked at by their first hundred features."""
Value = Mapping[str, Any]


def raw_scores(scope: Scope, lake: InferenceLake) -> tuple[WindowResult, ...]:
    """The three scores of the one window of a scope.

    Args:
        scope: of exactly one window, with a reference.
        lake: where the rows are.
    """
    start, end = scope.start, scope.end
    assert scope.record is not None  # noqa: S101 - whoever asks has checked
    window = lake.sample(
        scope.spec, scope.model.id, scope.version, start, end, WINDOW_ROWS
    )
    reference = reference_frame(scope.record.path, REFERENCE_ROWS)
    columns = _columns(scope, reference)
    categorical = _categorical(scope, columns)
    before, after = reference[columns], window.reindex(columns=columns)
    found = {
        "domain": _domain(scope, before, after, categorical),
        "pca": _pca(scope, before, after, categorical),
        "weighted": _weighted(scope, reference, window, columns),
    }
    return tuple(
        WindowResult(start, end, kind, _storable(v)) for kind, v in found.items()
    )


def _storable(value: Any) -> Any:
    """Numbers that are none as nothing: JSON has no word for them."""
    if isinstance(value, Mapping):
        return {name: _storable(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_storable(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _columns(scope: Scope, reference: pd.DataFrame) -> list[str]:
    live = [f"f{i}" for i, f in enumerate(scope.spec.features) if not f.retired]
    return [c for c in live if c in reference][:MOST_COLUMNS]


def _categorical(scope: Scope, columns: list[str]) -> list[str]:
    return [c for c in columns if scope.spec.features[int(c[1:])].type == "categorical"]


def _name(scope: Scope, column: str) -> str:
    return scope.spec.features[int(column[1:])].name


def _domain(
    scope: Scope, before: pd.DataFrame, after: pd.DataFrame, categorical: list[str]
) -> Value:
    found = domain_drift(before, after, categorical=categorical)
    pair = found.pair
    return {
        "auc": found.auc,
        "limit": found.threshold,
        "columns": {_name(scope, c): float(v) for c, v in found.importance},
        "pair": [_name(scope, pair.first), _name(scope, pair.second)] if pair else None,
        "reason": found.reason,
    }


def _pca(
    scope: Scope, before: pd.DataFrame, after: pd.DataFrame, categorical: list[str]
) -> Value:
    found = Reconstruction.fit(before, categorical=categorical).score(after)
    return {
        "error": found.value,
        "low": found.low,
        "high": found.high,
        "columns": {_name(scope, c): float(v) for c, v in found.contributions},
        "reason": found.reason,
    }


def _weighted(
    scope: Scope, reference: pd.DataFrame, window: pd.DataFrame, columns: list[str]
) -> Value:
    """Estimates with the reference weighted to the window's inputs."""
    spec, grid = scope.spec, scope.grid
    assert grid is not None  # noqa: S101 - whoever asks has checked
    scores = [f"s{spec.scored.index(t)}" for t in spec.tasks if t in spec.scored]
    if not scores or LABEL not in reference or len(scores) < len(spec.tasks):
        return {"metrics": {}, "reason": "it needs scores and a labelled reference"}
    seen = [*columns, *scores]
    weights = density_ratio(
        reference[seen],
        window.reindex(columns=seen),
        categorical=_categorical(scope, columns),
    )
    rows, tasks = [], []
    for task, score, place in zip(
        spec.tasks, scores, positions(spec, grid), strict=True
    ):
        column = grid.columns[score]
        assert isinstance(column, NumericGrid)  # noqa: S101 - scores are numbers
        own = _cells(reference, task, score, column)
        rows.append(ReferenceRows(*own))
        counted = _counted(*_cells(window, task, score, column), column)
        tasks.append(Task(counted, place))
    found = estimate_reweighted(weights, rows, tasks)
    told = {
        metric: [e.value, e.standard_error]
        for metric, e in found.items()
        if all(n is not None and np.isfinite(n) for n in (e.value, e.standard_error))
    }
    reason = next((e.reason for e in found.values() if e.reason), None)
    return {"metrics": told, "reason": None if told else reason}


def _cells(
    frame: pd.DataFrame, task: str, score: str, column: NumericGrid
) -> tuple[Any, Any, Any]:
    """Score bin, predicted as the class, and label state of each row."""
    bins = Binner(column)(pa.array(frame[score], pa.float64(), from_pandas=True))
    predicted = (frame["prediction"] == task).to_numpy().astype(np.int64)
    known = frame[LABEL].notna().to_numpy()
    label = np.where(known, (frame[LABEL] == task).to_numpy(), 2).astype(np.int64)
    return bins.astype(np.int64), predicted, label


def _counted(bins: Any, predicted: Any, label: Any, column: NumericGrid) -> Any:
    flat = np.bincount((bins * 2 + predicted) * 3 + label, minlength=column.size * 6)
    return flat.reshape(column.size, 2, 3)
