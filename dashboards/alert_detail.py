"""One alert whole: what it says, what the rule saw, what was done, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.alert_actions import button
from dashboards.alert_facts import condition, facts
from dashboards.alert_words import (
    IDS,
    PATH,
    alert_href,
    amount,
    lasting,
    metric_name,
    severity_chip,
    shown,
    shown_unit,
    state_chip,
    subject_link,
)
from dashboards.figures import alert_evidence
from data.alert_records import Alert, AlertEvent
from services.alert_views import AlertDetailView, Evidence, shelved, state_of
from services.units import Preferences

SYSTEM_NAMES = {"system": "the rule", "worker": "the rule"}
EVENTS = {
    "activated": "Activated",
    "cleared": "Cleared by itself",
    "acknowledged": "Acknowledged",
    "assigned": "Assigned",
    "commented": "Comment",
    "shelved": "Shelved",
    "unshelved": "Taken from the shelf",
    "resolved": "Resolved",
    "reopened": "Reopened",
    "severity": "Severity changed",
}


def detail(view: AlertDetailView, prefs: Preferences, search: str | None) -> Component:
    """The page of one alert.

    Head, facts and history are drawn anew when something happens; the chart stays.
    """
    return html.Div(
        [
            back_link(search),
            html.Div(head(view, prefs), id=IDS.head),
            html.Div(
                [
                    html.Div(evidence_card(view, prefs), className="two-thirds"),
                    html.Div(facts(view, prefs), id=IDS.facts, className="third"),
                ],
                className="grid alert-grid",
            ),
            html.Div(history(view, prefs, search), id=IDS.history, className="stack"),
        ],
        className="stack alert-detail",
    )


def back_link(search: str | None) -> Component:
    """The way back to the list as it was."""
    return dcc.Link(
        [parts.icon("chevron-left"), "All alerts"],
        href=links.href(PATH, links.with_query(search, alert=None)),
        className="back-link",
    )


def missing(number: str, search: str | None) -> Component:
    """An alert that does not exist."""
    state = parts.empty_state(
        f"There is no alert {number[:40]}",
        "Check the address, or choose one from the list.",
    )
    return html.Div(
        [back_link(search), html.Div(state, className="panel")], className="stack"
    )


def head(view: AlertDetailView, prefs: Preferences) -> Component:
    """The sentence, where it stands, what to do, and the buttons."""
    alert = view.alert
    return html.Section(
        [
            html.Div(
                [severity_chip(alert.severity), state_chip(alert, view.now)],
                className="alert-chips",
            ),
            html.H2(alert.message, className="alert-title"),
            html.P(
                [
                    subject_link(alert.source, alert.subject, alert.subject_name),
                    f" · {_times(view, prefs)}",
                ],
                className="alert-about",
            ),
            _recommended(alert),
            _buttons(view) if view.may_write else None,
        ],
        className="panel alert-head",
    )


def _times(view: AlertDetailView, prefs: Preferences) -> str:
    alert = view.alert
    raised = text.local_time(alert.raised_at, prefs)
    held = lasting(alert, view.now)
    if alert.active and alert.open:
        return f"raised {raised}, active for {held}"
    return f"raised {raised}, held for {held}"


def _recommended(alert: Alert) -> Component | None:
    if not alert.action:
        return None
    return html.P(
        [parts.icon("arrow-right-circle"), html.Span(alert.action)],
        className="alert-action",
    )


def _buttons(view: AlertDetailView) -> Component:
    alert = view.alert
    if not alert.open:
        offered = ["reopen", "comment"]
        if alert.resolved_at is None:
            offered.append("resolve")
    else:
        put_away = shelved(alert, view.now)
        offered = [] if alert.acknowledged_at else ["acknowledge"]
        offered += ["resolve", "assign", "unshelve" if put_away else "shelve"]
        offered.append("comment")
    return html.Div(
        [button(name, "one", primary=not i) for i, name in enumerate(offered)],
        className="alert-buttons",
        role="group",
        **parts.aria(label="What can be done"),
    )


def evidence_card(view: AlertDetailView, prefs: Preferences) -> Component:
    """The chart of what the rule saw when it fired."""
    alert, evidence = view.alert, view.evidence
    title = "What the rule saw when it fired"
    if not any(value is not None for _, value in evidence.points):
        state = parts.empty_state(
            "No chart for this alert",
            "The rule kept no series of values; the facts beside say what it saw.",
        )
        return parts.card(title, state)
    unit = shown_unit(alert.metric, prefs, evidence.unit)
    name = metric_name(alert.metric)
    axis = f"{name} ({unit})" if unit else name
    figure = alert_evidence.figure(
        evidence,
        alert.started_at,
        alert.raised_at,
        axis,
        lambda value: shown(alert.metric, value, prefs),
        prefs,
    )
    chart = parts.chart(IDS.evidence, figure, _said(alert, evidence, prefs))
    return parts.card(title, chart)


def _said(alert: Alert, evidence: Evidence, prefs: Preferences) -> str:
    known = [value for _, value in evidence.points if value is not None]
    low, high = (amount(alert.metric, f(known), prefs, evidence.unit)
                 for f in (min, max))  # fmt: skip
    return (
        f"{metric_name(alert.metric)} before the alert: {low} to {high}; "
        f"{condition(alert, evidence, prefs)}; fired "
        f"{text.local_time(alert.raised_at, prefs)}"
    )


def history(
    view: AlertDetailView, prefs: Preferences, search: str | None
) -> list[Component]:
    """What happened to this alert, and the alerts before and after it."""
    own = parts.card(
        "History",
        parts.data_table(
            "History of this alert",
            ["When", "What", "Who", "Said", "Value"],
            _events(view.alert, view.events, view.now, prefs),
            numeric={4},
        ),
    )
    others = _others(view, prefs, search)
    return [own, others] if others else [own]


def _events(
    alert: Alert, events: Sequence[AlertEvent], now: datetime, prefs: Preferences
) -> list[list[Component | str]]:
    return [
        [
            html.Span(
                text.local_time(event.at, prefs, seconds=True),
                title=text.age(event.at, now),
            ),
            EVENTS.get(event.kind, event.kind),
            SYSTEM_NAMES.get(event.by, event.by),
            html.Span(event.text, className="said"),
            amount(alert.metric, event.value, prefs),
        ]
        for event in events
    ]


def _others(
    view: AlertDetailView, prefs: Preferences, search: str | None
) -> Component | None:
    if not view.siblings:
        return None
    rows = []
    for alert in view.siblings:
        said = [e for e in view.sibling_events if e.alert_id == alert.id and e.text]
        words = f"{EVENTS.get(said[0].kind, '')}: {said[0].text}" if said else ""
        rows.append(
            [
                dcc.Link(
                    text.local_time(alert.raised_at, prefs),
                    href=alert_href(alert.id, search),
                ),
                lasting(alert, view.now),
                text.number(alert.activations, 0),
                state_chip(alert, view.now),
                _ended_by(alert, view.now),
                html.Span(words, className="said"),
            ]
        )
    return parts.card(
        "Other alerts of this rule here",
        parts.data_table(
            "Other alerts of this rule about the same",
            ["Raised", "Held for", "Activations", "State", "Who", "Last words"],
            rows,
            numeric={2},
        ),
    )


def _ended_by(alert: Alert, now: datetime) -> str:
    if state_of(alert, now) == "resolved":
        verdict = f", {alert.verdict}" if alert.verdict else ""
        return f"{alert.resolved_by}{verdict}"
    return alert.acknowledged_by or text.NO_DATA
