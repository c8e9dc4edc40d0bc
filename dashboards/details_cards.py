"""The cards of the Details tab that are tables: shadow, flagged values, events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.live_pieces import REASONS, mode_words
from dashboards.pager import pager
from data.records import EVENT_CATEGORIES
from services.details import DetailsView, EventsView, ShadowRow
from services.units import QUANTITIES, Preferences

CATEGORY_WORDS: Mapping[str, str] = {
    "": "All",
    "status": "Status",
    "alert": "Alerts",
    "maintenance": "Maintenance",
    "user": "People",
    "system": "System",
}
SHOWN_CHARACTERS = 120


def shadow_card(view: DetailsView, prefs: Preferences) -> Component:
    """Reported and desired state, key by key, and where they differ."""
    shadow = view.shadow
    if shadow is None:
        content = parts.empty_state(
            "No shadow yet",
            "This device has never reported one. It appears when the device sends "
            "its state.",
        )
        return parts.card("Device shadow", content)
    rows = [
        [
            html.Code(row.key),
            _shadow_cell(row.key, row.reported, row.reported_at, view, prefs),
            _shadow_cell(row.key, row.desired, row.desired_at, view, prefs),
            _delta(row),
        ]
        for row in shadow.rows
    ]
    table = parts.data_table(
        "Reported and desired state", ["Key", "Reported", "Desired", "Delta"], rows
    )
    note: list[Any] = [
        f"Version {shadow.version}, ",
        parts.moment(shadow.updated_at, view.now, prefs),
    ]
    return parts.card("Device shadow", table, actions=html.Span(note, className="age"))


def _delta(row: ShadowRow) -> Component | str:
    if row.desired is None:
        return text.NO_DATA
    if row.differs:
        return parts.chip("watch", "Not reported yet")
    return parts.chip("good", "As desired")


def _shadow_cell(
    key: str,
    value: object,
    when: datetime | None,
    view: DetailsView,
    prefs: Preferences,
) -> list[Component | str]:
    said: list[Component | str] = [_shadow_words(key, value, prefs)]
    if when is not None:
        said.append(html.Div(parts.moment(when, view.now, prefs), className="row-note"))
    return said


def _shadow_words(key: str, value: object, prefs: Preferences) -> str:
    if value is None:
        return text.NO_DATA
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and key in QUANTITIES:
        return text.quantity(key, float(value), prefs)
    return mode_words(value) if key == "mode" else str(value)[:SHOWN_CHARACTERS]


def doubts_card(view: DetailsView, prefs: Preferences) -> Component:
    """Values that are stored, flagged and never counted: which, why, when."""
    since = html.Span("7 days", className="age")
    if not view.doubts:
        content = parts.empty_state(
            "Nothing flagged",
            "Every value of the last 7 days is taken as it was sent."
            if view.last_seen
            else "This heater has never reported.",
        )
        return parts.card("Flagged values", content, actions=since)
    rows = [
        [
            text.label(doubt.metric),
            REASONS[doubt.reason].capitalize(),
            text.number(doubt.count, 0),
            text.quantity(doubt.metric, doubt.newest, prefs),
            text.local_time(doubt.first, prefs),
            text.local_time(doubt.last, prefs),
        ]
        for doubt in view.doubts
    ]
    table = parts.data_table(
        "Values that are not trusted",
        ["What", "Why", "Values", "Newest", "First", "Last"],
        rows,
        numeric={2, 3},
    )
    return parts.card("Flagged values", table, actions=since)


def events_card(
    view: DetailsView, prefs: Preferences, path: str, search: str | None
) -> Component:
    """The event log, by category and page."""
    events = view.events
    if not events.total:
        which = CATEGORY_WORDS[events.category].lower()
        words = (
            f"No event of this kind ({which})" if events.category else "No event yet"
        )
        content = parts.empty_state(words, "Events appear here as they happen.")
    else:
        rows = [
            [
                text.local_time(event.ts, prefs, seconds=True),
                CATEGORY_WORDS[event.category],
                parts.severity_chip(event.severity),
                event.message,
                event.actor,
            ]
            for event in events.events
        ]
        content = parts.data_table(
            "Event log", ["When", "Category", "Severity", "What", "Who"], rows
        )
    return parts.card(
        f"Events ({text.number(events.total, 0)})",
        content,
        pager(events.page, events.pages, path, search),
        actions=_categories(events, path, search),
    )


def _categories(events: EventsView, path: str, search: str | None) -> Component:
    items = [
        dcc.Link(
            [
                CATEGORY_WORDS[category],
                parts.hidden("(shown)") if category == events.category else None,
            ],
            href=links.href(
                path, links.with_query(search, category=category, page=None)
            ),
            className="preset" + (" active" if category == events.category else ""),
        )
        for category in ("", *EVENT_CATEGORIES)
    ]
    return html.Nav(items, className="presets", **parts.aria(label="Event category"))
