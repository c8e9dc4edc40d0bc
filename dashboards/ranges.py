"""The time range bar that charts of one page share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.ids import ident
from services.units import Preferences

DAY: tuple[str, str] = ("24 h", "now-24h")
WEEK: tuple[str, str] = ("7 days", "now-7d")
TWO_WEEKS: tuple[str, str] = ("14 days", "now-14d")
MONTH: tuple[str, str] = ("30 days", "now-30d")
PRESETS: tuple[tuple[str, str], ...] = (DAY, WEEK, TWO_WEEKS, MONTH)
"""Words of a preset and its ``from``; ``to`` is always ``now``."""


def place(tab: str) -> Component:
    """Where the range bar of a tab will be: part of the tab's skeleton."""
    waiting = html.Div(
        [
            dcc.DatePickerRange(id=ident(tab, "range-dates")),
            dcc.Location(id=ident(tab, "range-goto"), refresh="callback-nav"),
        ],
        hidden=True,
    )
    return html.Div(waiting, id=ident(tab, "range"), className="range-place")


def range_bar(
    tab: str,
    path: str,
    search: str | None,
    prefs: Preferences,
    *,
    presets: Sequence[tuple[str, str]] = PRESETS,
    default: str = WEEK[1],
) -> Component:
    """Preset ranges as links, and two dates for any other range.

    Args:
        tab: key of the tab, for the ids.
        path: the address of the page.
        search: its query string; every other key of it is kept.
        prefs: the reader's zone.
        presets: words and ``from`` of each preset.
        default: the ``from`` that counts when the address has none.
    """
    query = links.parse_search(search)
    start, end = query.get("from", default), query.get("to", "now")
    items = [
        _preset(words, value, path, search, active=(start, end) == (value, "now"))
        for words, value in presets
    ]
    known = end == "now" and start in {value for _, value in presets}
    dates = dcc.DatePickerRange(
        id=ident(tab, "range-dates"),
        start_date=None if known else _date(start, prefs),
        end_date=None if known else _date(end, prefs, last=True),
        display_format="D MMM YYYY",
        start_date_placeholder_text="From",
        end_date_placeholder_text="To",
        minimum_nights=0,
        updatemode="bothdates",
        number_of_months_shown=1,
    )
    return html.Div(
        [
            html.Nav(items, className="presets", **parts.aria(label="Time range")),
            html.Div(
                [html.Span("Other range", className="range-label"), dates],
                className="range-dates" + ("" if known else " active"),
            ),
            html.Span(f"Times in {prefs.time_zone}", className="range-zone"),
            dcc.Location(id=ident(tab, "range-goto"), refresh="callback-nav"),
        ],
        className="range-bar",
    )


def _preset(
    words: str, value: str, path: str, search: str | None, *, active: bool
) -> Component:
    return dcc.Link(
        [words, parts.hidden("(shown)") if active else None],
        href=links.href(path, links.with_query(search, **{"from": value, "to": "now"})),
        className="preset" + (" active" if active else ""),
    )


def _date(bound: str, prefs: Preferences, *, last: bool = False) -> str | None:
    """The local day of an absolute bound; a range ends before its ``to``."""
    try:
        when = datetime.fromisoformat(bound)
    except ValueError:
        return None  # a relative bound has no day of its own
    if when.tzinfo is None:
        return None
    if last:
        when -= timedelta(microseconds=1)
    return when.astimezone(prefs.zone).date().isoformat()


def described(start: datetime, end: datetime, prefs: Preferences) -> str:
    """A range in words: both ends in local time and its length."""
    first, last = text.local_time(start, prefs), text.local_time(end, prefs)
    return f"{first} to {last} ({text.duration(end - start)})"
