"""What people do about alerts: the buttons, and the small form some of them need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts
from dashboards.alert_words import IDS, VERDICTS, act_id
from services.alert_steps import TEXT_LENGTH

UNTIL: Mapping[str, tuple[str, timedelta]] = {
    "1h": ("1 hour", timedelta(hours=1)),
    "8h": ("8 hours", timedelta(hours=8)),
    "1d": ("1 day", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
}
NOBODY, ME = "-", "me"
NO_VERDICT = "-"


@dataclass(frozen=True)
class Action:
    """One thing that can be done: icon, words, and what its form asks.

    asks: parts of the form, of ``owner``, ``until``, ``verdict``, ``words``; nothing
    where it is done at once. words: what the text is called. done: what it is then.
    """

    icon: str
    title: str
    done: str
    asks: tuple[str, ...] = ()
    words: str = ""


ACTIONS: Mapping[str, Action] = {
    "acknowledge": Action("eye", "Acknowledge", "acknowledged"),
    "assign": Action("person-check", "Assign", "assigned", ("owner",)),
    "comment": Action("chat-left-text", "Comment", "commented", ("words",), "Comment"),
    "shelve": Action("pause-circle", "Shelve", "shelved", ("until", "words"), "Reason"),
    "unshelve": Action("play-circle", "Unshelve", "back from the shelf"),
    "resolve": Action(
        "check-circle", "Resolve", "resolved", ("verdict", "words"), "Note (if any)"
    ),
    "reopen": Action("arrow-counterclockwise", "Reopen", "open again"),
}
CHOSEN: tuple[str, ...] = ("acknowledge", "assign", "comment", "shelve", "resolve")
"""What is offered for several alerts together."""


def button(action: str, on: str, *, primary: bool = False) -> Component:
    """The button of an action on the alert that is open or on those chosen."""
    known = ACTIONS[action]
    look = "primary" if primary else "outline-secondary"
    return html.Button(
        [parts.icon(known.icon), known.title],
        id=act_id(action, on),
        type="button",
        className=f"btn btn-{look} btn-sm btn-with-icon",
    )


def bulk_bar() -> Component:
    """What can be done with the alerts whose boxes are ticked; hidden at first."""
    return html.Div(
        [
            html.Span(id=IDS.chosen, className="list-words", role="status"),
            *(button(action, "chosen") for action in CHOSEN),
        ],
        id=IDS.bulk,
        className="panel alert-bulk",
        hidden=True,
    )


def dialog() -> Component:
    """The form of every action; a timer never draws it anew."""
    asks: Component = dbc.Modal(
        [
            dbc.ModalHeader(html.H2(id=IDS.title, className="modal-title")),
            dbc.ModalBody(_fields(), class_name="alert-form"),
            dbc.ModalFooter(
                [
                    _footer("Cancel", IDS.cancel, "outline-secondary"),
                    _footer("Do it", IDS.confirm, "primary"),
                ]
            ),
        ],
        id=IDS.dialog,
        is_open=False,
        centered=True,
    )
    return html.Div([asks, dcc.Store(id=IDS.asked)])


def _fields() -> list[Component]:
    """Everything that any action asks; what it does not ask is hidden."""
    words = dbc.Textarea(id=IDS.words, value="", maxlength=TEXT_LENGTH, rows=3)
    verdict = dbc.RadioItems(
        id=IDS.verdict,
        options=_verdicts(),
        value=NO_VERDICT,
        inline=True,
        class_name="segments",
    )
    return [
        html.P(id=IDS.about, className="alert-about"),
        _box(IDS.owner_box, IDS.to, "Owner", _people(())),
        _box(IDS.until_box, IDS.until, "Until", _until()),
        html.Fieldset(
            [html.Legend("Was it worth somebody's time?"), verdict],
            id=IDS.verdict_box,
            className="field choice",
        ),
        html.Div(
            [dbc.Label("Words", id=IDS.words_label, html_for=IDS.words), words],
            id=IDS.words_box,
            className="field",
        ),
        html.Div(id=IDS.message, role="alert", className="form-message"),
    ]


def _footer(words: str, part: str, look: str) -> Component:
    return html.Button(words, id=part, type="button", className=f"btn btn-{look}")


def people_options(names: Sequence[str], me: str) -> list[dict[str, str]]:
    """Whom an alert can be given to; oneself first."""
    return _people([me, *(name for name in names if name != me)], me)


def _people(names: Sequence[str], me: str = "") -> list[dict[str, str]]:
    named = [
        {"label": f"{name} (you)" if name == me else name, "value": name}
        for name in names
    ]
    return [*named, {"label": "Nobody", "value": NOBODY}]


def _until() -> list[dict[str, str]]:
    return [{"label": words, "value": key} for key, (words, _) in UNTIL.items()]


def _verdicts() -> list[dict[str, str]]:
    said = [{"label": words, "value": key} for key, words in VERDICTS.items()]
    return [*said, {"label": "Not said", "value": NO_VERDICT}]


def _box(box: str, part: str, words: str, options: list[dict[str, str]]) -> Component:
    chooser = dbc.Select(id=part, options=options, value=options[0]["value"])
    return html.Div(
        [dbc.Label(words, html_for=part), chooser], id=box, className="field"
    )
