"""The form of a route: to whom alerts are told, of what and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.fleet_table import TYPES
from dashboards.ids import ident
from data.alert_records import SEVERITIES
from data.records import DEVICE_TYPES
from services.notify_routes import RouteView
from services.units import Preferences, time_zones

TAB = "notifications"
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MOST_TYPED = 4_000


@dataclass(frozen=True)
class Field:
    """One field; ``kind``: ``text``, ``area``, ``time``, ``select`` or ``checks``."""

    name: str
    label: str
    kind: str = "text"
    note: str = ""
    wide: bool = False

    @property
    def id(self) -> str:
        """The id of its control."""
        return ident(TAB, f"field-{self.name.replace('_', '-')}")

    @property
    def error_id(self) -> str:
        """The id of the place of its error."""
        return ident(TAB, f"error-{self.name.replace('_', '-')}")


GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "To whom",
        (
            Field("name", "Name"),
            Field("kind", "By", "select"),
            Field(
                "targets", "Addresses, or the URL", "area",
                "One address a line, each gets its own mail; or one URL.",
                wide=True,
            ),
        ),
    ),
    (
        "Of what",
        (
            Field("severities", "Severities", "checks", wide=True),
            Field("sources", "Alerts of", "checks", wide=True),
            Field("device_ids", "Heaters by id", note="Empty = all; commas between."),
            Field("buildings", "Buildings", note="Empty = all."),
            Field("device_types", "Types", "checks", "None = all.", wide=True),
            Field("model_names", "Models by name", note="Empty = all."),
            Field("model_tags", "Tags of models", note="Empty = all; one is enough."),
        ),
    ),
    (
        "When",
        (
            Field("quiet_start", "Quiet from", "time"),
            Field("quiet_end", "until", "time", "Not after the start: the next day."),
            Field("quiet_zone", "Time zone", "select"),
            Field("digest_minutes", "Gather for (min)", note="0 = at once."),
            Field("quiet_days", "Quiet hours begin on", "checks", wide=True),
            Field("options", "Besides", "checks", wide=True),
        ),
    ),
)  # fmt: skip
FIELDS: tuple[Field, ...] = tuple(field for _, fields in GROUPS for field in fields)
CHOICES: Mapping[str, Mapping[Any, str]] = {
    "kind": {"mail": "Mail", "webhook": "Webhook"},
    "severities": {severity: severity.capitalize() for severity in SEVERITIES},
    "sources": {"device": "Water heaters", "model": "Models"},
    "device_types": {kind: TYPES[kind] for kind in DEVICE_TYPES},
    "quiet_zone": {zone: zone for zone in time_zones()},
    "quiet_days": dict(enumerate(DAY_NAMES)),
    "options": {
        "enabled": "In use",
        "recovery": "Tell when it is over",
        "critical_at_once": "Critical alerts at once, always",
    },
}


class IDS:
    """The ids of the form that callbacks name, besides those of its fields."""

    held = ident(TAB, "form-held")
    message = ident(TAB, "form-message")
    save = ident(TAB, "form-save")
    rotate = ident(TAB, "form-rotate")
    remove = ident(TAB, "form-remove")
    typed = ident(TAB, "form-typed")


def title(route: RouteView | None) -> str:
    """What stands above the form."""
    return f"Edit {route.name}" if route else "Add a route"


def form(route: RouteView | None, prefs: Preferences) -> Component:
    """The form; ``None`` adds a route."""
    values = shown(route, prefs)
    return html.Div(
        [
            dcc.Store(id=IDS.held, data=_held(route)),
            *(
                html.Fieldset(
                    [
                        html.Legend(legend),
                        html.Div(
                            [_row(f, values[f.name], route) for f in fields],
                            className="form-grid",
                        ),
                    ]
                )
                for legend, fields in GROUPS
            ),
            html.Div(id=IDS.message, role="alert", className="form-message"),
            html.Button(
                "Save" if route else "Add",
                id=IDS.save,
                type="button",
                className="btn btn-primary",
            ),
            _secret(route),
            _removal(route),
        ],
        className="device-form",
    )


def shown(route: RouteView | None, prefs: Preferences) -> dict[str, Any]:
    """What each control holds."""
    if route is None:
        return {
            "name": "", "kind": "mail", "targets": "",
            "severities": list(SEVERITIES), "sources": ["device", "model"],
            "device_ids": "", "buildings": "", "device_types": [],
            "model_names": "", "model_tags": "", "quiet_start": "", "quiet_end": "",
            "quiet_zone": prefs.time_zone, "quiet_days": list(range(7)),
            "digest_minutes": "0", "options": list(CHOICES["options"]),
        }  # fmt: skip
    spec, quiet = route.spec, route.spec.quiet
    chosen = {
        "enabled": route.enabled,
        "recovery": spec.recovery,
        "critical_at_once": spec.critical_at_once,
    }
    return {
        "name": route.name,
        "kind": route.kind,
        "targets": "\n".join(spec.targets),
        "severities": list(spec.severities),
        "sources": list(spec.sources),
        "device_ids": ", ".join(spec.device_ids),
        "buildings": ", ".join(spec.buildings),
        "device_types": list(spec.device_types),
        "model_names": ", ".join(spec.model_names),
        "model_tags": ", ".join(spec.model_tags),
        "quiet_start": quiet.start if quiet else "",
        "quiet_end": quiet.end if quiet else "",
        "quiet_zone": quiet.zone if quiet else prefs.time_zone,
        "quiet_days": list(quiet.days if quiet else range(7)),
        "digest_minutes": str(spec.digest_minutes),
        "options": [name for name, on in chosen.items() if on],
    }


def _held(route: RouteView | None) -> dict[str, Any] | None:
    if route is None:
        return None
    return {
        "id": route.id, "revision": route.revision,
        "name": route.name, "kind": route.kind,
    }  # fmt: skip


def _row(field: Field, value: Any, route: RouteView | None) -> Component:
    label: Component = (
        html.Div(field.label, className="form-label", id=f"{field.id}-label")
        if field.kind == "checks"
        else dbc.Label(field.label, html_for=field.id)
    )
    return html.Div(
        [
            label,
            _control(field, value, locked=field.name == "kind" and route is not None),
            html.Div(field.note, className="row-note") if field.note else None,
            html.Div(id=field.error_id, className="field-error", role="alert"),
        ],
        className="field wide" if field.wide else "field",
    )


def _control(field: Field, value: Any, *, locked: bool) -> Component:
    made: Component
    if field.kind == "checks":
        made = dbc.Checklist(
            id=field.id, options=_options(field.name), value=value, inline=True
        )
    elif field.kind == "select":
        made = dbc.Select(
            id=field.id, options=_options(field.name), value=value, disabled=locked
        )
    elif field.kind == "area":
        made = dbc.Textarea(id=field.id, value=value, rows=3, maxlength=MOST_TYPED)
    else:
        made = dbc.Input(
            id=field.id,
            type="time" if field.kind == "time" else "text",
            value=value,
            maxlength=MOST_TYPED,
        )
    return made


def _options(name: str) -> Sequence[dict[str, Any]]:
    return [{"label": words, "value": key} for key, words in CHOICES[name].items()]


def _secret(route: RouteView | None) -> Component:
    return html.Fieldset(
        [
            html.Legend("Secret"),
            html.P(
                "It signs what is sent and was shown once. A new one makes it void at "
                "once.",
                className="row-note",
            ),
            html.Button(
                "Save with a new secret",
                id=IDS.rotate,
                type="button",
                className="btn btn-outline-secondary",
            ),
        ],
        hidden=route is None or route.kind != "webhook",
    )


def _removal(route: RouteView | None) -> Component:
    name = route.name if route else ""
    return html.Fieldset(
        [
            html.Legend("Remove"),
            dbc.Label(
                ["What waits is then not sent. Type its name: ", html.Strong(name)],
                html_for=IDS.typed,
            ),
            html.Div(
                [
                    dbc.Input(
                        id=IDS.typed, type="text", value="", maxlength=120,
                        autocomplete="off",
                    ),
                    html.Button(
                        "Remove", id=IDS.remove, type="button",
                        className="btn btn-danger",
                    ),
                ],
                className="remove-row",
            ),
        ],
        hidden=route is None,
        className="form-life",
    )  # fmt: skip


def declared() -> list[Component]:
    """Everything with an id, for Dash's checks: the form of a new route."""
    return [form(None, Preferences())]
