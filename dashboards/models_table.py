"""The models of one page as a table, which is a list of cards on a phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.figures.health_strip import (
    LOOKS,
    WORDS,
    health_strip,
    key_sample,
    looks_like,
)
from dashboards.list_parts import sort_head
from dashboards.model_words import (
    MODELS_PATH,
    SHORT_KINDS,
    amount,
    archived_tag,
    chip_kind,
    days,
    verdict_said,
)
from services.models_views import HealthCell, ModelRow, ModelsView
from services.units import Preferences

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("Model", "name", ""),
    ("Verdict of the newest window", "worst", ""),
    ("Last 52 windows", "", ""),
    ("Measure", "", ""),
    ("Labels", "label_lag", "-"),
    ("Newest data", "last_data", "-"),
)
"""Title, sort and first direction of each column; ``""`` cannot be sorted."""
NUMERIC = frozenset({"Measure", "Labels"})
TAGS_SHOWN = 3


def table(view: ModelsView, prefs: Preferences, search: str | None) -> Component:
    """One page of models."""
    head = [_head(column, view, search) for column in COLUMNS]
    rows = [_row(row, view, prefs, search) for row in view.rows]
    return html.Div(
        html.Table(
            [
                html.Caption("Models", className="visually-hidden"),
                html.Thead(html.Tr(head)),
                html.Tbody(rows),
            ],
            className="data-table fleet-table models-table",
        ),
        className="table-scroll",
        role="region",
        tabIndex=0,
        **parts.aria(label="Models"),
    )


def key(theme: str) -> Component:
    """What the bars of a strip mean."""
    items = [
        html.Span([key_sample(look, theme), WORDS[look]], className="strip-key-item")
        for look in LOOKS
    ]
    return html.Div(
        [html.Span("Bars, newest at the right:"), *items], className="strip-key"
    )


def strip_words(cells: Sequence[HealthCell]) -> str:
    """What a strip says, for those who cannot see it."""
    found = Counter(looks_like(cell) for cell in cells)
    said = ", ".join(f"{found[look]} {WORDS[look]}" for look in LOOKS if found[look])
    return f"Newest {len(cells)} windows: {said}"


def _head(
    column: tuple[str, str, str], view: ModelsView, search: str | None
) -> Component:
    def href(sort: str) -> str:
        return links.href(MODELS_PATH, links.with_query(search, sort=sort, page=None))

    query, numeric = view.query, column[0] in NUMERIC
    return sort_head(column, query.sort, query.descending, href, numeric=numeric)


def _row(
    row: ModelRow, view: ModelsView, prefs: Preferences, search: str | None
) -> Component:
    """One model in few components: the page pays for each at every change."""
    cells: list[tuple[Any, str]] = [
        (_model(row, search), ""),
        (_verdict(row), ""),
        (_strip(row, prefs), "strip-cell"),
        (_measure(row), "number two-lines"),
        (_labels(row), "number two-lines"),
        (_newest(row, view, prefs), ""),
    ]
    tds = [
        html.Td(cell, className=classes, **{"data-label": title})  # type: ignore[arg-type]
        for (cell, classes), (title, _, _) in zip(cells, COLUMNS, strict=True)
    ]
    return html.Tr(tds, className="heater-row", key=row.name)


def _model(row: ModelRow, search: str | None) -> list[Component | None]:
    facts = [SHORT_KINDS.get(row.kind, row.kind)]
    if row.version:
        others = f" (of {row.versions})" if row.versions > 1 else ""
        facts.append(f"version {row.version}{others}")
    return [
        dcc.Link(
            row.name,
            href=links.href(MODELS_PATH, links.with_query(search, model=row.name)),
            className="row-link model-name",
        ),
        parts.simulated_badge() if row.simulated else None,
        archived_tag() if row.archived else None,
        html.Div(
            "\n".join(filter(None, (" · ".join(facts), _owner(row)))),
            className="row-note lines owner",
            title=", ".join(row.tags),
        ),
    ]


def _verdict(row: ModelRow) -> list[Component | None]:
    kind = chip_kind(row.state, row.severity)
    return [
        html.Span(
            verdict_said(row.state, row.severity, row.verdict),
            className=f"chip chip-{kind} bi bi-{parts.CHIP_ICONS[kind]}",
        ),
        html.Div(row.sentence, className="row-note why", title=row.sentence)
        if row.sentence
        else None,
    ]


def _strip(row: ModelRow, prefs: Preferences) -> Component:
    if not row.strip:
        return html.Span("no window yet", className="row-note")
    said = row.strip[-1].sentence
    return health_strip(row.strip, strip_words(row.strip), prefs.theme, title=said)


def _measure(row: ModelRow) -> str:
    name, value = row.headline or ("", None)
    rows = f"{text.number(row.rows, 0)} row{'' if row.rows == 1 else 's'}"
    return f"{f'{name} {amount(value)}' if name else text.NO_DATA}\n{rows}"


def _labels(row: ModelRow) -> str:
    if row.label_coverage is None and row.label_lag_days is None:
        return "none yet"
    return f"{text.share(row.label_coverage)} in\nafter {days(row.label_lag_days)}"


def _newest(row: ModelRow, view: ModelsView, prefs: Preferences) -> Component:
    return parts.moment(row.last_data, view.now, prefs)


def _owner(row: ModelRow) -> str:
    """Who is asked, and the first tags; the rest on hover."""
    said = [row.owner, *row.tags[:TAGS_SHOWN]]
    more = len(row.tags) - TAGS_SHOWN
    if more > 0:
        said.append(f"+{more}")
    return " · ".join(word for word in said if word)
