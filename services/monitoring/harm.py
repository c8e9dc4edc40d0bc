"""What a moved feature costs: shift × importance × local performance change.

The loss is 1 for a wrong class and 0 for a right one, or the absolute error of a
number. A feature's rows lie in coarse bins b (deciles or categories; missing values
are a bin) with share p in the reference and q in the window. The loss that moves with
the rows is sum (q - p) loss(b).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.counts import Cells, Counts
from data.grids import ColumnGrid, Grid, Ints
from services.stats.measures import shares

Floats = npt.NDArray[np.float64]

PRIOR_ROWS = 20.0
"""A bin's loss leans on what is expected of it as if on so many more rows."""
REFERENCE_PRIOR = 5.0


@dataclass(frozen=True, eq=False)
class Harm:
    """Increases of the mean loss; shape (features, windows), NaN where untold.

    expected: from the reference's loss in each bin. realised: the window's labelled
    rows lost so much more than the reference did in the same bins. harm: what the
    feature's shift costs, by the window's own losses where labels came, times its
    importance; the features are ranked by it. error: standard error of ``expected``
    when nothing drifts. weight: importance over the largest one, (features,).
    """

    expected: Floats
    realised: Floats
    harm: Floats
    error: Floats
    weight: Floats

    def order(self, window: int) -> list[int]:
        """Places of the features, most harmful first; those untold last."""
        harm = self.harm[:, window]
        known = np.where(np.isnan(harm), -np.inf, harm)
        return [int(place) for place in np.lexsort((-self.weight, -known))]


def harms(
    grid: Grid,
    reference: Counts,
    windows: Counts,
    reference_cells: Cells,
    window_cells: Cells,
    columns: Sequence[str],
    importance: Mapping[str, float],
) -> Harm:
    """The harm of every feature in every window.

    Args:
        grid: the bins.
        reference: the reference's histograms (one window).
        windows: histograms of the windows.
        reference_cells: with the tasks ``local:<column>``; without labels harm is NaN.
        window_cells: the same of the windows.
        columns: canonical names of the features.
        importance: by column; where there is none, all features weigh the same.
    """
    weight = weights(columns, importance)
    found = [
        _feature(
            grid.columns[name],
            reference.columns[name][0],
            windows.columns[name],
            _local(reference_cells, name, grid.columns[name]),
            _local(window_cells, name, grid.columns[name]),
        )
        for name in columns
    ]
    if not found:
        empty = np.zeros((0, windows.windows))
        return Harm(empty, empty, empty, empty, weight)
    parts = zip(*found, strict=True)
    expected, realised, moved, error = (np.stack(part) for part in parts)
    return Harm(expected, realised, moved * weight[:, np.newaxis], error, weight)


def weights(columns: Sequence[str], importance: Mapping[str, float]) -> Floats:
    """Importance over the largest one; 1 for all where none is known.

    A feature without one among others that have it counts as their mean.
    """
    known = [max(v, 0.0) for c in columns if (v := importance.get(c)) is not None]
    if not known or max(known) <= 0:
        return np.ones(len(columns))
    mean = float(np.mean(known))
    own = [max(importance.get(c, mean), 0.0) for c in columns]
    return np.asarray(own) / max(own)


def _local(cells: Cells, name: str, grid: ColumnGrid) -> tuple[Ints, Floats]:
    """Labelled rows and summed loss by coarse bin, each (windows, coarse bins)."""
    size = int(grid.coarse_of[-1]) + 1
    task = f"local:{name}"
    nothing = np.zeros((cells.windows, size))
    return (
        cells.cells.get(task, nothing.astype(np.int64)),
        cells.sums.get(task, nothing),
    )


def _feature(
    grid: ColumnGrid,
    reference: Ints,
    windows: Ints,
    before: tuple[Ints, Floats],
    now: tuple[Ints, Floats],
) -> tuple[Floats, Floats, Floats, Floats]:
    size = int(grid.coarse_of[-1]) + 1
    merge = np.eye(size)[grid.coarse_of]
    p, q = shares(reference @ merge), shares(windows @ merge)
    rows, losses = before[0][0].astype(np.float64), before[1][0]
    nothing = np.full(len(windows), np.nan)
    if rows.sum() == 0:
        return nothing, nothing, nothing, nothing
    loss = _losses(rows, losses)
    expected = (q - p) @ loss
    labelled, lost = now
    own = (lost + PRIOR_ROWS * loss) / (labelled + PRIOR_ROWS)
    moved = ((q - p) * own).sum(axis=1)
    m = labelled.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        realised = (lost.sum(axis=1) - labelled @ loss) / np.where(m > 0, m, np.nan)
        each = 1 / reference.sum() + 1 / windows.sum(axis=1)
    spread = float(p @ (loss - p @ loss) ** 2)
    with np.errstate(invalid="ignore"):
        error = np.sqrt(spread * each)
    return expected, realised, moved, error


def _losses(rows: Floats, losses: Floats) -> Floats:
    """The reference's loss in each bin; a bin it never had is as bad as its worst."""
    mean = losses.sum() / rows.sum()
    found = (losses + REFERENCE_PRIOR * mean) / (rows + REFERENCE_PRIOR)
    return np.asarray(np.where(rows > 0, found, found[rows > 0].max()))
