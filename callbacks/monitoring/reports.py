"""The Reports tab: the address holds the form; its buttons preview and make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dash import Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks import report_runs, report_schedules
from callbacks.errors import explained, guarded, show_toast
from callbacks.parsing import news
from callbacks.ranges import register_range
from callbacks.registration import Callbacks, caller, preferences
from dashboards import report_form as form
from dashboards import report_preview
from dashboards.monitoring import reports as tab
from dashboards.report_form import IDS, Form
from dashboards.report_runs import IDS as RUNS
from dashboards.shell import IDS as SHELL
from services.errors import ServiceError

if TYPE_CHECKING:
    from services.devices import Devices
    from services.models import Models
    from services.reports.compose_parts import Template
    from services.reports.desk import ReportDesk

CONTROLS = (IDS.template, IDS.models, IDS.devices, IDS.sections)
FORMATS = {IDS.pdf: "pdf", IDS.csv: "csv", IDS.zip: "zip"}
LONGEST = 60


class ReportServices(Protocol):
    """What the tab needs of the services."""

    @property
    def reports(self) -> ReportDesk:
        """The running of reports."""

    @property
    def models(self) -> Models:
        """Monitored models."""

    @property
    def devices(self) -> Devices:
        """The register of devices."""


def register(callbacks: Callbacks, services: ReportServices) -> None:
    """Connect the tab."""
    register_range(
        callbacks, tab.TAB, "report.run",
        presets=form.PRESETS, default=form.DEFAULT_FROM,
    )  # fmt: skip
    _register_form(callbacks, services)
    _register_controls(callbacks, services)
    _register_preview(callbacks, services)
    _register_making(callbacks, services)
    report_runs.register(callbacks, services)
    report_schedules.register(callbacks, services)


def _register_form(callbacks: Callbacks, services: ReportServices) -> None:
    kept = (
        *((part, "options") for part in CONTROLS),
        *((part, "value") for part in CONTROLS),
    )

    @callbacks.on(
        "report.run",
        *(Output(part, prop) for part, prop in kept),
        Output(IDS.about, "children"),
        Output(IDS.models_box, "hidden"),
        Output(IDS.devices_box, "hidden"),
        Output(IDS.zone, "children"),
        Input(SHELL.location, "search"),
        *(State(part, prop) for part, prop in kept),
    )
    def show_form(search: str | None, *held: object) -> Any:
        offered = services.reports.runs.templates(caller())
        asked, template = _fitting(form.read(search), offered)
        models = {m.spec.name: m.spec.name for m in _models(services, template)}
        devices = {
            d.id: f"{d.name} ({d.id})"[:LONGEST] for d in _devices(services, template)
        }
        sections = [key for key, _title in template.sections]
        now = [
            form.template_options(offered),
            form.named_options(models, asked.models),
            form.named_options(devices, asked.devices),
            form.section_options(template),
            template.key,
            list(asked.models),
            list(asked.devices),
            list(asked.sections) or sections,
        ]
        return (
            *news(held, now),
            template.description,
            template.needs not in {"models", "both"},
            template.needs not in {"devices", "both"},
            form.zone_words(preferences()),
        )


def _register_controls(callbacks: Callbacks, services: ReportServices) -> None:
    @callbacks.on(
        "report.run",
        Output(IDS.goto, "search"),
        *(Input(part, "value") for part in CONTROLS),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def write_address(
        template: object,
        models: object,
        devices: object,
        sections: object,
        search: str | None,
    ) -> str:
        held = form.read(search)
        if not isinstance(template, str) or not template:
            raise PreventUpdate
        chosen = Form(
            template, _names(models), _names(devices), _names(sections),
            held.text_from, held.text_to,
        )  # fmt: skip
        offered = services.reports.runs.templates(caller())
        before, _ = _fitting(held, offered)
        if chosen.template != before.template:
            chosen = Form(
                template, chosen.models, chosen.devices, (),
                held.text_from, held.text_to,
            )  # fmt: skip
        fitted, _ = _fitting(chosen, offered)
        if fitted == before:
            raise PreventUpdate
        return form.written(search, fitted)


def _register_preview(callbacks: Callbacks, services: ReportServices) -> None:
    @callbacks.on(
        "report.run",
        Output(tab.IDS.preview, "children"),
        Input(IDS.preview, "n_clicks"),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
        running=[(Output(IDS.preview, "disabled"), True, False)],
    )
    def show_preview(clicks: int | None, search: str | None) -> Any:
        if not clicks:
            raise PreventUpdate
        prefs, runs = preferences(), services.reports.runs

        def drawn() -> Any:
            asked, _ = _fitting(form.read(search), runs.templates(caller()))
            document = runs.preview(caller(), asked.raw(), prefs)
            return report_preview.preview(document, prefs)

        return guarded(drawn)

    @callbacks.on(
        "report.run",
        Output(tab.IDS.preview, "children", allow_duplicate=True),
        Input(report_preview.HIDE, "n_clicks"),
        prevent_initial_call=True,
    )
    def hide_preview(clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return None


def _register_making(callbacks: Callbacks, services: ReportServices) -> None:
    @callbacks.on(
        "report.run",
        Output(RUNS.changed, "data"),
        Output(IDS.message, "children"),
        *(Input(part, "n_clicks") for part in FORMATS),
        State(SHELL.location, "search"),
        prevent_initial_call=True,
    )
    def make(*given: Any) -> Any:
        *clicks, search = given
        kind = FORMATS.get(str(ctx.triggered_id))
        if not any(clicks) or kind is None:
            raise PreventUpdate
        runs = services.reports.runs
        asked, template = _fitting(form.read(search), runs.templates(caller()))
        try:
            run = runs.ask(caller(), {**asked.raw(), "format": kind}, preferences())
        except ServiceError as error:
            return no_update, explained(error)[0]
        show_toast("info", "Being made", f"{template.title} as {kind.upper()}")
        return run.id, None


def _fitting(asked: Form, offered: Sequence[Template]) -> tuple[Form, Template]:
    """The form with a template the caller may make, without what that does not take."""
    known = {template.key: template for template in offered}
    template = known.get(asked.template, offered[0])
    named = Form(
        template.key, asked.models, asked.devices, asked.sections,
        asked.text_from, asked.text_to,
    )  # fmt: skip
    return form.fitting(named, template), template


def _models(services: ReportServices, template: Template) -> Sequence[Any]:
    wanted = template.needs in {"models", "both"} and caller().may("model.read")
    return services.models.list(caller()) if wanted else ()


def _devices(services: ReportServices, template: Template) -> Sequence[Any]:
    wanted = template.needs in {"devices", "both"} and caller().may("device.read")
    return services.devices.list(caller()) if wanted else ()


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    return tuple(str(item) for item in value)
