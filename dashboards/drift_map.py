"""The heat map's card: names beside it, verdicts above it, what its signs mean."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import drift_words as words
from dashboards import links, parts, text
from dashboards.drift_python import data_link
from dashboards.figures.heatmap import MOST, SIGNS, heat_map, strip
from dashboards.ids import ident
from services.drift_views import REFERENCES, DriftView, FeatureRow
from services.units import Preferences

TAB = "drift"
LEAST_CELL_PX = 13
"""A cell that is narrower can neither be hit nor hold a sign."""
SHORT_HASH = 12
LONG_NAME = 24
"""Characters from which on a name may be cut, so that hovering must tell it."""
FILTER = "q"
"""Key of the address that holds a part of a feature's name."""


class IDS:
    """The ids of the card that callbacks name."""

    strip = ident(TAB, "strip")
    map = ident(TAB, "map")
    goto = ident(TAB, "map-goto")
    head = ident(TAB, "map-head")
    place = ident(TAB, "map-place")
    notes = ident(TAB, "map-notes")


def shown_rows(view: DriftView, search: str | None) -> list[FeatureRow]:
    """The features whose name holds the text of the filter."""
    wanted = links.parse_search(search).get(FILTER, "").strip().casefold()
    return [row for row in view.features if wanted in row.name.casefold()]


def place(waiting: Component) -> Component:
    """Where the card will be; its parts stay, so that it does not scroll back."""
    scroll = html.Div(
        waiting,
        id=IDS.place,
        className="map-scroll",
        role="region",
        tabIndex=0,
        **parts.aria(label="Heat map of features and windows"),
    )
    return html.Section(
        [html.Div(id=IDS.head), scroll, html.Div(id=IDS.notes)],
        className="panel drift-map-card",
    )


def head(view: DriftView, search: str | None) -> list[Component]:
    """Title, download and what the signs mean."""
    found = _found(view, shown_rows(view, search))
    title = f"{words.measure_name(view.measure)} by feature and window"
    actions = html.Div([found, data_link(view)], className="actions")
    first = html.Div(
        [html.H2(title, className="card-title"), actions], className="card-head"
    )
    return [first, _legend(view)]


def content(
    view: DriftView, prefs: Preferences, path: str, search: str | None
) -> list[Component]:
    """Features by windows, the most harmful first."""
    rows = shown_rows(view, search)
    shown = _map(view, rows, prefs, path, search) if rows else _no_row(path, search)
    # Inserted together with the graphs: so nothing runs when they appear.
    return [shown, dcc.Location(id=IDS.goto, refresh="callback-nav")]


def _found(view: DriftView, rows: Sequence[FeatureRow]) -> Component:
    every = len(view.features)
    found = f"{len(rows)} of {every} features" if len(rows) < every else None
    said = found or f"{every} features, most harmful first"
    return html.Span(said, role="status", className="list-words")


def _no_row(path: str, search: str | None) -> Component:
    every = links.href(path, links.with_query(search, **{FILTER: None}))
    return parts.empty_state(
        "No feature has this in its name",
        "Change the text, or look at all features.",
        dcc.Link("Show all features", href=every, className="btn-link"),
    )


def _map(
    view: DriftView,
    rows: Sequence[FeatureRow],
    prefs: Preferences,
    path: str,
    search: str | None,
) -> Component:
    least = len(view.windows) * LEAST_CELL_PX
    names = [_name(view, row, path, search) for row in rows]
    said = words.counts(view)
    told = _told(rows, words.picked(view))
    cells = [
        html.Div(
            [html.Span("Feature"), html.Span("Importance"), html.Span("Harm")],
            className="map-head",
        ),
        html.Div(
            _picture(IDS.strip, strip(view, prefs), "Verdict of each window. " + said),
            className="map-strip",
        ),
        html.Div(names, className="map-names"),
        html.Div([_picture(IDS.map, heat_map(view, rows, prefs), said), told]),
    ]
    width = {"minWidth": f"calc({least}px + var(--map-names))"}
    return html.Div(cells, className="map-grid", style=width)


def _picture(graph_id: str, figure: dict[str, object], said: str) -> Component:
    graph = parts.graph(graph_id, figure)
    return html.Div(graph, role="img", **parts.aria(label=said))


def _name(view: DriftView, row: FeatureRow, path: str, search: str | None) -> Component:
    """The name of a row: a link that picks it, so that no mouse is needed."""
    active = row.name == view.picked_feature
    return dcc.Link(
        [
            html.Span(row.name, className="map-name"),
            html.Span(text.share(row.importance)),
            html.Span(text.number(row.harm, 3, sign=True)),
        ],
        href=links.href(path, links.with_query(search, feature=row.name)),
        className="map-row active" if active else "map-row",
        title=row.name if len(row.name) > LONG_NAME else None,
    )


def _told(rows: Sequence[FeatureRow], place: int | None) -> Component:
    """The map for those who cannot see it, with the values of the picked window."""
    return html.Div(
        words.listed(f"{row.name}: {_moved(row)}{_value(row, place)}" for row in rows),
        className="visually-hidden",
    )


def _moved(row: FeatureRow) -> str:
    moved = sum(cell.state in words.MARKED for cell in row.cells)
    return f"moved in {moved} of {len(row.cells)} windows"


def _value(row: FeatureRow, place: int | None) -> str:
    if place is None:
        return ""
    cell = row.cells[place]
    return f", picked {words.amount(cell.value)} {words.STATE_WORDS[cell.state]}"


def _legend(view: DriftView) -> Component:
    signs = {
        "drift": f"Drift: adjusted p below {view.q:g}",
        "watch": "Watch: flagged, small or not lasting",
        "missing": "More missing",
        "unseen": "Unseen categories",
        "few": f"Too few rows (below {view.least_rows})",
    }
    keys = [
        html.Span(
            [html.B(SIGNS[state], className=f"sign sign-{state}"), word],
            className="legend-key",
        )
        for state, word in signs.items()
    ]
    scale = html.Span(
        [
            "As without drift",
            html.Span(className="legend-scale"),
            f"{MOST} times that or more",
        ],
        className="legend-key",
    )
    return html.Div([scale, *keys], className="map-legend")


def notes(view: DriftView) -> Component:
    """What the cells were compared with, and what else must be known."""
    reference = REFERENCES.get(view.reference, view.reference)
    rows = text.number(view.reference_rows, 0)
    against = f"Compared with: {reference.lower()}, {rows} rows"
    if view.reference_hash:
        against += f", {view.reference_hash[:SHORT_HASH]}"
    return html.Ul(
        [html.Li(f"{against}."), *(html.Li(note) for note in view.notes)],
        className="drift-notes",
    )
