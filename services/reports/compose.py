"""Composes reports from the services of the screens, so that their numbers are one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from data.engine import QueryTimeout
from data.model_records import Model
from data.records import Device
from services.access import Principal, requires
from services.errors import Busy, InvalidInput, NotFound
from services.reports import (
    template_alerts,
    template_audit,
    template_drift,
    template_fleet,
    template_heater,
    template_performance,
)
from services.reports.compose_parts import (
    Job,
    Progress,
    Sources,
    Template,
    moment_words,
    subject_words,
)
from services.reports.document import Document
from services.reports.query import ReportQuery

MAKERS = (
    template_performance,
    template_drift,
    template_alerts,
    template_fleet,
    template_heater,
    template_audit,
)
TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {maker.TEMPLATE.key: maker.TEMPLATE for maker in MAKERS}
)
MOST_MODELS = 50
MOST_DEVICES = 200
"""Most subjects of a template that gives each a chapter."""


class Composer:
    """Makes documents.

    ``sources`` builds the services on the clock it is given, that of the run: the same
    data and the same clock give the same document. ``most_days`` is the longest range.
    """

    def __init__(
        self, sources: Callable[[Callable[[], datetime]], Sources], most_days: int
    ) -> None:
        self._sources = sources
        self._most_days = most_days

    def check(self, caller: Principal, query: ReportQuery) -> Template:
        """The template, if the caller may make it and its sections and range exist.

        Raises:
            Forbidden: the caller may not make this template.
            InvalidInput: an unknown template or section, or a range too long.
        """
        template = TEMPLATES.get(query.template)
        if template is None:
            raise InvalidInput(
                f"There is no template {query.template[:40]!r}: choose one of "
                f"{', '.join(TEMPLATES)}."
            )
        for permission in ("report.run", *template.permissions):
            requires(caller, permission)
        known = [key for key, _ in template.sections]
        for section in query.sections:
            if section not in known:
                raise InvalidInput(
                    f"The report {template.key} has no section {section[:40]!r}: "
                    f"choose from {', '.join(known)}."
                )
        _check_needs(template, query)
        if query.end <= query.start:
            raise InvalidInput("The range of the report ends before it begins.")
        if query.end - query.start > timedelta(days=self._most_days, hours=2):
            raise InvalidInput(
                f"The range is longer than {self._most_days} days, the most that a "
                "report covers (setting IOTSPHERE_REPORT_WINDOW_DAYS)."
            )
        return template

    def compose(
        self,
        caller: Principal,
        query: ReportQuery,
        now: datetime,
        progress: Progress | None = None,
    ) -> Document:
        """The report.

        Args:
            caller: needs ``report.run`` and the permissions of the template.
            query: what it is about; an end in the future is cut at ``now``.
            now: the clock of the run.
            progress: told the share that is done, and the next step.

        Raises:
            Forbidden: the caller may not make this template.
            InvalidInput: an unknown template or section, a range that cannot be
                answered, or more subjects than fit.
            NotFound: no such model or device.
            Busy: a store did not answer in time.
        """
        template = self.check(caller, query)
        if query.start >= now:
            raise InvalidInput("The range of the report lies in the future.")
        query = replace(query, end=min(query.end, now))
        sources = self._sources(lambda: now)
        job = Job(
            caller=caller,
            query=query,
            sources=sources,
            models=_models(template, sources, caller, query),
            devices=_devices(template, sources, caller, query),
            now=now,
            progress=progress or _silent,
        )
        job.progress(0.0, template.title)
        maker = next(m for m in MAKERS if m.TEMPLATE.key == template.key)
        try:
            made = maker.made(job)
        except QueryTimeout as error:
            raise Busy(
                "The report's numbers took too long to read. Try again."
            ) from error
        job.progress(1.0, "Composed")
        return Document(
            template=template.key,
            title=template.title,
            subtitle=subject_words(template, job),
            made_at=now,
            zone=query.preferences.time_zone,
            facts=(*_facts(template, job), *made.facts),
            sections=tuple(made.sections),
            footnotes=tuple(dict.fromkeys(made.footnotes)),
        )


def _silent(_share: float, _step: str) -> None:
    return


def _check_needs(template: Template, query: ReportQuery) -> None:
    for kind, asked in (("models", query.models), ("devices", query.devices)):
        if asked and template.needs not in {kind, "both"}:
            raise InvalidInput(f"The report {template.key} takes no {kind}.")


def _models(
    template: Template, sources: Sources, caller: Principal, query: ReportQuery
) -> tuple[Model, ...]:
    if template.needs not in {"models", "both"}:
        return ()
    if template.needs == "both" and not query.models:
        return ()
    known = {m.spec.name: m for m in sources.models.list(caller)}
    if query.models:
        for name in query.models:
            if name not in known:
                raise NotFound(f"There is no model {name[:80]}.")
        found = [known[name] for name in sorted(set(query.models))]
    else:
        found = [m for _, m in sorted(known.items()) if not m.spec.archived]
    if template.chapters and len(found) > MOST_MODELS:
        raise InvalidInput(
            f"{len(found):,} models are more than the {MOST_MODELS} that one report "
            "has chapters for: name fewer."
        )
    return tuple(found)


def _devices(
    template: Template, sources: Sources, caller: Principal, query: ReportQuery
) -> tuple[Device, ...]:
    if template.needs not in {"devices", "both"}:
        return ()
    if template.needs == "both" and not query.devices:
        return ()
    if query.devices:
        named = sorted(set(query.devices))
        if template.chapters and len(named) > MOST_DEVICES:
            raise _too_many_devices(len(named))
        found = [sources.devices.get(caller, device_id) for device_id in named]
    else:
        found = sources.devices.list(caller)
    if template.chapters and len(found) > MOST_DEVICES:
        raise _too_many_devices(len(found))
    return tuple(sorted(found, key=lambda d: (d.name.casefold(), d.id)))


def _too_many_devices(count: int) -> InvalidInput:
    return InvalidInput(
        f"{count:,} heaters are more than the {MOST_DEVICES} that one report has "
        "chapters for: name fewer."
    )


def _facts(template: Template, job: Job) -> tuple[tuple[str, str], ...]:
    prefs, query = job.prefs, job.query
    facts = [
        ("From", moment_words(query.start, prefs)),
        ("To (not included)", moment_words(query.end, prefs)),
        ("Time zone", prefs.time_zone),
        ("Data as of", moment_words(job.now, prefs)),
    ]
    if template.needs == "devices":
        units = (f"°{prefs.temperature_unit}", prefs.volume_unit, prefs.pressure_unit)
        facts.append(("Units", ", ".join((*units, "kWh", "W"))))
    return tuple(facts)
