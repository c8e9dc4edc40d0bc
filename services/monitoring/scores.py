"""Scores of every feature in every window: sizes, tests and states.

All from counts on the reference's bins. Reference counts of one window are compared
with all windows (a pinned reference); as many as there are windows are compared one by
one (the windows before, the season a year before).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from data.counts import Counts
from data.grids import ColumnGrid, Grid, Ints, NumericGrid
from services.monitoring.sizes import Sizes, chi_square_by_row, groups_of, sized
from services.stats.lasting import drift_p, lasting_p
from services.stats.measures import ks, tvd
from services.stats.significance import (
    WEEKLY_WEIGHT,
    benjamini_hochberg,
    chi_square_p_value,
    ks_p_value,
    minimum_detectable_shift,
    missing_share_p,
)

Floats = npt.NDArray[np.float64]

Q = 0.05
"""False discovery rate among the features of a window."""
LEAST_ROWS = 30
DETECTABLE = 0.5
"""A window that cannot find a shift of so many standard deviations is not judged."""
POWER = 0.8
MISSING_RISE, UNSEEN_RISE = 0.03, 0.02
"""Rises of a share, beyond chance, from which they are a state of their own."""
SMALL = 0.06
"""KS or total variation distance that is small; 0.15 sd of a normal feature."""
MEMORY, PERSISTENT = 4, 2
"""A flag persists in 2 of the last 4 windows."""
MOVED = frozenset({"drift", "missing", "unseen"})


@dataclass(frozen=True, eq=False)
class Scores:
    """All arrays have shape (features, windows); NaN where it cannot be told.

    value, expected: the measure asked for and its mean without drift. window_p,
    lasting_p: of the window alone and of the last four; p: both, adjusted for the
    window's features. size: KS distance (numeric) or total variation. shift: signed,
    in reference standard deviations. missing, infinite, unseen: shares of all rows;
    the ``_rise`` ones over the reference. rows: with a value. detectable: smallest
    shift found in 80 % of cases. persistence: flagged windows of the last four.
    """

    columns: tuple[str, ...]
    measure: str
    value: Floats
    expected: Floats
    window_p: Floats
    lasting_p: Floats
    p: Floats
    size: Floats
    shift: Floats
    missing: Floats
    missing_rise: Floats
    infinite: Floats
    infinite_rise: Floats
    unseen: Floats
    unseen_rise: Floats
    rows: Ints
    detectable: Floats
    persistence: Ints
    state: npt.NDArray[np.str_]

    def moved(self) -> npt.NDArray[np.bool_]:
        """Which cells have drifted, lost values or got new categories."""
        return np.isin(self.state, list(MOVED))

    def place(self, column: str) -> int:
        """The row of a column; ``ValueError`` where there is none."""
        return self.columns.index(column)


@dataclass(frozen=True, eq=False)
class _Column:
    sizes: Sizes
    window_p: Floats
    lasting_p: Floats
    size: Floats
    specials: Floats
    rises: Floats
    rise_p: Floats
    rows: Ints
    reference_rows: Ints


def scored(
    grid: Grid,
    reference: Counts,
    windows: Counts,
    columns: Sequence[str],
    measure: str = "psi",
    q: float = Q,
) -> Scores:
    """Score the columns in all windows.

    Args:
        grid: the bins both are counted on.
        reference: one window, or one for each of ``windows``; then there is no test
            over several windows, whose references would overlap with them.
        windows: oldest first.
        columns: canonical names, each in ``grid``: the family of the adjustment.
        measure: a key of ``services.drift_views.MEASURES``.
        q: false discovery rate.
    """
    pinned = reference.windows == 1
    found = [
        _column(
            grid.columns[name],
            reference.columns[name][0] if pinned else reference.columns[name],
            windows.columns[name],
            measure,
        )
        for name in columns
    ]
    if not found:
        return _none(np.zeros((0, windows.windows)), measure)
    return _together(tuple(columns), found, measure, q, pinned)


def least_rows(reference_rows: int, features: int, q: float = Q) -> int:
    """Rows a window needs to be judged; more than the reference has where none do.

    The n m / (n + m) at which ``minimum_detectable_shift`` is ``DETECTABLE`` for the
    strictest threshold of the adjustment, q / features.
    """
    needed = _needed(features, q)
    if reference_rows <= needed:
        return max(reference_rows + 1, LEAST_ROWS)
    rows = needed * reference_rows / (reference_rows - needed)
    return max(int(np.ceil(rows)), LEAST_ROWS)


def _needed(features: int, q: float) -> float:
    level = q / max(features, 1) * (1 - WEEKLY_WEIGHT)
    z = float(ndtri(1 - level / 2) + ndtri(POWER))
    return (z / DETECTABLE) ** 2


def _column(grid: ColumnGrid, reference: Ints, windows: Ints, measure: str) -> _Column:
    numeric = isinstance(grid, NumericGrid)
    end = grid.bins if numeric else grid.size - 1
    r, c = reference[..., :end], windows[:, :end]
    n, m = r.sum(axis=-1), c.sum(axis=-1)
    if numeric:
        size = ks(r, c)
        window_p = ks_p_value(size, n, m)
        test, base = c, r
    else:
        groups = groups_of(r, float(np.median(m[m > 0])) if m.any() else 0.0)
        test, base = c @ groups, r @ groups
        size = tvd(r, c)
        window_p = chi_square_p_value(*chi_square_by_row(base, test))
    single = reference.ndim == 1
    lasting = (
        lasting_p(base, test, MEMORY, ordered=numeric)
        if single and n > 0
        else np.full(len(windows), np.nan)
    )
    specials, rises, rise_p = _specials(grid, reference, windows)
    sizes = sized(grid, r, c, measure)
    return _Column(
        sizes, window_p, lasting, size, specials, rises, rise_p, m, np.asarray(n)
    )


def _specials(
    grid: ColumnGrid, reference: Ints, windows: Ints
) -> tuple[Floats, Floats, Floats]:
    """Shares of missing, infinite and unseen rows, their rises, and p of each rise.

    Each of shape (3, windows). p is computed where the rise is large enough to matter
    and 1 elsewhere.
    """
    last = grid.size
    numeric = isinstance(grid, NumericGrid)
    parts = (
        [(last - 3, last - 2), (last - 2, last), (0, 0)]
        if numeric
        else [(last - 1, last), (0, 0), (last - 2, last - 1)]
    )
    n, m = reference.sum(axis=-1), windows.sum(axis=1)
    found = np.stack([windows[:, a:b].sum(axis=1) for a, b in parts])
    known = np.stack(
        [np.broadcast_to(reference[..., a:b].sum(axis=-1), m.shape) for a, b in parts]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        share = found / np.where(m > 0, m, np.nan)
        rise = share - known / np.where(n > 0, n, np.nan)
    least = np.array([MISSING_RISE, UNSEEN_RISE, UNSEEN_RISE])[:, np.newaxis]
    p = np.where(np.isnan(rise), np.nan, 1.0)
    large = rise >= least
    if large.any():
        n, m = np.broadcast_to(n, found.shape), np.broadcast_to(m, found.shape)
        p[large] = missing_share_p(known[large], n[large], found[large], m[large])
    return share, rise, p


def _together(
    columns: tuple[str, ...],
    found: list[_Column],
    measure: str,
    q: float,
    pinned: bool,
) -> Scores:
    def stack(name: str) -> Floats:
        return np.stack([getattr(one, name) for one in found])

    window_p, lasting = stack("window_p"), stack("lasting_p")
    raw = drift_p(window_p, lasting) if pinned else window_p
    p = benjamini_hochberg(raw, axis=0)
    rise_p = benjamini_hochberg(stack("rise_p"), axis=0)
    rows, n = stack("rows"), np.stack([one.reference_rows for one in found])
    n = n[:, np.newaxis] if n.ndim == 1 else n
    specials, rises = stack("specials"), stack("rises")
    detectable = minimum_detectable_shift(n, rows, q / len(found))
    flags = p <= q
    alone = ~(lasting / (1 - WEEKLY_WEIGHT) <= q) & flags
    persistence = _persistence(flags)
    size = stack("size")
    weak = alone & (persistence < PERSISTENT) & (size < SMALL)
    state = np.full(p.shape, "fine", dtype="<U8")
    state[flags] = "drift"
    state[weak] = "watch"
    state[~flags & ~(detectable <= DETECTABLE)] = "few"
    state[(rows < LEAST_ROWS) | np.isnan(p)] = "few"
    state[rise_p[:, 2] <= q] = "unseen"
    state[(rise_p[:, :2] <= q).any(axis=1)] = "missing"
    state[np.isnan(specials[:, 0])] = "none"
    return Scores(
        columns, measure,
        np.stack([one.sizes.value for one in found]),
        np.stack([one.sizes.expected for one in found]),
        window_p, lasting, p, size,
        np.stack([one.sizes.shift for one in found]),
        specials[:, 0], rises[:, 0], specials[:, 1], rises[:, 1],
        specials[:, 2], rises[:, 2],
        rows.astype(np.int64), detectable, persistence, state,
    )  # fmt: skip


def _persistence(flags: npt.NDArray[np.bool_]) -> Ints:
    """How many of the last windows were flagged, this one included."""
    raised = np.cumsum(flags, axis=1)
    before = np.zeros_like(raised)
    before[:, MEMORY:] = raised[:, :-MEMORY]
    return raised - before


def _none(empty: Floats, measure: str) -> Scores:
    e, whole = empty, empty.astype(np.int64)
    return Scores(
        (), measure, e, e, e, e, e, e, e, e, e, e, e, e, e, whole, e, whole,
        empty.astype("<U8"),
    )  # fmt: skip
