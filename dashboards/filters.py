"""The filter bar above a list: a search box and selects that write the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboards import parts

TYPING_MS = 400
ANY = "*"
"""What a filter holds that filters nothing: an empty value shows no word."""


def search_box(part: str, label: str, placeholder: str) -> Component:
    """A search box that waits until somebody has stopped typing."""
    box = dbc.Input(
        id=part,
        type="search",
        value="",
        debounce=TYPING_MS,
        maxlength=120,
        placeholder=placeholder,
    )
    return html.Label([parts.hidden(label), box])


def select(part: str, label: str, choices: Mapping[str, str]) -> Component:
    """A select whose first choice is the default; ``choices``: value -> words."""
    made = dbc.Select(
        id=part,
        options=[{"label": w, "value": v} for v, w in choices.items()],
        value=next(iter(choices)),
    )
    return html.Label([parts.hidden(label), made])


def options(
    any_word: str,
    values: Sequence[str],
    chosen: str,
    words: Mapping[str, str] | None = None,
) -> list[dict[str, str]]:
    """What a filter offers; a chosen value that nothing has stays on offer."""
    known = [*values, chosen] if chosen and chosen not in values else list(values)
    named = words or {}
    return [
        {"label": any_word, "value": ANY},
        *({"label": named.get(v, v), "value": v} for v in known),
    ]
