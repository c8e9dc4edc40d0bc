"""The Performance tab in words: the sentence, the problems and the footnotes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.monitoring.points import LEAST_ROWS
from services.monitoring.scope import Scope
from services.monitoring.words import count, thin
from services.performance_views import (
    METRIC_WORDS,
    PerformanceWindow,
    Point,
    ThresholdView,
)

IN_LABEL_UNITS = frozenset({"mae", "rmse", "bias"})


def number(metric: str, value: float, *, sign: bool = False) -> str:
    """A value of a metric: three decimals, or four digits in the label's unit."""
    plus = "+" if sign else ""
    if metric in IN_LABEL_UNITS:
        return thin(f"{value:{plus},.4g}")
    return f"{value:{plus}.3f}"


def with_interval(metric: str, point: Point) -> str:
    """``0.812 (0.790 to 0.830)``, or the value alone where there is no interval."""
    if point.value is None:
        return point.reason or "not known"
    shown = number(metric, point.value)
    if point.low is None or point.high is None:
        return shown
    return f"{shown} ({number(metric, point.low)} to {number(metric, point.high)})"


def period(start: datetime, window: str, zone: ZoneInfo) -> str:
    """``in the week from 3 Nov 2025``."""
    local = start.astimezone(zone)
    day = f"{local.day} {local:%b %Y}"
    return {
        "hour": f"in the hour from {local:%H:%M} on {day}",
        "day": f"on {day}",
        "month": f"in {local:%B %Y}",
    }.get(window, f"in the week from {day}")


def sentence(
    metric: str,
    windows: Sequence[PerformanceWindow],
    reference: Point,
    threshold: ThresholdView,
    words: tuple[str, ZoneInfo],
) -> str:
    """What the newest windows say of a metric, with its numbers.

    Args:
        metric: the one shown.
        windows: oldest first.
        reference: the reference's realised value.
        threshold: the limit in force.
        words: length of the windows and the reader's zone.
    """
    judged = [w for w in windows if w.judged is not None]
    if not judged:
        return _untold(metric, windows)
    labelled = [w for w in judged if w.realised.value is not None]
    parts = []
    if labelled:
        parts += _realised(metric, labelled[-1], reference, words)
        parts += _gap(metric, windows, words)
    if not labelled or judged[-1] is not labelled[-1]:
        parts.append(_estimated(metric, judged[-1], words, bool(labelled)))
    value = judged[-1].judged
    if value is not None and threshold.value is not None and threshold.broken_by(value):
        limit = number(metric, threshold.value)
        parts.append(f"That is {threshold.side} the threshold of {limit}.")
    return " ".join(parts)


def _realised(
    metric: str,
    shown: PerformanceWindow,
    reference: Point,
    words: tuple[str, ZoneInfo],
) -> list[str]:
    text = (
        f"{METRIC_WORDS[metric]} {with_interval(metric, shown.realised)} on "
        f"{count(shown.labelled)} labelled of {count(shown.rows)} predictions "
        f"{period(shown.start, *words)}"
    )
    if shown.estimated.value is not None:
        text += f"; estimated {number(metric, shown.estimated.value)}"
    if reference.value is not None:
        text += f"; reference {number(metric, reference.value)}"
    return [f"{text}."]


def _gap(
    metric: str, windows: Sequence[PerformanceWindow], words: tuple[str, ZoneInfo]
) -> list[str]:
    told = [w for w in windows if w.gap.value is not None]
    if not told or not told[-1].outside:
        return []
    shown = told[-1]
    gap, low, high = shown.gap.value, shown.gap.low, shown.gap.high
    if gap is None or low is None or high is None:
        return []
    way = "lower" if gap < 0 else "higher"
    near, far = sorted((abs(low), abs(high)))
    return [
        f"Realised is {number(metric, abs(gap))} ({number(metric, near)} to "
        f"{number(metric, far)}) {way} than the inputs explain "
        f"{period(shown.start, *words)}: the relation of inputs and label has changed."
    ]


def _estimated(
    metric: str, shown: PerformanceWindow, words: tuple[str, ZoneInfo], since: bool
) -> str:
    newer = "Since then" if since else f"{METRIC_WORDS[metric]}"
    estimate = with_interval(metric, shown.estimated)
    return (
        f"{newer} estimated {estimate} {period(shown.start, *words)}, where "
        f"{count(shown.labelled)} of {count(shown.rows)} predictions are labelled."
    )


def _untold(metric: str, windows: Sequence[PerformanceWindow]) -> str:
    rows, labelled = (sum(getattr(w, n) for w in windows) for n in ("rows", "labelled"))
    filled = [w for w in windows if w.rows]
    reasons = [
        r for r in (filled[-1].realised.reason, filled[-1].estimated.reason) if r
    ]
    why = "; without labels: ".join(reasons) or "no window can be judged"
    return (
        f"{METRIC_WORDS[metric]} cannot be told ({why}): {count(rows)} predictions, "
        f"{count(labelled)} of them labelled."
    )


def no_reference(scope: Scope) -> str:
    """What to do where no reference is set."""
    name = scope.spec.name
    return (
        f"Version {scope.version} of {name} has no reference, so there is nothing to "
        "hold its predictions against. Set one: "
        f"python cli.py reference set --model {name} FILE"
    )


def no_rows(scope: Scope, span: tuple[datetime, datetime] | None) -> str:
    """What to do where the range holds no predictions."""
    name = f"version {scope.version} of {scope.spec.name}"
    if scope.segment_words:
        name += f" in {scope.segment_words}"
    if span is None:
        return (
            f"No predictions of {name} have come yet. Send some: "
            f"python cli.py import inferences --model {scope.spec.name} FILE"
        )
    first, last = (f"{t.day} {t:%b %Y}" for t in span)
    return (
        f"No predictions of {name} lie in this range. There are some from {first} to "
        f"{last}: choose a range that holds them."
    )


def notes(scope: Scope) -> tuple[str, ...]:
    """How the numbers are made."""
    regression = scope.spec.kind == "regression"
    found = [
        "Realised values rest on the labels that have come; their intervals hold "
        "95 % (Wilson for shares, DeLong for AUC, normal for means).",
        _how_estimated(regression, scored=bool(scope.spec.scored)),
        "Gap: realised minus estimated on the labelled rows alone, with three standard "
        "errors; outside 0 it is the sign of concept drift.",
        "Suggested threshold: the reference's value less (where lower is better, plus) "
        "three standard errors of a window of the usual number of labels.",
        f"Windows with fewer than {LEAST_ROWS} labels are not judged.",
    ]
    if scope.spec.kind == "multiclass":
        found.append("Precision, recall, F1 and AUC are plain means over the classes.")
    if scope.spec.archived:
        found.append(
            "This model is archived: it takes no new data and raises no alert."
        )
    return tuple(found)


def _how_estimated(regression: bool, *, scored: bool) -> str:
    if regression:
        return (
            "Estimated without labels by direct loss estimation: errors learnt on the "
            "reference from inputs and prediction; the band is three standard errors."
        )
    if not scored:
        return "Without scores there is no estimate before the labels come."
    return (
        "Estimated without labels by CBPE from scores calibrated on the reference; the "
        "band is three standard errors. It holds while a score means what it did."
    )
