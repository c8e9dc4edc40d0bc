"""What happened, in words: the first thing the Performance tab says."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards import parts
from services.performance_numbers import STATES, said
from services.performance_views import METRIC_WORDS, PerformanceView
from services.units import Preferences


def verdict(view: PerformanceView, prefs: Preferences) -> Component:
    """The state of the metric and the sentence, before anything else."""
    kind, words = STATES[view.state]
    sentence, early = said(view, prefs)
    lines = [html.P(sentence)]
    if early:
        lines.append(html.P(early, className="perf-early"))
    return html.Div(
        [
            parts.chip(kind, words.format(METRIC_WORDS[view.metric])),
            html.Div(lines, className="perf-said"),
        ],
        className=f"perf-verdict perf-{view.state.replace('_', '-')}",
        role="status",
    )
