"""Bulk commands on the Fleet tab: the button, the form, and the progress."""

from __future__ import annotations

from collections.abc import Mapping

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.ids import ident
from dashboards.live_pieces import mode_words
from data.records import MODES
from services.bulk_views import (
    STAGE_WORDS,
    BulkPreview,
    BulkView,
    Left,
    Stage,
)
from services.units import Preferences, unit

TAB = "fleet"
EVERY_MS = 2_000
TARGET, MODE = "target_temperature_c", "mode"
STATE_CHIPS: Mapping[str, tuple[str, str]] = {
    "running": ("info", "Running"),
    "done": ("good", "Ended"),
    "stopped": ("watch", "Stopped"),
}
STATE_WORDS: Mapping[str, str] = {
    "queued": "queued",
    "sent": "sent",
    "accepted": "accepted",
    "applied": "applied",
    "refused": "refused",
    "timed_out": "timed out",
    "expired": "expired",
    "superseded": "replaced",
}
LISTED = 20


class IDS:
    """The ids of the button, the form and the progress."""

    bar = ident(TAB, "bulk-bar")
    open = ident(TAB, "bulk-open")
    drawer = ident(TAB, "bulk-drawer")
    count = ident(TAB, "bulk-count")
    key = ident(TAB, "bulk-key")
    target = ident(TAB, "bulk-target")
    target_unit = ident(TAB, "bulk-unit")
    target_box = ident(TAB, "bulk-target-box")
    mode = ident(TAB, "bulk-mode")
    mode_box = ident(TAB, "bulk-mode-box")
    preview = ident(TAB, "bulk-preview")
    confirm = ident(TAB, "bulk-confirm")
    message = ident(TAB, "bulk-message")
    start = ident(TAB, "bulk-start")
    job = ident(TAB, "bulk-job")
    progress = ident(TAB, "bulk-progress")
    tick = ident(TAB, "bulk-tick")
    stop = ident(TAB, "bulk-stop")
    close = ident(TAB, "bulk-close")


def place() -> Component:
    """The button for those who may, the drawer, and room for the progress."""
    return html.Div(
        [
            html.Div(
                html.Button(
                    [parts.icon("send"), "Bulk command"],
                    id=IDS.open,
                    type="button",
                    className="btn btn-outline-secondary btn-sm btn-with-icon",
                ),
                id=IDS.bar,
                className="bulk-bar",
                hidden=True,
            ),
            html.Div(id=IDS.progress),
            dcc.Store(id=IDS.job),
            dcc.Interval(id=IDS.tick, interval=EVERY_MS, disabled=True),
            dbc.Offcanvas(
                _form(),
                id=IDS.drawer,
                title="Bulk command",
                placement="end",
                is_open=False,
                class_name="drawer",
            ),
        ],
        className="bulk-place",
    )


def declared() -> list[Component]:
    """The buttons that only a drawn progress has."""
    return [html.Button(id=IDS.stop), html.Button(id=IDS.close)]


def _form() -> Component:
    modes = [{"label": mode_words(mode), "value": mode} for mode in MODES]
    keys = [
        {"label": "Target temperature", "value": TARGET},
        {"label": "Mode", "value": MODE},
    ]
    typing = dbc.Input(
        id=IDS.target, type="text", inputmode="decimal", value="", maxlength=8,
        debounce=400,
    )  # fmt: skip
    return html.Div(
        [
            html.P(id=IDS.count, role="status"),
            _field(IDS.key, "What", dbc.Select(id=IDS.key, options=keys, value=TARGET)),
            html.Div(
                _field(
                    IDS.target,
                    "Target",
                    dbc.InputGroup([typing, dbc.InputGroupText(id=IDS.target_unit)]),
                ),
                id=IDS.target_box,
            ),
            html.Div(
                _field(
                    IDS.mode,
                    "Mode",
                    dbc.Select(id=IDS.mode, options=modes, value="eco"),
                ),
                id=IDS.mode_box,
                hidden=True,
            ),
            html.Div(id=IDS.preview),
            dbc.Checkbox(id=IDS.confirm, label="", value=False),
            html.Div(id=IDS.message, role="alert", className="form-message"),
            html.Button(
                "Start", id=IDS.start, type="button", className="btn btn-primary"
            ),
        ],
        className="device-form",
    )


def _field(part: str, words: str, control: Component) -> Component:
    return html.Div([dbc.Label(words, html_for=part), control], className="field")


def heaters(count: int) -> str:
    """``1 heater``, ``20 heaters``."""
    return f"{text.number(count, 0)} heater{'' if count == 1 else 's'}"


def count_words(found: int) -> str:
    """For whom the form is."""
    return f"The present filter shows {heaters(found)}."


def confirm_words(asked: int | None) -> str:
    """What the tick says yes to."""
    who = "the heaters" if asked is None else heaters(asked)
    return f"I want this for {who}, and have read what is said above"


def preview(found: BulkPreview) -> Component:
    """What starting would do."""
    sizes = ", then ".join(text.number(n, 0) for n in found.stages if n) or "none"
    lines: list[Component] = [
        html.Li(
            f"{heaters(found.asked)} asked in stages: {sizes}. The next "
            "stage begins when every heater of the last has answered or its time is "
            "over; it stops when more than 10 % of a stage refuse or do not answer."
        )
    ]
    if found.refused:
        lines.append(
            html.Li([f"{heaters(len(found.refused))} left out:", _left(found.refused)])
        )
    if found.ask:
        lines.append(html.Li([parts.chip("watch", "Safety"), f" {found.ask}"]))
    return html.Ul(lines, className="care-reasons")


def unit_words(prefs: Preferences) -> str:
    """The unit beside the target."""
    return unit("temperature", prefs)


def progress_card(view: BulkView, prefs: Preferences) -> Component:
    """A bulk command as it stands."""
    job = view.job
    button = ("Stop it", IDS.stop) if view.may_stop else ("Close", IDS.close)
    actions = html.Div(
        [
            parts.chip(*STATE_CHIPS[job.state]),
            html.Button(
                button[0],
                id=button[1],
                type="button",
                className="btn btn-outline-secondary btn-sm",
            ),
        ],
        className="bulk-actions",
    )
    left = view.left_total
    return parts.card(
        f"Bulk command: {wish_words(job.key, job.value, prefs)}",
        html.P(_state(view), className="care-gap", role="status"),
        parts.data_table(
            "Stages of the bulk command",
            ["Stage", "Heaters", "Not yet asked", "Waiting", "Applied", "Not applied"],
            [_stage(stage) for stage in view.stages if stage.heaters],
            numeric={1, 2, 3, 4},
        ),
        html.Details(
            [html.Summary(f"{heaters(left)} did not take it"), _left(view.left)],
            className="care-gap",
        )
        if left
        else None,
        actions=actions,
    )


def wish_words(key: str, value: object, prefs: Preferences) -> str:
    """``Target temperature 50.0 °C``, ``Mode Eco``."""
    if key == TARGET and isinstance(value, int | float):
        return f"Target temperature {text.quantity(key, float(value), prefs)}"
    return f"Mode {mode_words(str(value))}"


def _state(view: BulkView) -> str:
    job = view.job
    who = f"Asked by {job.asked_by}. "
    if job.state == "running":
        return f"{who}Stage {job.stage} of 3: {STAGE_WORDS[job.stage].lower()}."
    if job.state == "stopped":
        return (
            f"{who}Stopped: {job.reason.removeprefix('stopped ')}. Nobody else is "
            "asked; what was asked already stays asked."
        )
    applied = sum(stage.states.get("applied", 0) for stage in view.stages)
    return f"{who}Every stage has ended: applied by {heaters(applied)}."


def _stage(stage: Stage) -> list[Component | str]:
    ended = {
        words: stage.states.get(state, 0)
        for state, words in STATE_WORDS.items()
        if state in {"refused", "timed_out", "expired", "superseded"}
    }
    bad = [f"{count} {words}" for words, count in ended.items() if count]
    return [
        STAGE_WORDS[stage.number],
        text.number(stage.heaters, 0),
        text.number(stage.not_yet, 0),
        text.number(stage.open, 0),
        text.number(stage.states.get("applied", 0), 0),
        ", ".join(bad) or "none",
    ]


def _left(left: tuple[Left, ...]) -> Component:
    shown = [
        html.Li(
            [
                html.Code(item.device_id),
                f" {STATE_WORDS.get(item.state, item.state)}",
                f": {item.reason}" if item.reason else "",
            ]
        )
        for item in left[:LISTED]
    ]
    if len(left) > LISTED:
        shown.append(html.Li(f"and {len(left) - LISTED} more"))
    return html.Ul(shown, className="bulk-left")
