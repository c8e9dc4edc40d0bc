"""What happened, in words: the first thing the Performance tab says."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.performance_words import period, view_decimals, with_interval
from services.performance_views import (
    METRIC_WORDS,
    PerformanceView,
    PerformanceWindow,
)
from services.units import Preferences

STATES = {
    "look": ("watch", "{} needs a look"),
    "cannot_tell": ("unknown", "{}: cannot tell"),
    "fine": ("good", "{} holds"),
}
"""State -> kind of the chip and its words: they speak of one metric, not the model."""


def verdict(view: PerformanceView, prefs: Preferences) -> Component:
    """The state of the metric and the sentence, before anything else."""
    kind, words = STATES[view.state]
    settled = view.settled
    newest = next((w for w in view.windows[::-1] if w.realised.value is not None), None)
    said = [html.P(view.sentence)]
    if settled is not None and newest is not settled:
        early = f"Provisional, as most labels are still to come: {view.sentence}"
        said = [
            html.P(_settled(view, settled, prefs)),
            html.P(early, className="perf-early"),
        ]
    return html.Div(
        [
            parts.chip(kind, words.format(METRIC_WORDS[view.metric])),
            html.Div(said, className="perf-said"),
        ],
        className=f"perf-verdict perf-{view.state.replace('_', '-')}",
        role="status",
    )


def _settled(
    view: PerformanceView, window: PerformanceWindow, prefs: Preferences
) -> str:
    """What the newest window with enough labels says."""
    digits, limit = view_decimals(view), view.threshold
    value = with_interval(window.realised, digits)
    found = []
    if limit.broken_by(window.realised.value):
        found.append(
            f"{limit.side} the threshold of {text.number(limit.value, digits)}"
        )
    if window.outside:
        gap = with_interval(window.gap, digits, sign=True)
        found.append(f"{gap} against the estimate, which leaves its band")
    return (
        f"{METRIC_WORDS[view.metric]} {value} in the {_when(view, window, prefs)}, the "
        f"newest window with enough labels"
        + (f": {' and '.join(found)}." if found else ", as expected.")
    )


def _when(view: PerformanceView, window: PerformanceWindow, prefs: Preferences) -> str:
    named = period(window.start, view.window, prefs)
    return named if view.window == "week" else f"{view.window} {named}"
