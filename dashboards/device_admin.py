"""What an administrator sees of a heater's secret, beside the form that edits it."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import text
from dashboards.device_form import TAB
from dashboards.ids import ident
from data.records import Device
from services.credentials import IN_USE, CredentialView
from services.units import Preferences

ONCE = (
    "This secret is not shown again: copy it to the heater now. It is the password of "
    "HTTP Basic and of MQTT; the user name is the heater's id."
)


class IDS:
    """The ids that callbacks name."""

    box = ident(TAB, "credential")
    issue = ident(TAB, "credential-issue")
    revoke = ident(TAB, "credential-revoke")
    secret = ident(TAB, "credential-secret")


def credential(
    device: Device | None, view: CredentialView | None, prefs: Preferences
) -> Component:
    """The part of the form about the secret; hidden for a heater that is not yet."""
    possible = device is not None and device.life_cycle in IN_USE
    return html.Fieldset(
        [
            html.Legend("Credentials"),
            html.Div(box(view, prefs, possible=possible), id=IDS.box),
        ],
        hidden=device is None,
    )


def box(
    view: CredentialView | None,
    prefs: Preferences,
    *,
    possible: bool = True,
    secret: str | None = None,
    problem: Component | str | None = None,
) -> list[Component | None]:
    """What stands in the part.

    Args:
        view: the secret the heater has, if any.
        prefs: the reader's time zone.
        possible: whether the heater may have one now.
        secret: one that has just been issued, shown this once.
        problem: why the last press did not work.
    """
    return [
        html.P(_words(view, prefs, possible), className="row-note"),
        _shown(secret),
        html.Div(problem, role="alert", className="form-message"),
        html.Div(
            [
                _button(IDS.issue, "Rotate" if view else "Issue", hidden=not possible),
                _button(IDS.revoke, "Revoke", hidden=view is None),
            ],
            className="button-row",
        ),
    ]


def _words(view: CredentialView | None, prefs: Preferences, possible: bool) -> str:
    if view is None:
        may = "Issue one" if possible else "Activate the heater to issue one"
        return f"It has no secret. {may} so that it can send readings by itself."
    made = text.local_time(view.made_at, prefs)
    used = "not used over HTTP yet"
    if view.used_at:
        used = f"last used over HTTP {text.local_time(view.used_at, prefs)}"
    after = (
        "Rotate or Revoke makes it void at once."
        if possible
        else "It is refused while the heater is not in use."
    )
    return f"Issued {made}, {used}. {after}"


def _shown(secret: str | None) -> Component:
    """The secret with a button that copies it; there, but hidden, without one."""
    return html.Div(
        [
            dbc.Label("Secret", html_for=IDS.secret),
            html.Div(
                [
                    dbc.Input(
                        id=IDS.secret,
                        type="text",
                        value=secret or "",
                        readonly=True,
                        autocomplete="off",
                        class_name="secret",
                    ),
                    dcc.Clipboard(
                        target_id=IDS.secret,
                        title="Copy the secret",
                        className="btn btn-outline-secondary",
                    ),
                ],
                className="remove-row",
            ),
            html.P(ONCE, role="status", className="secret-once"),
        ],
        hidden=secret is None,
    )


def _button(part: str, words: str, *, hidden: bool) -> Component:
    return html.Button(
        words,
        id=part,
        type="button",
        hidden=hidden,
        className="btn btn-outline-secondary",
    )


def declared() -> list[Component]:
    """Everything with an id, for Dash's checks."""
    return [credential(None, None, Preferences())]
