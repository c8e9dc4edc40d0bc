"""The header of a monitoring page about one model, and the way to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from dashboards import links, parts
from dashboards.header import MODEL_GOTO, MODEL_SWITCH, link_tabs, switcher
from dashboards.model_words import archived_tag, kind_words, verdict_chip
from dashboards.registry import Tab, built_dashboards
from services.models_views import ModelHeaderView
from services.units import Preferences

Options = Sequence[tuple[str, str]]
"""Name and label of each model one can go to."""


def model_header(
    view: ModelHeaderView,
    tab: Tab,
    tabs: Sequence[Tab],
    *,
    search: str | None,
    now: datetime,
    prefs: Preferences,
) -> list[Component | None]:
    """The header of a page about a model: what it is, how it is, where to go.

    Args:
        view: the model and the ones it can be changed for.
        tab: the open tab, kept when the model changes.
        tabs: the tabs that are built.
        search: the query string; its range and window are kept.
        now: the time of the view, for the age of the newest data.
        prefs: the reader's zone.
    """
    name = html.Div(
        [
            html.H1(view.name, className="model-title"),
            html.Span(kind_words(view.kind), className="place"),
        ],
        className="header-name",
    )
    state = html.Div(_state(view, now, prefs), className="header-state")
    row = [name, state, _switch(view.options, view.name, tab, search)]
    return [
        html.Div(row, className="header-row"),
        link_tabs(tab, tabs, None, search),
    ]


def choose_header(
    options: Options, tab: Tab, tabs: Sequence[Tab], search: str | None
) -> list[Component | None]:
    """The header while no model is chosen, or the one named does not exist."""
    title = next(d.title for d, _ in built_dashboards(tabs) if d.key == tab.dashboard)
    return [
        html.Div(
            [html.H1(title), _switch(options, None, tab, search)],
            className="header-row",
        ),
        link_tabs(tab, tabs, None, links.model_only(search, model=None)),
    ]


def switch_search(search: str | None, model: str) -> str:
    """The query string of another model: what only the old one has is left out."""
    return links.model_only(search, model=model, version=None, segment=None)


def _state(view: ModelHeaderView, now: datetime, prefs: Preferences) -> list[Component]:
    champion = view.version and view.version == view.champion
    shown: list[Component | None] = [
        verdict_chip(view.state, view.severity, view.verdict),
        parts.tag(f"version {view.version}") if view.version else None,
        parts.tag("champion") if champion else None,
        html.Span(["Newest data ", parts.moment(view.last_data, now, prefs)])
        if view.last_data
        else None,
        parts.simulated_badge() if view.simulated else None,
        archived_tag() if view.archived else None,
    ]
    return [part for part in shown if part is not None]


def _switch(
    options: Options, shown: str | None, tab: Tab, search: str | None
) -> Component:
    def address(model: str) -> str:
        return links.href(tab.address(), switch_search(search, model))

    plain = all(name == label for name, label in options)
    return switcher(
        "model",
        shown,
        # A thousand names are written once each where that is all there is.
        [name for name, _ in options]
        if plain
        else [{"label": label, "value": name} for name, label in options],
        address,
        ids=(MODEL_SWITCH, MODEL_GOTO),
    )
