"""Calibration and confusion of the picked window."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.figures import calibration as figures
from dashboards.ids import ident
from dashboards.performance_words import (
    SHARE_DECIMALS,
    here,
    period,
    with_interval,
)
from services.performance_views import (
    CalibrationView,
    ConfusionView,
    PerformanceView,
)
from services.units import Preferences

TAB = "performance"
MISTAKES = 5
CLASS = "class"
"""Key of the address that holds the class whose calibration is drawn."""


def score_cards(
    view: PerformanceView, prefs: Preferences, search: str | None
) -> list[Component]:
    """The panels that this kind of model has; none for regression."""
    cards = []
    if view.calibration:
        cards.append(_calibration_card(view, prefs, search))
    if view.confusion is not None:
        cards.append(_confusion_card(view, view.confusion, prefs))
    return cards


def _when(view: PerformanceView, prefs: Preferences) -> str:
    if view.picked is None:
        return ""
    return f", {period(view.picked, view.window, prefs)}"


def _calibration_card(
    view: PerformanceView, prefs: Preferences, search: str | None
) -> Component:
    wanted = links.parse_search(search).get(CLASS)
    chosen = next(
        (c for c in view.calibration if c.task == wanted), _worst(view.calibration)
    )
    error = with_interval(chosen.error, SHARE_DECIMALS)
    few = len(view.calibration) <= figures.FEW_CLASSES
    named = f"Class {chosen.task}: " if len(view.calibration) > 1 else ""
    words = f"{named}calibration error {error}."
    if chosen.error.value is None and chosen.error.reason:
        words = f"{named}{chosen.error.reason}"
    chart = parts.chart(
        ident(TAB, "calibration"),
        figures.reliability(chosen, prefs.theme),
        f"Calibration{_when(view, prefs)}. {words}",
        _groups_table(chosen),
    )
    return parts.card(
        f"Calibration{_when(view, prefs)}",
        html.P(words[:1].upper() + words[1:], className="perf-note"),
        _class_links(view, chosen, search) if len(view.calibration) > 1 else None,
        chart,
        class_name="perf-score" + ("" if few else " wide"),
    )


def _worst(views: tuple[CalibrationView, ...]) -> CalibrationView:
    return max(views, key=lambda view: view.error.value or 0.0)


def _class_links(
    view: PerformanceView, chosen: CalibrationView, search: str | None
) -> Component:
    """One link for each class with its error; the worst is drawn first."""
    items = [
        dcc.Link(
            [
                html.Span(one.task),
                html.Span(text.number(one.error.value, SHARE_DECIMALS)),
                parts.hidden("(shown)") if one is chosen else None,
            ],
            href=here(search, **{CLASS: one.task}),
            className="perf-class" + (" active" if one is chosen else ""),
            title=one.task,
        )
        for one in view.calibration
    ]
    return html.Nav(
        items,
        className="perf-classes",
        **parts.aria(label="Classes with their calibration error"),
    )


def _groups_table(view: CalibrationView) -> Component:
    rows = [
        [f"{p.score:.2f}", text.share(p.observed, 1), text.number(p.rows, 0)]
        for p in view.window
    ]
    return parts.data_table(
        "Groups of scores", ("Mean score", "Observed share", "Rows"), rows
    )


def _confusion_card(
    view: PerformanceView, confusion: ConfusionView, prefs: Preferences
) -> Component:
    total = sum(map(sum, confusion.counts))
    right = sum(confusion.counts[i][i] for i in range(len(confusion.classes)))
    title = f"Confusion matrix{_when(view, prefs)}"
    if not total:
        state = parts.empty_state(
            "No label has come yet",
            "The matrix counts predictions against their labels.",
        )
        return parts.card(title, state, class_name="perf-score")
    words = (
        f"{text.number(right, 0)} of {text.number(total, 0)} labelled predictions are "
        f"right ({text.share(right / total, 1)}), "
        f"{text.number(confusion.unlabelled, 0)} have no label yet."
    )
    few = len(confusion.classes) <= figures.FEW_CLASSES
    chart = parts.chart(
        ident(TAB, "confusion"),
        figures.confusion_figure(confusion, prefs.theme),
        f"Confusion matrix{_when(view, prefs)}. {words}",
        _counts_table(confusion) if few else None,
    )
    unit = "Count and share" if few else "Per cent"
    return parts.card(
        title,
        html.P(f"{words} {unit} of each row.", className="perf-note"),
        html.Div(chart, className="perf-matrix" + ("" if few else " many")),
        _mistakes(confusion),
        class_name="perf-score" + ("" if few else " wide"),
    )


def _counts_table(confusion: ConfusionView) -> Component:
    rows = [
        [name, *(text.number(count, 0) for count in counts)]
        for name, counts in zip(confusion.classes, confusion.counts, strict=True)
    ]
    titles = [f"true {name}" for name in confusion.classes]
    return parts.data_table("Predicted classes by true class", ["", *titles], rows)


def _mistakes(confusion: ConfusionView) -> Component | None:
    """The most frequent mistakes, which a large matrix hides."""
    names = confusion.classes
    found = sorted(
        (
            (count, names[i], names[j])
            for i, counts in enumerate(confusion.counts)
            for j, count in enumerate(counts)
            if i != j and count
        ),
        reverse=True,
    )
    if len(names) <= 2 or not found:
        return None
    lines = [
        html.Li(f"{predicted} predicted, {true} true: {text.number(count, 0)}")
        for count, predicted, true in found[:MISTAKES]
    ]
    return html.Div(
        [html.H3("Most frequent mistakes"), html.Ol(lines)], className="perf-mistakes"
    )
