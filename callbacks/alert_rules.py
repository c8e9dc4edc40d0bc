"""The Rules view of the Alerts tab: look at rules, try them on the past, save them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from dash import Input, Output, State, ctx, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from callbacks.errors import guarded, show_toast
from callbacks.registration import Callbacks, caller, preferences
from callbacks.rule_form import FieldProblem, read_rule_form
from dashboards import alert_words, links, rule_list
from dashboards.rule_fields import (
    EXPRESSION,
    RULE_FIELDS,
    hidden_rows,
    metric_options,
    unit_words,
)
from dashboards.rule_form import RULE_IDS
from dashboards.rule_list import LIST_IDS, NEW, YAML
from dashboards.shell import IDS as SHELL
from services.access import Principal
from services.alert_replay import Replay
from services.alert_rulebook import Applied, RuleView
from services.alert_rules import RuleSpec
from services.errors import InvalidInput, NotFound

FIELD = {field.name: field for field in RULE_FIELDS}
MEASURED = tuple(field for field in RULE_FIELDS if field.measured)
CHOOSING = ("source", "metric", "operator", "limit")
"""The fields on which it depends which others are shown."""
LONGEST_FILE = 1_000_000
READS = "alert.read"
"""The permission of changes too: a form that appears calls them once without a click,
also for those who may only look. Who may change is checked by the service."""


class Rules(Protocol):
    """The part of the rules' service that the view needs."""

    def list(self, caller: Principal) -> tuple[RuleView, ...]:
        """Every rule."""

    def get(self, caller: Principal, key: str) -> RuleView:
        """One rule."""

    def save(self, caller: Principal, spec: RuleSpec, revision: int = 0) -> RuleView:
        """Store a rule."""

    def enable(
        self, caller: Principal, key: str, enabled: bool, revision: int | None = None
    ) -> RuleView:
        """Switch a rule on or off."""

    def remove(self, caller: Principal, key: str, revision: int | None = None) -> None:
        """Remove a rule."""

    def export(self, caller: Principal) -> str:
        """All rules as YAML."""

    def apply(self, caller: Principal, text: str) -> Applied:
        """Store the rules of a file."""

    def preview(self, caller: Principal, spec: RuleSpec, days: int = 90) -> Replay:
        """What a rule would have done."""


class RuleServices(Protocol):
    """What the view needs of the services."""

    @property
    def rules(self) -> Rules:
        """Alert rules."""


def register(callbacks: Callbacks, services: RuleServices) -> None:
    """Connect the view."""
    _register_page(callbacks, services)
    _register_choices(callbacks)
    _register_save(callbacks, services)
    _register_preview(callbacks, services)
    _register_removal(callbacks, services)
    _register_file(callbacks, services)


def _register_page(callbacks: Callbacks, services: RuleServices) -> None:
    @callbacks.on(
        "alert.read",
        Output(LIST_IDS.place, "children"),
        Input(SHELL.location, "search"),
        Input(LIST_IDS.saved, "data"),
    )
    def show_rules(search: str | None, _saved: object) -> Any:
        query = links.parse_search(search)
        if query.get("view") != "rules":
            raise PreventUpdate
        return guarded(lambda: _drawn(services, query.get("rule", ""), query))


def _drawn(services: RuleServices, key: str, query: dict[str, str]) -> Component:
    prefs, may_edit = preferences(), caller().may("rule.write")
    if not key:
        found = services.rules.list(caller())
        return rule_list.rules(found, prefs, may_edit=may_edit)
    if key == YAML:
        return rule_list.file(services.rules.export(caller()), may_edit=may_edit)
    if key == NEW:
        return rule_list.rule(None, prefs, may_edit=may_edit)
    try:
        view = services.rules.get(caller(), key)
    except NotFound:
        return rule_list.missing(key)
    proposed = _proposed(view.spec, query.get("threshold"))
    return rule_list.rule(view, prefs, proposed, may_edit=may_edit)


def _proposed(spec: RuleSpec, typed: str | None) -> RuleSpec | None:
    """The rule with a threshold that a link proposes, in the stored unit."""
    if typed is None or spec.threshold is None:
        return None
    try:
        number = float(typed)
    except ValueError:
        raise InvalidInput("threshold must be a number.") from None
    return None if number == spec.threshold else replace(spec, threshold=number)


def _register_choices(callbacks: Callbacks) -> None:
    @callbacks.on(
        "alert.read",
        *(Output(field.row_id, "hidden") for field in RULE_FIELDS),
        *(Output(field.unit_id, "children") for field in MEASURED),
        Output(FIELD["metric"].id, "options"),
        Output(FIELD["metric"].id, "value"),
        *(Input(FIELD[name].id, "value") for name in CHOOSING),
        prevent_initial_call=True,
    )
    def choose(source: str, metric: str, operator: str, limit: str) -> Any:
        offered = metric_options(source)
        values = [option["value"] for option in offered]
        kept = metric in values
        metric = metric if kept else values[0]
        hidden = hidden_rows(source, metric, operator, limit)
        unit = unit_words(metric, preferences())
        said = f" ({unit})" if unit and metric != EXPRESSION else ""
        return [
            *(hidden[field.name] for field in RULE_FIELDS),
            *(said for _ in MEASURED),
            offered,
            no_update if kept else metric,
        ]


def _typed(services: RuleServices, held: object, values: list[object]) -> RuleSpec:
    """The rule that the form holds, on top of the one that is stored."""
    before = None
    if isinstance(held, dict):
        before = services.rules.get(caller(), str(held.get("key"))).spec
    return read_rule_form(values, before, preferences())


def _told(problem: InvalidInput | None) -> list[str]:
    """What stands under each field, and under all of them."""
    field = problem.field if isinstance(problem, FieldProblem) else ""
    under = [str(problem) if f.name == field else "" for f in RULE_FIELDS]
    whole = "Some fields are not right." if field else str(problem or "")
    return [*under, whole]


ERRORS = (
    *(Output(field.error_id, "children") for field in RULE_FIELDS),
    Output(RULE_IDS.message, "children"),
)
VALUES = tuple(State(field.id, "value") for field in RULE_FIELDS)


def _register_save(callbacks: Callbacks, services: RuleServices) -> None:
    @callbacks.on(
        READS,
        *ERRORS,
        Output(alert_words.IDS.goto, "search", allow_duplicate=True),
        Output(LIST_IDS.saved, "data"),
        Input(RULE_IDS.save, "n_clicks"),
        Input(RULE_IDS.able, "n_clicks"),
        State(RULE_IDS.held, "data"),
        *VALUES,
        prevent_initial_call=True,
    )
    def save(saved: int | None, able: int | None, held: object, *values: object) -> Any:
        if not (saved or able):
            raise PreventUpdate
        known = held if isinstance(held, dict) else {}
        revision = int(known.get("revision") or 0)
        if ctx.triggered_id == RULE_IDS.able:
            view = services.rules.get(caller(), str(known.get("key")))
            on = not view.spec.enabled
            services.rules.enable(caller(), view.spec.key, on, revision)
            show_toast("good", "Saved", f"{view.spec.name} is {'on' if on else 'off'}.")
            return [*_told(None), no_update, f"{view.spec.key} {revision + 1}"]
        try:
            spec = _typed(services, held, list(values))
        except InvalidInput as error:
            return [*_told(error), no_update, no_update]
        view = services.rules.save(caller(), spec, revision)
        show_toast("good", "Saved", f"{view.spec.name} watches as it stands here.")
        search = links.build_search({"view": "rules", "rule": view.spec.key})
        return [*_told(None), search, f"{view.spec.key} {view.revision}"]


def _register_preview(callbacks: Callbacks, services: RuleServices) -> None:
    @callbacks.on(
        "alert.read",
        *(
            Output(o.component_id, o.component_property, allow_duplicate=True)
            for o in ERRORS
        ),
        Output(RULE_IDS.previewed, "children"),
        Input(RULE_IDS.preview, "n_clicks"),
        State(RULE_IDS.held, "data"),
        *VALUES,
        prevent_initial_call=True,
        running=[(Output(RULE_IDS.preview, "disabled"), True, False)],
    )
    def preview(clicks: int | None, held: object, *values: object) -> Any:
        if not clicks:
            raise PreventUpdate
        try:
            spec = _typed(services, held, list(values))
        except InvalidInput as error:
            return [*_told(error), None]
        found = services.rules.preview(caller(), spec)
        return [*_told(None), rule_list.replayed(found, preferences())]


def _register_removal(callbacks: Callbacks, services: RuleServices) -> None:
    @callbacks.on(
        READS,
        Output(RULE_IDS.dialog, "is_open"),
        Output(RULE_IDS.question, "children"),
        Input(RULE_IDS.ask, "n_clicks"),
        Input(RULE_IDS.cancel, "n_clicks"),
        State(RULE_IDS.held, "data"),
        prevent_initial_call=True,
    )
    def ask(asked: int | None, _cancelled: int | None, held: object) -> Any:
        if ctx.triggered_id == RULE_IDS.cancel:
            return False, no_update
        if not asked or not isinstance(held, dict):
            raise PreventUpdate
        key = str(held.get("key"))
        return True, (
            f"Remove the rule {key}? Nothing watches for it any more; its open alerts "
            "clear and stay in the log."
        )

    @callbacks.on(
        READS,
        Output(RULE_IDS.dialog, "is_open", allow_duplicate=True),
        Output(alert_words.IDS.goto, "search", allow_duplicate=True),
        Input(RULE_IDS.confirm, "n_clicks"),
        State(RULE_IDS.held, "data"),
        prevent_initial_call=True,
    )
    def remove(clicks: int | None, held: object) -> Any:
        if not clicks or not isinstance(held, dict):
            raise PreventUpdate
        key, revision = str(held.get("key")), int(held.get("revision") or 0)
        services.rules.remove(caller(), key, revision)
        show_toast("good", "Removed", f"The rule {key} is gone.")
        return False, links.build_search({"view": "rules"})


def _register_file(callbacks: Callbacks, services: RuleServices) -> None:
    @callbacks.on(
        READS,
        Output(LIST_IDS.applied, "children"),
        Input(LIST_IDS.apply, "n_clicks"),
        State(LIST_IDS.yaml, "value"),
        prevent_initial_call=True,
    )
    def apply(clicks: int | None, text: object) -> Any:
        if not clicks:
            raise PreventUpdate
        try:
            done = services.rules.apply(caller(), str(text or "")[: LONGEST_FILE + 1])
        except InvalidInput as error:
            return str(error)
        changed = f"{len(done.added)} made, {len(done.changed)} changed"
        said = f"{changed}, {len(done.same)} as they were."
        show_toast("good", "Applied", said)
        return said
