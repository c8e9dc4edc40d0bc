"""The sentences of verdicts, with their numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from services.monitoring.evidence import Evidence

if TYPE_CHECKING:
    from services.monitoring.late_labels import Known

METRICS = {"accuracy": "accuracy", "mae": "mean absolute error"}
UNITS = (("hour", 1 / 24), ("day", 1), ("week", 7))
MOST = 3


def count(n: int) -> str:
    """A whole number as the screens write it, in thin groups of thousands."""
    return thin(f"{n:,}")


def thin(number: str) -> str:
    """A number with a narrow space, which does not break, for each comma."""
    return number.replace(",", "\u202f")


def few(e: Evidence) -> str:
    """Too few rows to judge."""
    return (
        f"Cannot tell: {count(e.rows)} rows are too few, {count(e.least_rows)} are "
        "needed to find a shift of half a standard deviation."
    )


def broken(e: Evidence) -> str:
    """A data-quality break, the features it hit, and what it cost."""
    hit = _listed([f"{b.column} has {b.words}" for b in e.breaks[:MOST]])
    more = len(e.breaks) - MOST
    rest = f", and {more} more features are hit" if more > 0 else ""
    return f"Data-quality break: {hit}{rest}; {performance(e)}."


def label_shift(e: Evidence) -> str:
    """The labels' mix moved while scores given the label hold."""
    size = e.label[0] if e.label else 0.0
    unit = f"{size * 100:.0f} % of the labels' distribution"
    kept = "predictions follow the labels as in the reference"
    if e.kind != "regression":
        kept = "scores of each class are as in the reference"
    return f"Label shift: {unit} moved while {kept}; {performance(e)}."


def calibration(e: Evidence) -> str:
    """Scores mean something else, but rank as well."""
    size = e.reliability[0] if e.reliability else 0.0
    if e.kind == "regression":
        off = f"predictions are off by {size:.2f} mean absolute errors all alike"
        return f"Broken calibration: {off} while their spread holds; {performance(e)}."
    off = f"scores are off by {size * 100:.0f} points"
    return f"Broken calibration: {off} while their ranking holds; {performance(e)}."


def concept(e: Evidence) -> str:
    """Labels contradict what the inputs explain."""
    parts = []
    if e.gap.size is not None and e.gap.z is not None:
        rise = _amount(e, e.gap.size)
        parts.append(f"{rise} worse than these inputs explain ({e.gap.z:.0f} errors)")
    if e.ranking.size is not None and (e.ranking.z or 0) >= MOST:
        parts.append(f"AUC {e.ranking.size:.3f} below its estimate")
    return f"Concept drift: {' and '.join(parts)}; {performance(e)}."


def harmful_shift(e: Evidence, named: tuple[str, ...]) -> str:
    """Inputs moved and performance went with them."""
    said = {m.name: m.words for m in e.moved}
    hit = _listed([f"{name} ({said[name]})" for name in named[:MOST]])
    who = f"{hit} moved" if named else "inputs moved together, no feature by itself"
    return f"Harmful input shift: {who}; {performance(e)}."


def harmless_shift(e: Evidence) -> str:
    """Inputs moved and performance held."""
    return f"{_moved(e)}, and performance held: {performance(e)}."


def untold_shift(e: Evidence) -> str:
    """Inputs moved and nobody knows what it costs."""
    why = "without labels or scores"
    if e.reference is None:
        why = "while the reference has no labels"
    return f"{_moved(e)}; whether it harms cannot be told {why}; {performance(e)}."


def unexplained(e: Evidence) -> str:
    """Predictions moved without a reason that can be seen."""
    size = e.predicted[0] if e.predicted else 0.0
    return (
        f"Cannot tell: {size:.0%} of the predictions moved though no feature did; "
        "labels are needed to tell why."
    )


def fine(e: Evidence) -> str:
    """No feature moved."""
    return f"None of {e.judged} features moved; {performance(e)}."


def last_labelled(e: Evidence, last: Known) -> str:
    """What the labels said when they last came, of a window that has none yet."""
    here = "no labels yet"
    if e.labelled:
        here = f"{count(e.labelled)} of {count(e.rows)} labels so far"
    long = last.end - last.start
    unit = next((name for name, days in UNITS if long <= timedelta(days=days)), "month")
    day = f"{last.start.day} {last.start:%b}"
    when = f"{day} {last.start:%H:%M}" if unit == "hour" else day
    named = {"concept_drift": "concept drift", "calibration": "broken calibration"}
    said = f"{here}; the last labelled {unit}, {when}, was {named[last.verdict.kind]}"
    if last.value is None:
        return f"{said}."
    name = METRICS.get(last.metric, last.metric)
    base = "" if e.reference is None else f", {e.reference:.3f} in the reference"
    if last.estimated is not None:
        base = f" against {last.estimated:.3f} estimated"
    return f"{said}: {name} {last.value:.3f}{base}."


def performance(e: Evidence) -> str:
    """The headline metric: from labels, else estimated, beside the reference."""
    name = METRICS.get(e.metric, e.metric)
    base = "" if e.reference is None else f", {e.reference:.3f} in the reference"
    if e.value is not None and e.told:
        return f"{name} {e.value:.3f} on {count(e.labelled)} labelled rows{base}"
    if e.estimated is not None:
        few = f"{count(e.labelled)} of {count(e.rows)} labels have come"
        why = f"while {few}" if e.early and e.labelled else "without labels"
        return f"{name} estimated at {e.estimated:.3f} {why}{base}"
    few = f"{count(e.labelled)} labels in {count(e.rows)} rows"
    return f"{name} cannot be told: {few}{base}"


def _moved(e: Evidence) -> str:
    hit = _listed([f"{m.name} ({m.words})" for m in e.moved[:MOST]])
    count = len(e.moved)
    one = "1 feature moved" if count == 1 else f"{count} features moved"
    return f"{one}: {hit}" + ("" if count <= MOST else " most")


def _amount(e: Evidence, size: float) -> str:
    if e.metric == "accuracy":
        return f"accuracy {size * 100:.1f} points"
    return f"mean absolute error {size:.3g}"


def _listed(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
