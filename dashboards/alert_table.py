"""The counts above the alerts, and the alerts of one page as a table or as cards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.alert_words import (
    IDS,
    PATH,
    alert_href,
    lasting,
    pick_id,
    severity_chip,
    state_chip,
    subject_link,
)
from dashboards.list_parts import count_link, sort_head
from data.alert_records import SEVERITIES, Alert
from services.alert_views import AlertsView, shelved
from services.units import Preferences

COUNTS: Mapping[str, tuple[str, str, str]] = {
    "open": ("bell", "Open", ""),
    "unacknowledged": ("bell-fill", "Unacknowledged", "bad"),
    "acknowledged": ("eye", "Acknowledged", ""),
    "active": ("activity", "Active now", "watch"),
    "cleared": ("arrow-down-circle", "Cleared", ""),
    "shelved": ("pause-circle", "Shelved", ""),
    "resolved": ("check-circle-fill", "Resolved", "good"),
    "all": ("grid", "All ever", ""),
}
"""State -> icon, words, tint when it is not zero."""
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("Severity", "worst", ""),
    ("Alert", "message", ""),
    ("About", "subject", ""),
    ("State", "", ""),
    ("Since", "raised", "-"),
    ("Owner", "owner", ""),
    ("Times", "activations", "-"),
)
"""Title, sort and first direction of each column; ``""`` cannot be sorted."""
NUMERIC = frozenset({"Times"})


def counts(view: AlertsView, search: str | None) -> Component:
    """The numbers at the top: each is a filter."""
    return html.Nav(
        [_count(state, view, search) for state in COUNTS],
        className="counts alert-counts",
        **parts.aria(label="Alerts by state"),
    )


def _count(state: str, view: AlertsView, search: str | None) -> Component:
    target = None if state == "open" else state
    href = links.href(PATH, links.with_query(search, state=target, page=None))
    active = view.query.state == state
    return count_link(COUNTS[state], view.counts[state], href, active=active)


def severity_links(view: AlertsView, search: str | None) -> Component:
    """The severities of the state shown, each a filter; a second click undoes it."""
    items = []
    for severity in SEVERITIES:
        active = view.query.severity == severity
        kind, word = parts.SEVERITY[severity]
        target = links.with_query(
            search, severity=None if active else severity, page=None
        )
        number = view.severities[severity]
        look = f"chip-{kind}" if number or active else "chip-unknown"
        items.append(
            dcc.Link(
                [
                    html.Span(
                        f"{word} {text.number(number, 0)}",
                        className=f"chip {look} bi bi-{parts.CHIP_ICONS[kind]}",
                    ),
                    parts.hidden("(shown; click for all)") if active else None,
                ],
                href=links.href(PATH, target),
                className="severity-link" + (" active" if active else ""),
            )
        )
    return html.Nav(
        items, className="severity-links", **parts.aria(label="Alerts by severity")
    )


def table(
    view: AlertsView,
    prefs: Preferences,
    search: str | None,
    picked: Collection[int] = (),
) -> Component:
    """One page of alerts; with boxes for those who may do something.

    Args:
        view: the page.
        prefs: the reader's zone.
        search: the query string, kept by every link.
        picked: alerts whose box is ticked, which stays so.
    """
    head = [_head(column, view, search) for column in COLUMNS]
    if view.may_write:
        everyone = dbc.Checkbox(
            id=IDS.all, value=False, label=parts.hidden("Choose every alert shown")
        )
        head.insert(0, html.Th(everyone, scope="col", className="pick-cell"))
    rows = [_row(alert, view, prefs, search, picked) for alert in view.rows]
    return html.Div(
        html.Table(
            [
                html.Caption("Alerts", className="visually-hidden"),
                html.Thead(html.Tr(head)),
                html.Tbody(rows),
            ],
            className="data-table fleet-table alert-table",
        ),
        className="table-scroll",
        role="region",
        tabIndex=0,
        **parts.aria(label="Alerts"),
    )


def _head(
    column: tuple[str, str, str], view: AlertsView, search: str | None
) -> Component:
    def href(sort: str) -> str:
        return links.href(PATH, links.with_query(search, sort=sort, page=None))

    query, numeric = view.query, column[0] in NUMERIC
    return sort_head(column, query.sort, query.descending, href, numeric=numeric)


def _row(
    alert: Alert,
    view: AlertsView,
    prefs: Preferences,
    search: str | None,
    picked: Collection[int],
) -> Component:
    """One alert in few components: the page pays for each at every change."""
    cells: list[tuple[Any, str]] = [
        (severity_chip(alert.severity), "severity-cell"),
        (_message(alert, search), "alert-cell"),
        (subject_link(alert.source, alert.subject, alert.subject_name), "about-cell"),
        (_state(alert, view, prefs), ""),
        (_since(alert, view, prefs), ""),
        (alert.owner or text.NO_DATA, ""),
        (text.number(alert.activations, 0), "number"),
    ]
    tds = [
        html.Td(cell, className=classes, **{"data-label": title})  # type: ignore[arg-type]
        for (cell, classes), (title, _, _) in zip(cells, COLUMNS, strict=True)
    ]
    if view.may_write:
        box = dbc.Checkbox(
            id=pick_id(alert.id),
            value=alert.id in picked,
            label=parts.hidden(f"Choose: {alert.message[:80]}"),
        )
        tds.insert(0, html.Td(box, className="pick-cell"))
    return html.Tr(tds, className="heater-row alert-row", key=str(alert.id))


def _message(alert: Alert, search: str | None) -> list[Component]:
    return [
        dcc.Link(
            alert.message, href=alert_href(alert.id, search), className="row-link"
        ),
        html.Div(alert.rule_name, className="row-note"),
    ]


def _state(
    alert: Alert, view: AlertsView, prefs: Preferences
) -> list[Component | None]:
    chip, note = state_chip(alert, view.now), None
    if shelved(alert, view.now):
        note = f"until {text.local_time(alert.shelved_until, prefs)}"
    elif alert.verdict:
        note = alert.verdict
    elif alert.active and alert.acknowledged_by:
        note = f"by {alert.acknowledged_by}"
    return [chip, html.Div(note, className="row-note") if note else None]


def _since(alert: Alert, view: AlertsView, prefs: Preferences) -> list[Component]:
    held = "active for" if alert.active and alert.open else "held for"
    return [
        parts.moment(alert.raised_at, view.now, prefs),
        html.Div(f"{held} {lasting(alert, view.now)}", className="row-note"),
    ]
