"""A question that is asked before something is done."""

from __future__ import annotations

from typing import Protocol

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component


class DialogIds(Protocol):
    """The ids of a dialog's parts."""

    dialog: str
    question: str
    cancel: str
    confirm: str


def question(
    ids: type[DialogIds], yes: str, look: str, class_name: str = ""
) -> Component:
    """A closed dialog; its words come when it is asked.

    Args:
        ids: class that names the parts.
        yes: what the button that does it says.
        look: Bootstrap's kind of that button, as ``danger``.
        class_name: style class of the dialog.
    """
    asks: Component = dbc.Modal(
        [
            dbc.ModalBody(id=ids.question),
            dbc.ModalFooter(
                [
                    _button("Cancel", ids.cancel, "outline-secondary"),
                    _button(yes, ids.confirm, look),
                ]
            ),
        ],
        id=ids.dialog,
        is_open=False,
        centered=True,
        class_name=class_name,
    )
    return asks


def _button(words: str, ident: str, look: str) -> Component:
    return html.Button(words, id=ident, type="button", className=f"btn btn-{look}")
