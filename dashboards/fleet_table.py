"""The heaters of one page as a table, which is a list of cards on a phone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.figures.sparkline import sparkline
from dashboards.health_cards import VERDICTS
from dashboards.list_parts import sort_head
from dashboards.live_pieces import STATUS, mode_words
from data.records import LatestValue
from services.fleet import FleetView, SiteView
from services.fleet_rows import FleetRow
from services.health import HealthView
from services.units import Preferences

PATH = "/heaters"
TYPES: Mapping[str, str] = {
    "electric": "Electric",
    "heat_pump": "Heat pump",
    "gas": "Gas",
    "tankless": "Tankless",
}
LIFE: Mapping[str, tuple[str, str]] = {
    "pending": ("paused", "Pending"),
    "inactive": ("paused", "Inactive"),
}
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("Heater", "name", ""),
    ("Connection", "seen", "-"),
    ("Tank / target", "temperature", "-"),
    ("24 h", "", ""),
    ("Mode", "mode", ""),
    ("Health", "health", ""),
    ("kWh in 24 h", "", ""),
)
"""Title, sort and first direction of each column; ``""`` cannot be sorted."""
NUMERIC = frozenset({"Tank / target", "kWh in 24 h"})
OLD_VALUE = timedelta(minutes=15)
"""A value this much older than the newest reading is shown with its own age."""
SIDEWAYS_K = 5.0
"""A sparkline spans at least this much, so that noise does not look like news."""


def table(
    view: FleetView, prefs: Preferences, search: str | None, *, may_edit: bool
) -> Component:
    """One page of heaters, in groups when the view has sites."""
    width = len(COLUMNS) + may_edit
    rows: list[Component] = []
    site: Any = ()
    for row in view.rows:
        if view.sites and row.building != site:
            site = row.building
            rows.append(_site(view.sites[site], search, width))
        rows.append(_row(row, view, prefs, search, may_edit))
    head = [_head(column, view, search) for column in COLUMNS]
    if may_edit:
        head.append(html.Th(parts.hidden("Edit"), scope="col"))
    return html.Div(
        html.Table(
            [
                html.Caption("Heaters", className="visually-hidden"),
                html.Thead(html.Tr(head)),
                html.Tbody(rows),
            ],
            className="data-table fleet-table",
        ),
        className="table-scroll",
        role="region",
        tabIndex=0,
        **parts.aria(label="Heaters"),
    )


def _head(
    column: tuple[str, str, str], view: FleetView, search: str | None
) -> Component:
    def href(sort: str) -> str:
        return links.href(PATH, links.with_query(search, sort=sort, page=None))

    query, numeric = view.query, column[0] in NUMERIC
    return sort_head(column, query.sort, query.descending, href, numeric=numeric)


def _site(site: SiteView, search: str | None, width: int) -> Component:
    name = site.name or "No site stated"
    title = (
        dcc.Link(
            name,
            href=links.href(PATH, links.with_query(search, site=site.name, page=None)),
        )
        if site.name
        else html.Span(name)
    )
    numbers = [
        f"{text.number(site.heaters, 0)} heater{'' if site.heaters == 1 else 's'}",
        _said(site.attention, "need attention", "needs attention"),
        _said(site.silent, "offline or late", "offline or late"),
        _said(site.heating, "heating now", "heating now"),
    ]
    said = " · ".join(words for words in numbers if words)
    cell = html.Th(
        [title, html.Span(said, className="site-counts")],
        colSpan=width,
        scope="colgroup",
    )
    return html.Tr(cell, className="site-row")


def _said(number: int, many: str, one: str) -> str:
    return f"{text.number(number, 0)} {one if number == 1 else many}" if number else ""


def _row(
    row: FleetRow,
    view: FleetView,
    prefs: Preferences,
    search: str | None,
    may_edit: bool,
) -> Component:
    """One heater in few components: the page pays for each at every change."""
    stale = " stale" if row.connectivity != "online" or _old(row) else ""
    cells: list[tuple[Any, str]] = [
        (_heater(row), ""),
        (_connection(row, view.now, prefs), ""),
        (_temperature(row, view.now, prefs), f"number{stale}"),
        (_sparkline(row, prefs), ""),
        (_mode(row), ""),
        (_health(row.health, prefs), ""),
        (text.number(row.energy_kwh, 1), "number"),
    ]
    tds = [
        html.Td(cell, className=classes, **{"data-label": title})  # type: ignore[arg-type]
        for (cell, classes), (title, _, _) in zip(cells, COLUMNS, strict=True)
    ]
    if may_edit:
        edit = dcc.Link(
            " ",
            title=f"Edit {row.name}",
            href=links.href(PATH, links.with_query(search, edit=row.device_id)),
            className="row-action bi bi-pencil",
        )
        tds.append(html.Td(edit, className="row-actions"))
    return html.Tr(tds, className="heater-row", key=row.device_id)


def _chip(kind: str, word: str, class_name: str = "") -> Component:
    """``parts.chip`` as a single component: its shape comes from the style sheet."""
    shape = f"bi bi-{parts.CHIP_ICONS[kind]}"
    return html.Span(word, className=f"chip chip-{kind} {shape} {class_name}".strip())


def _heater(row: FleetRow) -> list[Component | None]:
    make = " ".join(part for part in (row.make, row.model) if part)
    facts = [part for part in (make, TYPES.get(row.type or "")) if part]
    lines = [line for line in (row.place, " · ".join(facts)) if line]
    return [
        dcc.Link(
            row.name,
            href=links.href(f"/heaters/{row.device_id}/operations"),
            className="row-link",
        ),
        parts.simulated_badge() if row.simulated else None,
        html.Div("\n".join(lines), className="row-note lines") if lines else None,
    ]


def _connection(
    row: FleetRow, now: datetime, prefs: Preferences
) -> list[Component | None]:
    state = LIFE.get(row.life_cycle) or parts.CONNECTIVITY[row.connectivity]
    age = parts.moment(row.last_seen, now, prefs) if row.last_seen else None
    return [_chip(*state), age]


def _old(row: FleetRow) -> bool:
    """Whether the temperature is from before the newest reading."""
    value, seen = row.temperature_c, row.last_seen
    return bool(value and seen and seen - value.ts > OLD_VALUE)


def _temperature(
    row: FleetRow, now: datetime, prefs: Preferences
) -> list[Component | str | None]:
    value = row.temperature_c
    target = _amount("target_temperature_c", row.target_c, prefs)
    return [
        _amount("temperature_c", value, prefs),
        parts.moment(value.ts, now, prefs) if value and _old(row) else None,
        html.Div(f"target {target}", className="row-note"),
    ]


def _amount(metric: str, value: LatestValue | None, prefs: Preferences) -> str:
    return text.quantity(metric, None if value is None else float(value.value), prefs)


def _sparkline(row: FleetRow, prefs: Preferences) -> Component:
    known = [value for value in row.hourly_c if value is not None]
    if not known:
        return html.Span("no good readings", className="row-note")
    low, high = min(known), max(known)
    said = (
        f"Tank temperature of {row.name}, last 24 hours: "
        f"{text.quantity('temperature_c', low, prefs)} to "
        f"{text.quantity('temperature_c', high, prefs)}"
    )
    middle, half = (low + high) / 2, max(high - low, SIDEWAYS_K) / 2
    scale = (middle - half, middle + half)
    return sparkline(row.hourly_c, said, prefs.theme, scale=scale)


def _mode(row: FleetRow) -> list[Component | str | None]:
    word = mode_words(str(row.mode.value)) if row.mode else text.NO_DATA
    known = row.heating in {"heating", "standby"}
    return [word, _chip(*STATUS[row.heating], "below") if known else None]


def _health(health: HealthView, prefs: Preferences) -> list[Component | None]:
    chip = VERDICTS[health.verdict]
    if health.verdict == "look" and health.severity:
        chip = parts.SEVERITY[health.severity]
    score = None
    if health.score is not None:
        score = html.B(f"{health.score}", className="row-score", title="of 100")
    why = health.reasons[0].told(prefs) if health.reasons else None
    said = html.Div(why, className="row-note why", title=why) if why else None
    return [_chip(*chip), score, said]
