"""The health of one heater as cards: the score, and what each reason cost."""

from __future__ import annotations

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.live import score_bar
from services.health import HealthReason, HealthView
from services.units import Preferences

VERDICTS: Mapping[str, tuple[str, str]] = {
    "fine": ("good", "Fine"),
    "look": ("watch", "Look"),
    "cannot tell": ("unknown", "Cannot tell"),
}


def score_card(health: HealthView, prefs: Preferences, part: str) -> Component:
    """The health score as a gauge; ``part`` is the id of its graph."""
    kind, word = VERDICTS[health.verdict]
    tint = {"good": "good", "watch": "watch", "unknown": "edge"}[kind]
    number = text.NO_DATA if health.score is None else str(health.score)
    head = html.Div(
        [
            html.Span(number, className="gauge-number"),
            html.Span("of 100", className="gauge-unit"),
            html.Span(parts.chip(kind, word), className="gauge-verdict"),
        ],
        className="gauge-head",
    )
    picture = html.Div(
        parts.graph(
            part,
            score_bar(health.score, tint, prefs.theme),
            staticPlot=True,
        ),
        role="img",
        **parts.aria(label=f"Health {number} of 100: {word}."),
    )
    count = len(health.reasons)
    foot = (
        "See the reason"
        if health.score is None
        else "Nothing found"
        if not count
        else f"{count} reason{'s' if count > 1 else ''}, listed below"
    )
    return html.Div(
        parts.card(
            "Health",
            head,
            picture,
            html.Div(foot, className="gauge-foot"),
            html.Span("Judged over the last 24 h", className="age gauge-age"),
            class_name="gauge",
        ),
        className="live-gauge",
    )


def reasons_card(health: HealthView, prefs: Preferences) -> Component:
    """The health score broken down: what each reason cost."""
    if not health.reasons:
        content: Component = parts.empty_state(
            "Nothing found", "No rule took a point in the last 24 hours."
        )
    else:
        content = html.Ul(
            [
                _reason(reason, prefs, costs=health.score is not None)
                for reason in health.reasons
            ],
            className="reasons",
        )
    total = sum(reason.points for reason in health.reasons)
    note = "" if health.score is None else f"100 − {total} = {health.score}"
    return parts.card(
        "What health is made of", content, actions=html.Span(note, className="age")
    )


def _reason(reason: HealthReason, prefs: Preferences, *, costs: bool) -> Component:
    if not costs:
        return html.Li(html.Span(reason.told(prefs)), className="reason")
    cost = f"−{reason.points} points" if reason.points else "no points left"
    return html.Li(
        [
            html.Div(
                [
                    parts.severity_chip(reason.severity),
                    html.Span(cost, className="reason-points"),
                ],
                className="reason-head",
            ),
            share_bar(reason.points / 100, f"reason-{reason.severity}"),
            html.Span(reason.told(prefs)),
        ],
        className="reason",
    )


def share_bar(share: float, class_name: str = "") -> Component:
    """A bar as long as a share from 0 to 1; the words beside it say the number."""
    width = {"width": f"{share * 100:.1f}%"}
    return html.Div(
        html.Div(className=f"share-fill {class_name}".strip(), style=width),
        className="share-bar",
        **parts.aria(hidden="true"),
    )
