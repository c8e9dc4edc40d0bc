"""The Drift tab's ways out: the snippet of Python and the file of what is drawn."""

from __future__ import annotations

from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts
from services.drift_views import DriftView


def utc_text(when: datetime | None) -> str:
    """A time as it is written to an address: exact, and the same in every zone."""
    return "" if when is None else when.isoformat().replace("+00:00", "Z")


def data_link(view: DriftView) -> Component:
    """The download of exactly what is drawn: the same query, its range resolved."""
    query = view.query
    asked = {
        "format": "csv",
        "version": view.version,
        "measure": view.measure,
        "window": view.window,
        "segment": query.segment,
        "reference": view.reference,
        "feature": view.picked_feature,
        "at": utc_text(view.picked_start),
        "from": utc_text(view.start),
        "to": utc_text(view.end),
    }
    path = f"/api/v1/models/{query.model}/drift"
    return html.A(
        [parts.icon("download"), "Data (CSV)"],
        href=links.href(path, links.build_search(asked)),
        className="action",
    )


def python_card(view: DriftView) -> Component | None:
    """The snippet that fetches and draws the same, closed until it is wanted."""
    if not view.python:
        return None
    head = html.Summary([parts.icon("code-slash"), "Copy as Python"])
    copy = dcc.Clipboard(
        content=view.python, title="Copy the snippet", className="drift-copy"
    )
    return html.Details(
        [head, html.Div([copy, html.Pre(view.python, className="command")])],
        className="panel drift-python",
    )
