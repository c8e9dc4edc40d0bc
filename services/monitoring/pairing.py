"""Champion against challenger on the predictions that both made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from data.grids import Floats
from services.monitoring.performance_words import number
from services.monitoring.points import LEAST_ROWS, point
from services.monitoring.words import count
from services.performance_views import PairedView, Point
from services.stats.intervals import Measured, paired_difference

DAY = timedelta(days=1)
FEW_PAIRS = f"fewer than {LEAST_ROWS} labelled predictions that both made"


def pair_edges(edges: Sequence[datetime], window: str) -> tuple[datetime, ...]:
    """The bounds pairs are summed in: they are kept by the day, never by the hour."""
    if window != "hour":
        return tuple(edges)
    day = edges[0].replace(hour=0, minute=0, second=0, microsecond=0)
    found = [day]
    while found[-1] < edges[-1]:
        found.append(found[-1] + DAY)
    return tuple(found)


def paired(
    kind: str,
    champion: str,
    challenger: str,
    sums: Floats,
    edges: Sequence[datetime],
) -> PairedView | None:
    """The paired difference by window and over all; ``None`` without a common row.

    Args:
        kind: of the model.
        champion: the version shown.
        challenger: the one it is held against.
        sums: shape (windows, 3): rows, sum and sum of squares of loss(champion) minus
            loss(challenger), a loss being 0 or 1 for a class and the absolute error
            for a number.
        edges: the windows' bounds.

    The difference is challenger minus champion in accuracy (which is 1 minus the mean
    loss) or, for a regression, in mean absolute error.
    """
    total = sums.sum(axis=0)
    rows = int(total[0])
    if not rows:
        return None
    sign = -1.0 if kind == "regression" else 1.0
    overall = _difference(sign, *total)
    return PairedView(
        champion=champion,
        challenger=challenger,
        starts=tuple(edges[:-1]),
        difference=tuple(_judged(sign, *found) for found in sums),
        overall=point(overall),
        rows=rows,
        unit=_unit(kind),
        sentence=_sentence(kind, champion, challenger, overall),
    )


def _unit(kind: str) -> str:
    return "mean absolute error" if kind == "regression" else "accuracy"


def _difference(sign: float, rows: float, total: float, squares: float) -> Measured:
    return paired_difference(float(sign * total), float(squares), int(rows))


def _judged(sign: float, rows: float, total: float, squares: float) -> Point:
    if rows < LEAST_ROWS:
        return Point(None, reason=FEW_PAIRS)
    return point(_difference(sign, rows, total, squares))


def _sentence(kind: str, champion: str, challenger: str, found: Measured) -> str:
    value, low, high = found.value, found.low, found.high
    on = f"on the {count(found.rows)} labelled predictions both made"
    if value is None or low is None or high is None or found.rows < LEAST_ROWS:
        return f"Too few to tell: {found.rows} labelled predictions that both made."
    unit, metric = _unit(kind), "mae" if kind == "regression" else "accuracy"
    if low <= 0 <= high:
        size, least, most = (number(metric, v, sign=True) for v in (value, low, high))
        return (
            f"Not certain which is better {on}: {unit} of version {challenger} minus "
            f"that of version {champion} is {size} ({least} to {most})."
        )
    better = challenger if (value < 0) == (kind == "regression") else champion
    way = "lower" if kind == "regression" else "higher"
    near, far = sorted((abs(low), abs(high)))
    return (
        f"Version {better} is better: {unit} {way} by {number(metric, abs(value))} "
        f"({number(metric, near)} to {number(metric, far)}) {on}."
    )
