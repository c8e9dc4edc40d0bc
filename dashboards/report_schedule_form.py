"""The form of a schedule in its drawer: name, range, when, formats and recipients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.ids import ident
from data.report_records import Schedule
from services.reports.cron import DAY_WORDS, DAYS, PRESETS
from services.units import Preferences, time_zones

TAB = "reports"
CRON = "cron"
RANGES: Mapping[str, tuple[str, str, str]] = {
    "day": ("The day before", "now-1d/d", "now/d"),
    "week": ("The week before, from Monday", "now-1w/w", "now/w"),
    "month": ("The month before", "now-1M/M", "now/M"),
    "7d": ("The last 7 days", "now-7d", "now"),
    "30d": ("The last 30 days", "now-30d", "now"),
    "13w": ("The last 13 weeks", "now-13w", "now"),
}
"""Key -> words, ``from`` and ``to``, counted from the time it is due."""


class IDS:
    """The ids that callbacks name."""

    place = ident(TAB, "schedules")
    box = ident(TAB, "schedules-box")
    changed = ident(TAB, "schedules-changed")
    add = ident(TAB, "schedule-add")
    drawer = ident(TAB, "schedule-drawer")
    held = ident(TAB, "schedule-held")
    about = ident(TAB, "schedule-about")
    name = ident(TAB, "schedule-name")
    range = ident(TAB, "schedule-range")
    kind = ident(TAB, "schedule-kind")
    time = ident(TAB, "schedule-time")
    time_box = ident(TAB, "schedule-time-box")
    day = ident(TAB, "schedule-day")
    day_box = ident(TAB, "schedule-day-box")
    date = ident(TAB, "schedule-date")
    date_box = ident(TAB, "schedule-date-box")
    cron = ident(TAB, "schedule-cron")
    cron_box = ident(TAB, "schedule-cron-box")
    zone = ident(TAB, "schedule-zone")
    formats = ident(TAB, "schedule-formats")
    recipients = ident(TAB, "schedule-recipients")
    enabled = ident(TAB, "schedule-enabled")
    message = ident(TAB, "schedule-message")
    save = ident(TAB, "schedule-save")


FIELDS = (
    IDS.name, IDS.range, IDS.kind, IDS.time, IDS.day, IDS.date, IDS.cron, IDS.zone,
    IDS.formats, IDS.recipients, IDS.enabled,
)  # fmt: skip
"""The controls of the form, in the order of ``values``."""


def values(kept: Schedule | None, prefs: Preferences) -> list[Any]:
    """What the controls hold for a schedule, or for a new one."""
    if kept is None:
        zone = prefs.time_zone
        return ["", "week", "weekly", "06:00", "mon", "1", "0 6 * * 1", zone,
                ["pdf"], "", True]  # fmt: skip
    spec: Mapping[str, Any] = kept.spec
    bounds = (spec["from"], spec["to"])
    known = [key for key, (_w, *rule) in RANGES.items() if tuple(rule) == bounds]
    kind, time, day, date = _when(str(spec["cron"]))
    return [
        kept.name, known[0] if known else f"{bounds[0]} {bounds[1]}", kind, time, day,
        date, spec["cron"], spec["time_zone"], spec["formats"],
        "\n".join(spec["recipients"]), kept.enabled,
    ]  # fmt: skip


def range_options(chosen: str) -> list[dict[str, str]]:
    """The ranges on offer; one of the command line stays on offer if chosen."""
    named = {key: words for key, (words, *_rule) in RANGES.items()}
    if chosen not in named:
        named[chosen] = chosen.replace(" ", " to ")
    return [{"label": words, "value": key} for key, words in named.items()]


def _when(cron: str) -> tuple[str, str, str, str]:
    """A preset and its parts, or ``cron`` with those of a new schedule."""
    minute, hour, date, month, day = cron.lower().split()
    plain = minute.isdigit() and hour.isdigit() and month == "*"
    if plain:
        time = f"{int(hour):02}:{int(minute):02}"
        if date == day == "*":
            return "daily", time, "mon", "1"
        if date == "*" and (day.isdigit() or day in DAYS):
            return "weekly", time, DAYS[int(day) % 7] if day.isdigit() else day, "1"
        if day == "*" and date.isdigit() and int(date) <= 28:
            return "monthly", time, "mon", date
    return CRON, "06:00", "mon", "1"


def _when_fields() -> list[Component]:
    kinds = {**{key: words for key, (words, _c) in PRESETS.items()}, CRON: "By cron"}
    days = dict(zip((*DAYS[1:], DAYS[0]), (*DAY_WORDS[1:], DAY_WORDS[0]), strict=True))
    start = values(None, Preferences())
    return [
        _field(IDS.kind, "When", _select(IDS.kind, kinds, "weekly")),
        _boxed(IDS.time_box, IDS.time, "Time", _typed(IDS.time, 5, start[3])),
        _boxed(IDS.day_box, IDS.day, "Day", _select(IDS.day, days, "mon")),
        _boxed(
            IDS.date_box, IDS.date, "Day of the month",
            _select(IDS.date, {str(i): str(i) for i in range(1, 29)}, "1"),
        ),
        _boxed(IDS.cron_box, IDS.cron, "Cron", _typed(IDS.cron, 80, start[6])),
    ]  # fmt: skip


def form() -> Component:
    """The form of a new schedule; ``values`` fills it for another."""
    return html.Div(
        [
            html.P(id=IDS.about, className="report-note"),
            _field(IDS.name, "Name", _typed(IDS.name, 120)),
            _field(
                IDS.range, "About",
                dbc.Select(id=IDS.range, options=range_options("week"), value="week"),
            ),
            *_when_fields(),
            _field(
                IDS.zone, "Time zone",
                dcc.Dropdown(
                    id=IDS.zone, options=list(time_zones()), value="UTC",
                    clearable=False,
                ),
            ),
            _field(
                IDS.formats, "As",
                dbc.Checklist(
                    id=IDS.formats, inline=True, value=["pdf"],
                    options=[{"label": k.upper(), "value": k}
                             for k in ("pdf", "csv", "zip")],
                ),
            ),
            _field(
                IDS.recipients, "Mail to, one address a line",
                dbc.Textarea(id=IDS.recipients, rows=3, value="", maxlength=14_000),
            ),
            dbc.Checkbox(id=IDS.enabled, label="Switched on", value=True),
            html.Div(id=IDS.message, role="alert", className="form-message"),
            html.Button(
                "Save", id=IDS.save, type="button", className="btn btn-primary"
            ),
        ],
        className="device-form",
    )  # fmt: skip


def _select(part: str, words: Mapping[str, str], value: str) -> Component:
    options = [{"label": label, "value": key} for key, label in words.items()]
    return dbc.Select(id=part, options=options, value=value)  # type: ignore[no-any-return]


def _typed(part: str, most: int, value: str = "") -> Component:
    return dbc.Input(  # type: ignore[no-any-return]
        id=part, type="text", value=value, maxlength=most, autocomplete="off"
    )


def _field(part: str, words: str, control: Component) -> Component:
    return html.Div([dbc.Label(words, html_for=part), control], className="field")


def _boxed(box: str, part: str, words: str, control: Component) -> Component:
    return html.Div(_field(part, words, control), id=box)
