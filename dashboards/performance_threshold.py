"""The threshold of a metric: what is in force, its form and what it would do."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.ids import ident
from dashboards.performance_words import view_decimals
from services.performance_views import METRIC_WORDS, PerformanceView, ThresholdView

TAB = "performance"
TYPING_MS = 400
SIDES = {"below": "below", "above": "above"}


class IDS:
    """The ids of the form that callbacks name."""

    side = ident(TAB, "side")
    value = ident(TAB, "value")
    preview = ident(TAB, "preview")
    suggest = ident(TAB, "suggest")
    save = ident(TAB, "save")
    remove = ident(TAB, "remove")
    threshold = ident(TAB, "threshold")


def declared() -> list[Component]:
    """The parts that only a drawn form has."""
    return [
        dbc.Select(id=IDS.side),
        dbc.Input(id=IDS.value),
        html.Div(id=IDS.preview),
        html.Button(id=IDS.suggest),
        html.Button(id=IDS.save),
        html.Button(id=IDS.remove),
        dcc.Store(id=IDS.threshold),
    ]


def threshold_form(view: PerformanceView, *, may_edit: bool) -> Component:
    """The form of the metric shown, or its words for those who may not edit."""
    digits, now = view_decimals(view), view.threshold
    if not may_edit:
        note = " Operators can change it." if now.value is not None else ""
        words = [in_force(view), fired_words(now, set_already=True), note]
        return html.P(" ".join(w for w in words if w), className="perf-note")
    held = {
        "metric": view.metric,
        "side": now.side,
        "digits": digits,
        "suggested": now.suggested,
    }
    return html.Div(
        [
            dcc.Store(id=IDS.threshold, data=held),
            _label("Alert when " + METRIC_WORDS[view.metric] + " is", _side(now)),
            _label("Limit", _value(now, digits)),
            _suggest(now, digits),
            html.Div(
                [
                    _button(IDS.save, "Save", "btn btn-primary"),
                    _button(
                        IDS.remove,
                        "Remove",
                        "btn btn-outline-secondary",
                        disabled=now.value is None,
                    ),
                ],
                className="perf-buttons",
            ),
            html.Div(
                fired_words(now, set_already=True),
                id=IDS.preview,
                className="perf-preview",
                role="status",
            ),
        ],
        className="perf-threshold",
        role="group",
        **parts.aria(label="Threshold"),
    )


def _label(words: str, control: Component) -> Component:
    return html.Label([html.Span(words, className="perf-label"), control])


def _side(now: ThresholdView) -> Component:
    options = [{"label": word, "value": side} for side, word in SIDES.items()]
    select: Component = dbc.Select(id=IDS.side, options=options, value=now.side)
    return select


def _value(now: ThresholdView, digits: int) -> Component:
    box: Component = dbc.Input(
        id=IDS.value,
        type="number",
        step="any",
        value=None if now.value is None else round(now.value, digits + 2),
        placeholder="no limit",
        debounce=TYPING_MS,
    )
    return box


def _suggest(now: ThresholdView, digits: int) -> Component:
    # The button stays when nothing is suggested, so that the row keeps its shape.
    words = (
        "No suggestion yet"
        if now.suggested is None
        else f"Use suggested {text.number(now.suggested, digits)}"
    )
    return _button(
        IDS.suggest,
        words,
        "btn btn-outline-secondary",
        disabled=now.suggested is None,
    )


def _button(
    part: str, words: str, class_name: str, *, disabled: bool = False
) -> Component:
    return html.Button(
        words, id=part, type="button", className=class_name, disabled=disabled
    )


def in_force(view: PerformanceView) -> str:
    """The threshold in force, in words."""
    name, now = METRIC_WORDS[view.metric], view.threshold
    if now.value is None:
        return f"No limit is set for {name}, so it raises no alert."
    return f"{name} alerts {now.side} {text.number(now.value, view_decimals(view))}."


def fired_words(threshold: ThresholdView, *, set_already: bool = False) -> str:
    """How often a threshold broke, or would have broken, in the past year."""
    if threshold.value is None:
        return "" if set_already else "Without a limit nothing alerts."
    if not threshold.judged:
        return "No window of the past year has a value to hold against this limit."
    times = "once" if threshold.fired == 1 else f"{threshold.fired} times"
    windows = f"{threshold.judged} window" + ("" if threshold.judged == 1 else "s")
    verb = "Fired" if set_already else "Would have fired"
    return f"{verb} {times} in the past year (of {windows})."


def preview(threshold: ThresholdView) -> list[Component]:
    """What a limit that is not saved yet would have done."""
    return [parts.icon("clock-history"), html.Span(fired_words(threshold))]
