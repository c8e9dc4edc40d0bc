"""Views of the Performance tab for its tests: real view objects, made by formula."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.performance_views import (
    METRICS,
    CalibrationPoint,
    CalibrationView,
    ConfusionView,
    MetricTile,
    PairedView,
    PerformanceQuery,
    PerformanceView,
    PerformanceWindow,
    Point,
    SegmentRow,
    ThresholdView,
)

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
FIRST = datetime(2025, 11, 24, tzinfo=UTC)
WEEK = timedelta(days=7)
FEW = Point(None, reason="12 labels, 30 are needed")
NONE_YET = Point(None, reason="no label has arrived yet")
LONG = "Überwachungsgerät für Kühlräume mit 80 Zeichen, 冷蔵庫の監視装置 und mehr Text "


def around(value: float, half: float) -> Point:
    """A point with an interval of equal halves."""
    return Point(value, value - half, value + half)


def week(place: int, scale: float = 1.0) -> PerformanceWindow:
    """One week: the 20th has few labels, the 30th no row, the last two no label."""
    rows = 700 + 40 * (place % 5)
    value = scale * (0.84 + 0.012 * math.sin(place) - 0.004 * max(place - 38, 0))
    estimate = around(scale * (0.84 + 0.008 * math.sin(place + 0.4)), 0.02 * scale)
    realised = around(value, 0.026 * scale)
    coverage, gap = 0.97, around(value - (estimate.value or 0), 0.027 * scale)
    if place == 30:
        rows, coverage, gap, realised, estimate = 0, 0.0, FEW, FEW, Point(None)
    elif place == 20 or place >= 50:
        coverage = 0.02 if place == 20 else 0.0
        realised = gap = FEW if place == 20 else NONE_YET
    start = FIRST + place * WEEK
    return PerformanceWindow(
        start=start,
        end=start + WEEK,
        rows=rows,
        labelled=round(rows * coverage),
        coverage=coverage,
        realised=realised,
        estimated=estimate,
        weighted=Point(None if estimate.value is None else estimate.value - 0.01),
        gap=gap,
        outside=gap.high is not None and gap.high < 0,
    )


def groups(count: int = 10, lift: float = 0.0) -> tuple[CalibrationPoint, ...]:
    """Groups of scores from 0 to 1."""
    middles = [(i + 0.5) / count for i in range(count)]
    return tuple(
        CalibrationPoint(m, min(m + lift, 1), max(m + lift - 0.05, 0),
                         min(m + lift + 0.05, 1), 40 + 12 * i)
        for i, m in enumerate(middles)
    )  # fmt: skip


def confusion(classes: tuple[str, ...]) -> ConfusionView:
    """Mostly right, with one frequent mistake."""
    size = range(len(classes))
    counts = tuple(
        tuple(300 - i if i == j else 40 if j == i + 1 else (i * j) % 5 for j in size)
        for i in size
    )
    return ConfusionView(classes, counts, unlabelled=21)


def calibrations(classes: tuple[str, ...]) -> tuple[CalibrationView, ...]:
    """One reliability for each class; the last is the worst."""
    return tuple(
        CalibrationView(name, groups(lift=0.01 * i), groups(), around(0.01 * i, 0.004))
        for i, name in enumerate(classes)
    )


def tile(metric: str, place: int) -> MetricTile:
    """A tile whose numbers tell the metric apart."""
    value = 0.7 + 0.011 * place
    return MetricTile(metric, around(value, 0.03), around(value + 0.02, 0.02),
                      Point(value + 0.03))  # fmt: skip


def sample(**changes: Any) -> PerformanceView:
    """A binary model over 52 weeks whose accuracy falls below its limit."""
    windows = tuple(week(i) for i in range(52))
    view = PerformanceView(
        query=PerformanceQuery("churn"),
        kind="binary",
        version="3",
        versions=("3", "2"),
        segments=("region=north", "region=south"),
        metrics=METRICS["binary"],
        metric="accuracy",
        window="week",
        windows=windows,
        reference=around(0.842, 0.01),
        tiles=tuple(tile(m, i) for i, m in enumerate(METRICS["binary"])),
        picked=windows[49].start,
        threshold=ThresholdView("accuracy", "below", 0.81, 5, 49, 0.8125),
        paired=None,
        challengers=(),
        calibration=calibrations(("left",)),
        confusion=confusion(("stays", "leaves")),
        segment_rows=(
            SegmentRow("region=north", 19_204, 17_950, around(0.853, 0.004),
                       Point(0.85), worse=False),
            SegmentRow("region=south", 18_411, 17_020, around(0.781, 0.006),
                       Point(0.829), worse=True),
        ),
        sentence="Concept drift: accuracy was 0.785 (0.759 to 0.811) in the week of "
        "2 Nov 2026, below the estimate of 0.836 by more than chance explains.",
        notes=("Intervals are 95 % Wilson intervals.", "Estimates by CBPE."),
        reference_hash="9f2c61d4a7b0",
        problem=None,
        start=windows[0].start,
        end=NOW,
        now=NOW,
    )  # fmt: skip
    return replace(view, **changes)


def regression() -> PerformanceView:
    """A regression model: no calibration, no confusion, no limit."""
    return sample(
        kind="regression",
        metrics=METRICS["regression"],
        metric="mae",
        windows=tuple(week(i, 2100.0) for i in range(52)),
        reference=around(1764.0, 21.0),
        tiles=tuple(
            MetricTile(m, around(v, v / 30), Point(v * 1.02), Point(v * 0.98))
            for m, v in zip(
                METRICS["regression"], (1784.2, 2410.7, 0.713, 12.43), strict=True
            )
        ),
        threshold=ThresholdView("mae", "above", None, 0, 0, 1827.0),
        calibration=(),
        confusion=None,
    )


def paired(starts: int = 52) -> PairedView:
    """A challenger that is a little better."""
    return PairedView(
        champion="3",
        challenger="4-candidate",
        starts=tuple(FIRST + i * WEEK for i in range(starts)),
        difference=tuple(
            FEW if i == 30 else around(0.01 + 0.006 * math.sin(i), 0.012)
            for i in range(starts)
        ),
        overall=around(0.0104, 0.0021),
        rows=31_870,
        unit="accuracy",
        sentence="Version 4-candidate is better: accuracy higher by 0.010 "
        "(0.008 to 0.013) on the 31\u202f870 predictions both made.",
    )


def huge() -> PerformanceView:
    """20 classes with long names, 60 segments and a challenger."""
    classes = tuple(f"{LONG[: 60 - i]} {i}" for i in range(20))
    rows = tuple(
        SegmentRow(f"site={LONG[:70]} {i}", 9_000 + i, 8_000, around(0.8, 0.02),
                   Point(0.81), worse=i % 7 == 0)
        for i in range(60)
    )  # fmt: skip
    return sample(
        kind="multiclass",
        calibration=calibrations(classes),
        confusion=confusion(classes),
        segments=tuple(row.segment for row in rows),
        segment_rows=rows,
        paired=paired(),
        challengers=("4-candidate", "5"),
        query=PerformanceQuery("churn", against="4-candidate", at="2026-11-02"),
    )


def empty() -> PerformanceView:
    """A model without a reference and without an inference."""
    return sample(
        windows=(), tiles=(), picked=None, calibration=(), confusion=None,
        segment_rows=(), reference=Point(None), reference_hash="", sentence="",
        threshold=ThresholdView("accuracy", "below", None, 0, 0, None),
        problem="Version 3 of churn has no reference, so there is nothing to hold its "
        "predictions against. Set one: python cli.py reference set --model churn FILE",
    )  # fmt: skip
