"""What the Drift tab says of single cells, measures and references."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from services.drift_views import WindowView
from services.monitoring.scores import Scores
from services.monitoring.words import count

STATE_WORDS: Mapping[str, str] = {
    "drift": "Drift",
    "missing": "More missing than chance explains",
    "unseen": "Unseen categories",
    "watch": "Watch",
    "fine": "Fine",
    "few": "Too few rows to judge",
    "none": "No rows",
}
SHORT_STATES: Mapping[str, str] = {
    **STATE_WORDS,
    "missing": "More missing",
    "unseen": "Unseen",
    "few": "Too few rows",
}
"""The same where there is little room."""
MARKED = frozenset({"drift", "missing", "unseen"})
"""States of a cell in which something moved."""
ON = {True: "the reference's fine bins", False: "the categories"}
DECILES = {True: "the reference's deciles", False: "the 30 largest categories"}
FORMULAS: Mapping[str, str] = {
    "psi": "PSI = Σ (q − p) ln(q / p) on {deciles}; shares below 0.0001 count as "
    "0.0001",
    "js": "Root of the Jensen-Shannon divergence, logarithm of base 2, on {fine}",
    "js_divergence": "Jensen-Shannon divergence: mean of KL(p to m) and KL(q to m), "
    "m = (p + q) / 2, logarithm of base 2, on {fine}",
    "ks": "Largest gap of both distribution functions at the edges of {fine}",
    "wasserstein": "Area between both distribution functions within the reference's "
    "0.1 % to 99.9 %, over its standard deviation, on {fine}",
    "hellinger": "√(1 − Σ √(p q)) on {fine}",
    "l_infinity": "Largest difference of a share, max |q − p|, on {deciles}",
    "tvd": "Half the sum of the differences, ½ Σ |q − p|, on {deciles}",
    "chi_square": "Pearson's chi-square of the two rows of counts over its degrees of "
    "freedom, on {deciles}",
}
TEST: Mapping[bool, str] = {
    True: "Kolmogorov-Smirnov on the fine bins",
    False: "chi-square of the categories",
}
UNORDERED = "Not defined for categories, which have no order."


def formula(measure: str, *, numeric: bool) -> str:
    """How the value and the p of a cell are made."""
    if not numeric and measure in {"ks", "wasserstein"}:
        said = UNORDERED
    else:
        said = FORMULAS[measure].format(fine=ON[numeric], deciles=DECILES[numeric])
        said += "; p = share in the reference, q = in the window, missing values apart."
    return (
        f"{said} p-value: {TEST[numeric]}, together with the last four windows, "
        "adjusted over the window's features by Benjamini-Hochberg."
    )


def cell_sentence(name: str, scores: Scores, feature: int, window: int) -> str:
    """A cell in one sentence with its numbers."""
    state = str(scores.state[feature, window])
    rows = int(scores.rows[feature, window])
    size = _size(scores, feature, window)
    chance = _chance(float(scores.p[feature, window]))
    times = int(scores.persistence[feature, window])
    again = f", in {times} of the last 4 windows" if times > 1 else ""
    unseen = f"{scores.unseen[feature, window]:.1%} of {name} are categories"
    return {
        "none": f"{name} has no rows in this window.",
        "few": f"Cannot tell: {name} has {count(rows)} values here, too few to judge.",
        "missing": f"{name} lost values: {_missing(scores, feature, window)}.",
        "unseen": f"{unseen} that the reference never had.",
        "fine": f"{name} has not moved beyond chance: {size}, {chance}.",
        "watch": f"{name} may have moved: {size}, {chance}; small and seen only once.",
        "drift": f"{name} moved: {size}, {chance}{again}.",
    }[state]


def verdict_sentence(window: WindowView | None, harmful: Sequence[str]) -> str:
    """The sentence of a window; that of a fine one gives way to harmful features."""
    if harmful and (window is None or window.state in {"fine", "none"}):
        one = len(harmful) == 1
        moved = "1 feature" if one else f"{len(harmful)} features"
        return f"{moved} moved in a way that can hurt the model."
    return window.sentence if window else "There is no window to judge in this range."


def _size(scores: Scores, feature: int, window: int) -> str:
    shift = float(scores.shift[feature, window])
    size = float(scores.size[feature, window])
    if math.isfinite(shift):
        return f"mean {shift:+.2f} sd, KS distance {size:.3f}"
    return f"{size:.1%} of its distribution changed place"


def _missing(scores: Scores, feature: int, window: int) -> str:
    share, rise = scores.missing[feature, window], scores.missing_rise[feature, window]
    if scores.infinite_rise[feature, window] > rise:
        return f"{scores.infinite[feature, window]:.1%} are infinite"
    return f"{share:.1%} are missing, {share - rise:.1%} in the reference"


def _chance(p: float) -> str:
    if not math.isfinite(p):
        return "p cannot be told"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
