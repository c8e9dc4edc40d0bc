"""The form in which an administrator makes or changes an alert rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards.ids import ident
from dashboards.rule_fields import (
    GROUPS,
    RULE_FIELDS,
    TAB,
    RuleField,
    hidden_rows,
    metric_choices,
    shown,
    unit_words,
)
from services.alert_rules import RuleSpec
from services.units import Preferences


class RULE_IDS:  # noqa: N801 - a namespace of ids, as every tab's
    """The ids of the form that callbacks name, besides those of its fields."""

    held = ident(TAB, "rule-held")
    message = ident(TAB, "rule-problem")
    save = ident(TAB, "rule-save")
    preview = ident(TAB, "rule-preview")
    previewed = ident(TAB, "rule-previewed")
    able = ident(TAB, "rule-able")
    ask = ident(TAB, "rule-ask")
    dialog = ident(TAB, "rule-dialog")
    question = ident(TAB, "rule-question")
    confirm = ident(TAB, "rule-confirm")
    cancel = ident(TAB, "rule-cancel")


def form(
    spec: RuleSpec | None, revision: int, prefs: Preferences, *, may_edit: bool
) -> Component:
    """The form; ``None`` makes a new rule."""
    held = {"key": spec.key, "revision": revision} if spec else None
    values = {f.name: shown(f, spec, prefs) for f in RULE_FIELDS}
    hidden = hidden_rows(
        *(values[n] for n in ("source", "metric", "operator", "limit"))
    )
    return html.Div(
        [
            dcc.Store(id=RULE_IDS.held, data=held),
            *(_group(t, fields, spec, values, hidden, prefs) for t, fields in GROUPS),
            html.Div(id=RULE_IDS.message, role="alert", className="form-message"),
            _buttons(spec, may_edit=may_edit),
            html.Div(id=RULE_IDS.previewed, className="rule-preview"),
        ],
        className="device-form rule-form",
    )


def _group(
    title: str,
    fields: Iterable[RuleField],
    spec: RuleSpec | None,
    values: Mapping[str, Any],
    hidden: Mapping[str, bool],
    prefs: Preferences,
) -> Component:
    rows = [
        _row(
            f, values[f.name], hidden[f.name], spec, unit_words(values["metric"], prefs)
        )
        for f in fields
    ]
    return html.Fieldset([html.Legend(title), html.Div(rows, className="form-grid")])


def _row(
    field: RuleField, value: Any, hidden: bool, spec: RuleSpec | None, unit_: str
) -> Component:
    label: list[Any] = [field.label]
    if field.measured:
        said = f" ({unit_})" if unit_ else ""
        label.append(html.Span(said, id=field.unit_id))
    fixed = spec is not None and field.name in {"key", "source"}
    title: Component = dbc.Label(label, html_for=field.id)
    if field.kind == "checks":
        title = html.Div(label, className="form-label")
    return html.Div(
        [
            title,
            _control(field, value, spec, fixed=fixed),
            html.Small(field.hint, className="row-note") if field.hint else None,
            html.Div(id=field.error_id, className="field-error", role="alert"),
        ],
        id=field.row_id,
        className="field" + (" wide" if field.kind in {"long", "checks"} else ""),
        hidden=hidden,
    )


def _control(
    field: RuleField, value: Any, spec: RuleSpec | None, *, fixed: bool
) -> Component:
    choices = field.choices or {}
    if field.name == "metric" and spec is not None:
        choices = metric_choices(spec.source)
    listed: list[Any] = [{"label": w, "value": v} for v, w in choices.items()]
    made: Component
    if field.kind == "checks":
        made = dbc.Checklist(id=field.id, options=listed, value=value, inline=True)
    elif field.kind == "choice":
        made = dbc.Select(id=field.id, options=listed, value=value, disabled=fixed)
    elif field.kind == "long":
        made = dbc.Textarea(id=field.id, value=value, rows=2, maxlength=500)
    else:
        made = dbc.Input(
            id=field.id,
            type="text",
            value=value,
            maxlength=2_000 if field.kind == "list" else 300,
            inputmode="decimal" if field.kind == "number" else "text",
            disabled=fixed,
        )
    return made


def _buttons(spec: RuleSpec | None, *, may_edit: bool) -> Component:
    able = "Switch off" if spec and spec.enabled else "Switch on"
    return html.Div(
        [
            _button(
                "Check against the last 90 days",
                RULE_IDS.preview,
                "btn-outline-secondary",
            ),
            _button(
                "Save" if spec else "Make the rule",
                RULE_IDS.save,
                "btn-primary",
                not may_edit,
            ),
            _button(
                able, RULE_IDS.able, "btn-outline-secondary", not may_edit or not spec
            ),
            _button(
                "Remove", RULE_IDS.ask, "btn-outline-danger", not may_edit or not spec
            ),
        ],
        className="button-row",
    )


def _button(words: str, part: str, look: str, hidden: bool = False) -> Component:
    return html.Button(
        words, id=part, type="button", hidden=hidden, className=f"btn {look}"
    )


def declared() -> list[Component]:
    """Everything with an id, for Dash's checks: the form of a new rule."""
    return [form(None, 0, Preferences(), may_edit=True)]
