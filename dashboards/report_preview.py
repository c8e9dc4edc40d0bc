"""A report on the screen before it is made; of its tables the first rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.figures.report import figure, summary
from dashboards.ids import ident
from services.reports import words
from services.reports.document import (
    BarChart,
    Block,
    Document,
    Figures,
    HeatChart,
    LineChart,
    Section,
    Table,
    Text,
)
from services.units import Preferences

TAB = "reports"
MOST_ROWS = 50
MOST_CHARTS = 30
"""Drawn at once; more of them would keep the browser busy."""
TONES = {"good": "Good", "watch": "Look", "bad": "Bad"}
"""Tones that have a chip, and its word."""
HIDE = ident(TAB, "hide-preview")


def preview(document: Document, prefs: Preferences) -> Component:
    """The document as a card, in the theme of the screen and its own zone."""
    zoned = replace(prefs, time_zone=words.zone_of(document.zone).key)
    left = [MOST_CHARTS]
    return parts.card(
        f"Preview: {document.title}",
        html.P(document.subtitle, className="report-subtitle")
        if document.subtitle
        else None,
        parts.facts(*(parts.fact(name, value) for name, value in document.facts)),
        *(_section(section, zoned, left) for section in document.sections),
        _footnotes(document),
        actions=html.Button(
            "Close preview",
            id=HIDE,
            type="button",
            className="btn btn-outline-secondary btn-sm",
        ),
        class_name="report-preview",
    )


def declared() -> list[Component]:
    """The button that only a drawn preview has."""
    return [html.Button(id=HIDE)]


def _section(section: Section, prefs: Preferences, left: list[int]) -> Component:
    heading = html.H3 if section.level == 1 else html.H4
    return html.Section(
        [
            heading(section.title, className=f"report-heading level-{section.level}"),
            *(_block(block, prefs, left) for block in section.blocks),
        ],
        className="report-section",
    )


def _block(block: Block, prefs: Preferences, left: list[int]) -> Component:
    if isinstance(block, Text):
        chip = None
        if block.tone in {"watch", "bad"}:
            chip = parts.chip(block.tone, TONES[block.tone])
        return html.P(
            [chip, " " if chip else None, block.text], className="report-text"
        )
    if isinstance(block, Figures):
        return _figures(block, prefs)
    if isinstance(block, Table):
        return _table(block, prefs)
    return _chart(block, prefs, left)


def _figures(block: Figures, prefs: Preferences) -> Component:
    tiles = []
    for item in block.items:
        value = words.shown(item.value, item.decimals, prefs.zone)
        unit = f"{text.NO_BREAK}{item.unit}" if item.unit and value != "–" else ""
        said: list[Any] = [item.note]
        if item.tone in TONES:
            said = [parts.chip(item.tone, TONES[item.tone]), " ", item.note]
        note = said if any(said) else None
        tiles.append(parts.figure_tile(item.name, f"{value}{unit}", note))
    return parts.tiles(*tiles)


def _table(block: Table, prefs: Preferences) -> Component:
    shown = list(block.rows[:MOST_ROWS])
    columns = block.columns
    decimals = [
        words.decimals_of(column, [row[i] for row in block.rows])
        for i, column in enumerate(columns)
    ]
    cells = [
        [
            words.shown(value, places, prefs.zone)
            for value, places in zip(row, decimals, strict=True)
        ]
        for row in shown
    ]
    numeric = {
        i for i in range(len(columns)) if any(_is_number(row[i]) for row in shown)
    }
    more = len(block.rows) - len(shown)
    return html.Div(
        [
            html.P(block.title, className="report-block-title"),
            parts.data_table(
                block.title, [words.head(c) for c in columns], cells, numeric=numeric
            )
            if cells
            else html.P("No rows.", className="report-note"),
            html.P(f"and {text.number(more, 0)} more", className="report-note")
            if more > 0
            else None,
            html.P(block.note, className="report-note") if block.note else None,
        ],
        className="report-block",
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chart(
    block: LineChart | BarChart | HeatChart, prefs: Preferences, left: list[int]
) -> Component:
    left[0] -= 1
    said = summary(block)
    if left[0] < 0:
        drawn: Component = html.P(f"In the file: {said}", className="report-note")
    else:
        place = {"role": ident(TAB, "chart"), "key": f"{left[0]}"}
        drawn = parts.chart(place, figure(block, prefs), said)
    unit = f" ({block.unit})" if block.unit else ""
    return html.Div(
        [
            html.P(f"{block.title}{unit}", className="report-block-title"),
            drawn,
            html.P(block.note, className="report-note") if block.note else None,
        ],
        className="report-block",
    )


def _footnotes(document: Document) -> Component | None:
    if not document.footnotes:
        return None
    return html.Details(
        [
            html.Summary("How the numbers are made"),
            html.Ul([html.Li(note) for note in document.footnotes]),
        ],
        className="report-notes",
    )
