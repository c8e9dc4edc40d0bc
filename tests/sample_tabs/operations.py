"""A device's tab with a range bar, a gauge and a chart."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, State, html
from dash.development.base_component import Component

from callbacks.ranges import register_range
from callbacks.registration import caller, preferences
from dashboards import parts, ranges, text
from dashboards.figures.gauges import Gauge, gauge_card
from dashboards.figures.theme import base_layout
from dashboards.ids import ident
from dashboards.shell import IDS
from data.records import Band
from services.units import Preferences

BODY = ident("operations", "body")


def skeleton(_device_id: str | None = None) -> Component:
    """The range bar's place and the body's."""
    return html.Div(
        [ranges.place("operations"), html.Div(parts.skeleton(120), id=BODY)]
    )


def body(name: str, path: str, search: str, prefs: Preferences, now: Any) -> Component:
    """A gauge, a chart and the address it was drawn for."""
    gauge = Gauge("temperature_c", 58.54, now, Band(10, 90, 50, 65, 40, 75), 60, "up")
    line = {"type": "scatter", "x": ["2026-03-10T12:00"], "y": [58.5]}
    figure = {"data": [line], "layout": base_layout(prefs.theme)}
    return html.Div(
        [
            html.Div(f"{name} {path}{search}", id="operations-drawn-for"),
            gauge_card(gauge, prefs, now, ident("operations", "gauge")),
            parts.chart(ident("operations", "chart"), figure, "One point of 58.5 °C"),
            html.Span(text.quantity("temperature_c", 58.54, prefs), id="operations-t"),
        ]
    )


def register(callbacks: Any, services: Any) -> None:
    """Draw the body from the address."""
    register_range(callbacks, "operations", "device.read")

    @callbacks.on(
        "device.read",
        Output(BODY, "children"),
        Input(IDS.location, "search"),
        State(IDS.location, "pathname"),
    )
    def show(search: str | None, path: str) -> Component:
        name = services.devices.get(caller(), path.split("/")[2]).name
        return body(name, path, search or "", preferences(), services.clock())
