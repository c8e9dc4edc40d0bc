"""What the Performance tab shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

METRIC_WORDS: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "auc": "AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "bias": "Bias",
}
METRICS: Mapping[str, tuple[str, ...]] = {
    "binary": (
        "accuracy",
        "precision",
        "recall",
        "f1",
        "auc",
        "log_loss",
        "brier",
        "calibration_error",
    ),
    "multiclass": (
        "accuracy",
        "precision",
        "recall",
        "f1",
        "auc",
        "log_loss",
        "brier",
        "calibration_error",
    ),
    "regression": ("mae", "rmse", "r2", "bias"),
}
HIGHER_IS_BETTER = frozenset({"accuracy", "precision", "recall", "f1", "auc", "r2"})

EARLY_SHARE = 0.25
"""Below this part of the usual label coverage a realised value is provisional."""


@dataclass(frozen=True)
class PerformanceQuery:
    """What is asked for. Empty ``version`` = the champion; ``against`` a challenger.

    window: hour, day, week or month, empty = the model's own. segment: ``""`` or
    ``column=value``. ``at`` picks the window whose calibration and confusion are
    shown: the start as ISO text, empty = the newest with labels.
    """

    model: str
    version: str = ""
    metric: str = ""
    window: str = ""
    segment: str = ""
    against: str = ""
    at: str = ""
    text_from: str | None = None
    text_to: str | None = None


@dataclass(frozen=True)
class Point:
    """A value with its interval; ``reason`` says why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class PerformanceWindow:
    """One window: realised, estimated, weighted estimate, and the gap.

    coverage: share of the window's predictions that have their label. gap: realised
    minus estimated on the labelled rows, with a band; ``outside`` = the band leaves
    0 in the harmful or harmless direction: the concept-drift signal.
    """

    start: datetime
    end: datetime
    rows: int
    labelled: int
    coverage: float
    realised: Point
    estimated: Point
    weighted: Point
    gap: Point
    outside: bool

    @property
    def judged(self) -> float | None:
        """What a threshold is held against: realised, or else estimated."""
        if self.realised.value is not None:
            return self.realised.value
        return self.estimated.value


def provisional(windows: Sequence[PerformanceWindow]) -> tuple[bool, ...]:
    """Whether the realised value of each window rests on few of its labels.

    That is so while its coverage is below a quarter of the median coverage of the
    windows that have a realised value: the first labels are no fair sample of all.
    """
    known = [w.coverage for w in windows if w.realised.value is not None]
    least = EARLY_SHARE * median(known) if known else 0.0
    return tuple(w.realised.value is not None and w.coverage < least for w in windows)


@dataclass(frozen=True)
class ThresholdView:
    """The limit of the metric shown: what is in force, and what it would have done.

    value and side (``below`` or ``above``) are ``None`` where none is set; fired:
    windows of the past year whose realised value, or estimate where there is none
    yet, broke it, out of ``judged``. suggested: reference mean minus three standard
    errors (plus, where lower is better).
    """

    metric: str
    side: str
    value: float | None
    fired: int
    judged: int
    suggested: float | None

    def broken_by(self, value: float | None) -> bool:
        """Whether a value lies on the wrong side of the threshold."""
        if value is None or self.value is None:
            return False
        return value < self.value if self.side == "below" else value > self.value


@dataclass(frozen=True)
class PairedView:
    """Champion against challenger on predictions both made."""

    champion: str
    challenger: str
    starts: tuple[datetime, ...]
    difference: tuple[Point, ...]
    overall: Point
    rows: int
    unit: str
    sentence: str


@dataclass(frozen=True)
class CalibrationPoint:
    """One group of scores: mean score and observed share of the class."""

    score: float
    observed: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class CalibrationView:
    """Reliability of the scores of one class, in the window and the reference."""

    task: str
    window: tuple[CalibrationPoint, ...]
    reference: tuple[CalibrationPoint, ...]
    error: Point


@dataclass(frozen=True)
class ConfusionView:
    """Counts: rows = predicted, columns = true, in the order of ``classes``."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    unlabelled: int


@dataclass(frozen=True)
class SegmentRow:
    """The metric in one segment over the whole range."""

    segment: str
    rows: int
    labelled: int
    realised: Point
    estimated: Point
    worse: bool


@dataclass(frozen=True)
class MetricTile:
    """One metric in the picked window beside its reference value."""

    metric: str
    realised: Point
    estimated: Point
    reference: Point


@dataclass(frozen=True)
class PerformanceView:
    """The tab. ``problem`` says why there is nothing to show, and what to do."""

    query: PerformanceQuery
    kind: str
    version: str
    versions: tuple[str, ...]
    segments: tuple[str, ...]
    metrics: tuple[str, ...]
    metric: str
    window: str
    windows: tuple[PerformanceWindow, ...]
    reference: Point
    tiles: tuple[MetricTile, ...]
    picked: datetime | None
    threshold: ThresholdView
    paired: PairedView | None
    challengers: tuple[str, ...]
    calibration: tuple[CalibrationView, ...]
    confusion: ConfusionView | None
    segment_rows: tuple[SegmentRow, ...]
    sentence: str
    notes: tuple[str, ...]
    reference_hash: str
    problem: str | None
    start: datetime
    end: datetime
    now: datetime

    @property
    def settled(self) -> PerformanceWindow | None:
        """The newest window whose realised value is not provisional."""
        pairs = zip(self.windows, provisional(self.windows), strict=True)
        known = [w for w, early in pairs if w.realised.value is not None and not early]
        return known[-1] if known else None

    @property
    def state(self) -> str:
        """``look``, ``fine`` or ``cannot_tell``, by the newest windows with a value.

        ``look``: the threshold is broken by the newest realised value that is not
        provisional, or by the newest value of all (the estimate where nothing is
        realised yet), or the gap of either lies outside its band. ``cannot_tell``:
        no window of the range has a value.
        """
        values = [w.judged for w in self.windows if w.judged is not None]
        if not values:
            return "cannot_tell"
        outside = [w.outside for w in self.windows if w.gap.value is not None][-1:]
        newest: list[float | None] = [values[-1]]
        if self.settled is not None:
            outside.append(self.settled.outside)
            newest.append(self.settled.realised.value)
        broken = any(self.threshold.broken_by(value) for value in newest)
        return "look" if broken or any(outside) else "fine"
