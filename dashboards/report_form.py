"""What the report is about: template, subjects and sections; the range stands above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts
from dashboards.ids import ident
from services.reports.compose_parts import Template
from services.units import Preferences

TAB = "reports"
DEFAULT_TEMPLATE = "performance"
DEFAULT_FROM, DEFAULT_TO = "now-30d", "now"
PRESETS: tuple[tuple[str, str], ...] = (
    ("24 h", "now-24h"),
    ("7 days", "now-7d"),
    ("30 days", DEFAULT_FROM),
    ("13 weeks", "now-13w"),
    ("1 year", "now-1y"),
)
KEYS = ("template", "models", "devices", "sections")
"""What the address holds besides the range; lists with commas between."""

Options = list[dict[str, str]]


class IDS:
    """The ids that callbacks name."""

    template = ident(TAB, "template")
    about = ident(TAB, "about")
    models = ident(TAB, "models")
    models_box = ident(TAB, "models-box")
    devices = ident(TAB, "devices")
    devices_box = ident(TAB, "devices-box")
    sections = ident(TAB, "sections")
    zone = ident(TAB, "zone")
    preview = ident(TAB, "preview")
    pdf = ident(TAB, "make-pdf")
    csv = ident(TAB, "make-csv")
    zip = ident(TAB, "make-zip")
    message = ident(TAB, "message")
    goto = ident(TAB, "goto")


@dataclass(frozen=True)
class Form:
    """What the form holds; empty lists mean all."""

    template: str
    models: tuple[str, ...]
    devices: tuple[str, ...]
    sections: tuple[str, ...]
    text_from: str
    text_to: str

    def raw(self) -> dict[str, object]:
        """The request as the services read it."""
        return {
            "template": self.template, "from": self.text_from, "to": self.text_to,
            "models": list(self.models), "devices": list(self.devices),
            "sections": list(self.sections),
        }  # fmt: skip


def read(search: str | None) -> Form:
    """The form an address describes; a model of another tab is taken along."""
    query = links.parse_search(search)
    template = query.get("template", DEFAULT_TEMPLATE)
    models = _split(query.get("models", query.get("model", "")))
    return Form(
        template=template,
        models=models,
        devices=_split(query.get("devices", "")),
        sections=_split(query.get("sections", "")),
        text_from=query.get("from", DEFAULT_FROM),
        text_to=query.get("to", DEFAULT_TO),
    )


def written(search: str | None, form: Form) -> str:
    """The address of a form; the range of the present one is kept."""
    told = {
        "template": form.template,
        "models": ",".join(form.models) or None,
        "devices": ",".join(form.devices) or None,
        "sections": ",".join(form.sections) or None,
        "model": None,
    }
    return links.with_query(search, **told)


def fitting(form: Form, template: Template) -> Form:
    """The form without what its template does not take."""
    known = [key for key, _title in template.sections]
    chosen = tuple(key for key in form.sections if key in known)
    return Form(
        template=form.template,
        models=form.models if template.needs in {"models", "both"} else (),
        devices=form.devices if template.needs in {"devices", "both"} else (),
        sections=() if len(chosen) == len(known) else chosen,
        text_from=form.text_from,
        text_to=form.text_to,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in text.split(",") if part))


def form() -> Component:
    """The controls; options and values come from the address."""
    return parts.card(
        "Make a report",
        html.Div(
            [
                _field(IDS.template, "Report", dbc.Select(id=IDS.template, options=[])),
                html.P(id=IDS.about, className="report-note"),
                html.Div(
                    _field(IDS.models, "Models", _many(IDS.models, "Every model")),
                    id=IDS.models_box,
                ),
                html.Div(
                    _field(IDS.devices, "Heaters", _many(IDS.devices, "Every heater")),
                    id=IDS.devices_box,
                ),
                html.Fieldset(
                    [
                        html.Legend("Sections"),
                        dbc.Checklist(id=IDS.sections, options=[], value=[]),
                    ],
                    className="report-sections",
                ),
                html.P(id=IDS.zone, className="report-note"),
                html.Div(id=IDS.message, role="alert", className="form-message"),
                html.Div(
                    [
                        _button(IDS.preview, "eye", "Preview", "outline-secondary"),
                        _button(IDS.pdf, "file-earmark-pdf", "Make PDF", "primary"),
                        _button(IDS.csv, "filetype-csv", "CSV", "outline-secondary"),
                        _button(IDS.zip, "file-zip", "ZIP", "outline-secondary"),
                    ],
                    className="report-buttons",
                ),
                dcc.Location(id=IDS.goto, refresh="callback-nav"),
            ],
            className="report-fields",
        ),
        class_name="report-form",
    )


def zone_words(prefs: Preferences) -> str:
    """In which zone and units it will be."""
    units = f"°{prefs.temperature_unit}, {prefs.volume_unit}, {prefs.pressure_unit}"
    return f"Times in {prefs.time_zone}, {units}: as chosen in your menu."


def template_options(templates: Sequence[Template]) -> Options:
    """The templates on offer."""
    return [{"label": t.title, "value": t.key} for t in templates]


def section_options(template: Template) -> Options:
    """The sections of a template."""
    return [{"label": title, "value": key} for key, title in template.sections]


def named_options(names: Mapping[str, str], chosen: Sequence[str]) -> Options:
    """Names by value; one that does not exist stays on offer if it is chosen."""
    known = {**names, **{key: key for key in chosen if key not in names}}
    return [{"label": name, "value": key} for key, name in known.items()]


def _many(part: str, words: str) -> Component:
    return dcc.Dropdown(id=part, options=[], value=[], multi=True, placeholder=words)


def _field(part: str, words: str, control: Component) -> Component:
    return html.Div([dbc.Label(words, html_for=part), control], className="field")


def _button(part: str, icon: str, words: str, look: str) -> Component:
    shown: list[Any] = [parts.icon(icon), words]
    classes = f"btn btn-{look} btn-with-icon"
    return html.Button(shown, id=part, type="button", className=classes)
