"""The pieces of the Drift tab's view, out of scores and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from data.counts import Counts
from services import drift_notes
from services.drift_detail import Picked
from services.drift_views import DriftCell, FeatureRow, WindowView
from services.monitoring.harm import Harm
from services.monitoring.scope import Scope
from services.monitoring.scores import Scores
from services.monitoring.verdicts import Judged, WindowVerdict, importance_of

Harms = dict[tuple[str, datetime], float | None]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The scores that are drawn, of all windows, against the chosen reference."""

    judged: Judged
    reference: Counts
    scores: Scores
    harm: Harm


def window_view(v: WindowVerdict) -> WindowView:
    """A window's verdict as it is shown."""
    return WindowView(v.start, v.end, v.rows, v.state, v.severity, v.kind, v.sentence)


def picked_window(at: str, windows: Sequence[WindowView]) -> int:
    """The window that starts at ``at``, else the newest with rows."""
    try:
        wanted = datetime.fromisoformat(at.replace(" ", "+")) if at else None
    except ValueError:
        wanted = None
    newest = 0
    for place, window in enumerate(windows):
        aware = wanted is not None and wanted.tzinfo is not None
        if aware and window.start == wanted:
            return place
        if window.rows:
            newest = place
    return newest


def ranked(chosen: Chosen, place: int) -> list[int]:
    """Places of the features: those that moved in the picked window by harm, then
    those that moved most often, then by importance."""
    moved = chosen.scores.moved()
    harm = np.where(moved[:, place], chosen.harm.harm[:, place], -np.inf)
    known = np.where(np.isnan(harm), 0.0, harm)
    order = np.lexsort((-chosen.harm.weight, -moved.sum(axis=1), -known))
    return [int(f) for f in order]


def feature_row(
    chosen: Chosen, names: Sequence[str], f: int, place: int, scope: Scope
) -> FeatureRow:
    """A row of the heat map, with the harm in the picked window."""
    scores, column = chosen.scores, chosen.judged.inputs.columns[f]
    cells = zip(
        scores.state[f].tolist(),
        *(numbers(a[f]) for a in (scores.value, scores.p, scores.expected)),
        numbers(scores.missing[f]),
        scores.rows[f].tolist(),
        strict=True,
    )
    feature = scope.spec.features[int(column[1:])]
    return FeatureRow(
        name=names[f],
        type=feature.type,
        importance=importance_of(scope.spec, scope.record).get(column),
        harm=numbers(chosen.harm.harm[f])[place],
        cells=tuple(DriftCell(*cell) for cell in cells),
    )


def numbers(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> list[float | None]:
    """Floats with ``None`` where it cannot be told."""
    return [v if np.isfinite(v) else None for v in values.tolist()]


def picked(
    scope: Scope, chosen: Chosen, names: Sequence[str], f: int, w: int
) -> Picked:
    """The cell of feature ``f`` in window ``w``, to be shown whole."""
    inputs = chosen.judged.inputs
    column = inputs.columns[f]
    reference = chosen.reference.columns[column]
    return Picked(
        name=names[f],
        grid=inputs.grid.columns[column],
        reference=reference[w if chosen.reference.windows > 1 else 0],
        counts=inputs.windows.columns[column][w],
        scores=chosen.scores,
        feature=f,
        window=w,
        start=scope.edges[w],
        end=scope.edges[w + 1],
        reference_words=drift_notes.reference_words(scope, chosen.reference.windows),
        harm=numbers(chosen.harm.harm[f])[w],
    )


def harms_of(judged: Judged, harm: Harm) -> Harms:
    """Harm by feature and start of the window."""
    starts = [v.start for v in judged.verdicts]
    return {
        (judged.inputs.name(column), start): value
        for f, column in enumerate(judged.inputs.columns)
        for start, value in zip(starts, numbers(harm.harm[f]), strict=True)
    }
