"""The scores of Evidently 0.7.23 and NannyML 0.13.1 from raw samples.

For teams that move here and want their charts to go on without a jump, and as a
reference to check our own measures against. Both packages drop missing values first.
Their bins depend on the window or on the reference's extremes, so one outlier can
hide a shift: do not judge drift by these numbers; ``measures`` is for that.

Numbers are taken as numeric, texts and booleans as categories.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon

Floats = NDArray[np.float64]
Values = NDArray[np.generic]

EVIDENTLY_FLOOR = 1e-4
EVIDENTLY_SD_FLOOR = 1e-3
EVIDENTLY_MOST_CATEGORIES = 20
"""Numeric columns with at most so many distinct values are compared value by value."""
NANNYML_BINS = 10_000
"""Equal-width bins, and the reference rows from which they replace exact values."""


def evidently(reference: ArrayLike, current: ArrayLike, measure: str) -> float:
    """Evidently's score with its defaults.

    ``psi``, ``kl`` and ``js`` (natural logarithm) on Sturges' bins over both samples
    together; for the first two an empty bin counts as 1e-4, or as a millionth of the
    smallest share where that is no more than 1e-4, on each side by its own;
    ``hellinger`` on the same bins of the distinct values; ``wasserstein`` exact, over
    the reference's population standard deviation (at least 0.001); ``ks`` and ``chi2``
    are p-values, the latter of the fit to the scaled reference.

    Args:
        reference: values, one dimension.
        current: values, one dimension.
        measure: one of the names above.

    Raises:
        ValueError: unknown measure, or one that does not fit the kind of values.

    Source: Evidently 0.7.23, ``evidently.legacy.calculations.stattests``.

    >>> before, now = ["a"] * 50 + ["b"] * 50, ["a"] * 60 + ["b"] * 40
    >>> round(evidently(before, now, "psi"), 6)
    0.040547
    """
    r, c = _present(reference), _present(current)
    numeric = _numeric(r)
    known = _EVIDENTLY_NUMERIC if numeric else _EVIDENTLY_CATEGORICAL
    return _looked_up(known, measure, numeric)(r, c)


def nannyml(reference: ArrayLike, current: ArrayLike, measure: str) -> float:
    """NannyML's score with its defaults.

    Numeric: ``js`` (base 2) and ``hellinger`` on Doane's bins of the reference with one
    bin for all values outside; ``ks`` (distance) and ``wasserstein`` (data units) exact
    below 10,000 reference rows, else on 10,000 equal-width bins of the reference.
    Categories: ``js`` and ``hellinger`` with all unseen ones together, ``l_infinity``,
    and ``chi2``, the statistic of the contingency table.

    Args:
        reference: values, one dimension.
        current: values, one dimension.
        measure: one of the names above.

    Raises:
        ValueError: unknown measure, or one that does not fit the kind of values.

    Source: NannyML 0.13.1, ``nannyml.drift.univariate.methods``.

    >>> before, now = ["a"] * 50 + ["b"] * 50, ["a"] * 60 + ["b"] * 40
    >>> round(nannyml(before, now, "l_infinity"), 6)
    0.1
    """
    r, c = _present(reference), _present(current)
    numeric = _numeric(r)
    known = _NANNYML_NUMERIC if numeric else _NANNYML_CATEGORICAL
    return _looked_up(known, measure, numeric)(r, c)


Score = Callable[[Values, Values], float]


def _looked_up(known: dict[str, Score], measure: str, numeric: bool) -> Score:
    if measure not in known:
        kind = "numeric" if numeric else "categorical"
        raise ValueError(f"{measure} is none of {', '.join(known)} ({kind} values)")
    return known[measure]


def _present(values: ArrayLike) -> Values:
    array = np.asarray(values)
    if array.dtype.kind == "O":
        absent = [v is None or (isinstance(v, float) and np.isnan(v)) for v in array]
        return array[~np.array(absent, dtype=np.bool_)]
    return array[np.isfinite(array)] if array.dtype.kind == "f" else array


def _numeric(values: Values) -> bool:
    return values.dtype.kind in "iuf"


def _table(r: Values, c: Values) -> tuple[Floats, Floats]:
    """Counts of every value of both samples."""
    keys, index = np.unique(np.concatenate([r, c]), return_inverse=True)
    counts = [np.bincount(i, minlength=keys.size) for i in np.split(index, [r.size])]
    return counts[0].astype(np.float64), counts[1].astype(np.float64)


def _evidently_shares(r: Values, c: Values) -> tuple[Floats, Floats]:
    if _numeric(r) and np.unique(r).size > EVIDENTLY_MOST_CATEGORIES:
        edges = np.histogram_bin_edges(np.concatenate([r, c]), bins="sturges")
        counts = np.histogram(r, edges)[0], np.histogram(c, edges)[0]
    else:
        counts = _table(r, c)
    return counts[0] / r.size, counts[1] / c.size


def _filled(share: Floats) -> Floats:
    least = share[share > 0].min()
    empty = least / 1e6 if least <= EVIDENTLY_FLOOR else EVIDENTLY_FLOOR
    return np.where(share == 0, empty, share)


def _evidently_psi(r: Values, c: Values) -> float:
    p, q = map(_filled, _evidently_shares(r, c))
    return float(((p - q) * np.log(p / q)).sum())


def _evidently_kl(r: Values, c: Values) -> float:
    return float(stats.entropy(*map(_filled, _evidently_shares(r, c))))


def _evidently_js(r: Values, c: Values) -> float:
    return float(jensenshannon(*_evidently_shares(r, c)))


def _evidently_hellinger(r: Values, c: Values) -> float:
    if _numeric(r):
        distinct = np.unique(np.concatenate([r, c]))
        edges = np.histogram_bin_edges(distinct, bins="sturges")
        p, q = np.histogram(r, edges)[0], np.histogram(c, edges)[0]
    else:
        p, q = _table(r, c)
    alike = np.sqrt(p / r.size * (q / c.size)).sum()
    return float(np.sqrt(1 - min(alike, 1)))


def _evidently_wasserstein(r: Values, c: Values) -> float:
    sd = max(float(np.std(r.astype(np.float64))), EVIDENTLY_SD_FLOOR)
    return float(stats.wasserstein_distance(r, c)) / sd


def _evidently_ks(r: Values, c: Values) -> float:
    return float(stats.ks_2samp(r, c).pvalue)


def _evidently_chi2(r: Values, c: Values) -> float:
    expected, observed = _table(r, c)
    if (expected == 0).any():
        return 0.0  # an unseen category has no expected rows: infinitely unlikely
    return float(stats.chisquare(observed, expected * c.size / r.size).pvalue)


def _nannyml_shares(r: Values, c: Values) -> tuple[Floats, Floats]:
    if _numeric(r):
        edges = np.histogram_bin_edges(r.astype(np.float64), bins="doane")
        p, q = np.histogram(r, edges)[0] / r.size, np.histogram(c, edges)[0] / c.size
    else:
        in_reference, in_current = _table(r, c)
        seen = in_reference > 0
        p, q = in_reference[seen] / r.size, in_current[seen] / c.size
    return np.append(p, 0.0), np.append(q, max(1 - q.sum(), 0.0))


def _nannyml_js(r: Values, c: Values) -> float:
    return float(jensenshannon(*_nannyml_shares(r, c), base=2))


def _nannyml_hellinger(r: Values, c: Values) -> float:
    p, q = _nannyml_shares(r, c)
    return float(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2))


def _nannyml_binned(r: Values, c: Values) -> tuple[Floats, Floats, Floats]:
    """Edges and both running shares; the window's without what lies below."""
    edges = np.histogram_bin_edges(r, NANNYML_BINS)
    below = [np.cumsum(np.histogram(x, edges)[0] / x.size) for x in (r, c)]
    return edges, below[0], below[1]


def _nannyml_ks(r: Values, c: Values) -> float:
    if r.size < NANNYML_BINS:
        return float(stats.ks_2samp(r, c).statistic)
    edges, before, now = _nannyml_binned(r, c)
    return float(np.abs(before - now - (c < edges[0]).mean()).max())


def _nannyml_wasserstein(r: Values, c: Values) -> float:
    if r.size < NANNYML_BINS:
        return float(stats.wasserstein_distance(r, c))
    edges, before, now = _nannyml_binned(r, c)
    first, last = edges[0], edges[-1]
    outside = np.maximum(first - c, 0) + np.maximum(c - last, 0)
    # The package counts one row too many below the reference's smallest value.
    under = int((c < first).sum())
    now = now + (under + 1 if under else 0) / c.size
    inside = np.abs(before - now).sum() * (edges[1] - edges[0])
    return float(inside + outside.mean())


def _nannyml_l_infinity(r: Values, c: Values) -> float:
    before, now = _table(r, c)
    return float(np.abs(before / r.size - now / c.size).max())


def _nannyml_chi2(r: Values, c: Values) -> float:
    return float(stats.chi2_contingency(np.stack(_table(r, c)))[0])


_EVIDENTLY_CATEGORICAL: dict[str, Score] = {
    "psi": _evidently_psi,
    "kl": _evidently_kl,
    "js": _evidently_js,
    "hellinger": _evidently_hellinger,
    "chi2": _evidently_chi2,
}
_EVIDENTLY_NUMERIC: dict[str, Score] = {
    "psi": _evidently_psi,
    "kl": _evidently_kl,
    "js": _evidently_js,
    "hellinger": _evidently_hellinger,
    "wasserstein": _evidently_wasserstein,
    "ks": _evidently_ks,
}
_NANNYML_CATEGORICAL: dict[str, Score] = {
    "js": _nannyml_js,
    "hellinger": _nannyml_hellinger,
    "l_infinity": _nannyml_l_infinity,
    "chi2": _nannyml_chi2,
}
_NANNYML_NUMERIC: dict[str, Score] = {
    "js": _nannyml_js,
    "hellinger": _nannyml_hellinger,
    "ks": _nannyml_ks,
    "wasserstein": _nannyml_wasserstein,
}
