"""What the templates of reports share: their form, their sources and their subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from data.alert_pattern_store import AlertPatternStore
from data.model_records import Model
from data.model_store import ModelStore
from data.records import Device
from services.access import Principal
from services.alerts import Alerts
from services.audit import Audit
from services.devices import Devices
from services.drift import Drift
from services.fleet import Fleet
from services.history import History
from services.ledger import Ledger
from services.maintenance import Maintenance
from services.metrics import Metrics
from services.models import Models
from services.performance import Performance
from services.reports.document import Section
from services.reports.query import ReportQuery
from services.units import Preferences

Progress = Callable[[float, str], None]
"""Told the share that is done, from 0 to 1, and what is done next."""
Needs = Literal["models", "devices", "both", "neither"]
SUBJECTS_NAMED = 6
AT_ONCE = 4
"""Subjects that are read at once."""
READING_SHARE = 0.95
S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Template:
    """What a report holds and who may make it.

    sections: key and title of each; needs: of what it is; permissions: all of them
    are needed; chapters: whether every subject has a chapter of its own.
    """

    key: str
    title: str
    description: str
    sections: tuple[tuple[str, str], ...]
    needs: Needs
    permissions: tuple[str, ...]
    chapters: bool


@dataclass(frozen=True)
class Sources:
    """The services of the screens, all on one clock, and stores they read."""

    alerts: Alerts
    audit: Audit
    devices: Devices
    drift: Drift
    fleet: Fleet
    history: History
    ledger: Ledger
    maintenance: Maintenance
    metrics: Metrics
    models: Models
    performance: Performance
    activations: AlertPatternStore
    model_store: ModelStore


@dataclass(frozen=True)
class Job:
    """A report being composed: ``query`` is checked, its end is not in the future.

    models and devices: the subjects, in the order of their names. progress takes the
    share of the template's own work.
    """

    caller: Principal
    query: ReportQuery
    sources: Sources
    models: tuple[Model, ...]
    devices: tuple[Device, ...]
    now: datetime
    progress: Progress

    @property
    def prefs(self) -> Preferences:
        """The reader's units and zone."""
        return self.query.preferences

    @property
    def span(self) -> tuple[str, str]:
        """The range as the services read it."""
        return self.query.start.isoformat(), self.query.end.isoformat()

    def each(
        self, subjects: Sequence[S], work: Callable[[S], T], say: Callable[[S], str]
    ) -> list[T]:
        """What is made of each subject, in their order; some are read at a time."""
        found: list[T] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for subject, one in zip(subjects, pool.map(work, subjects), strict=True):
                found.append(one)
                done = len(found) / len(subjects)
                self.progress(done * READING_SHARE, say(subject))
        return found

    def each_model(self, work: Callable[[Model], T], words: str) -> list[T]:
        """The same for the models of the report."""
        return self.each(self.models, work, lambda m: f"{words} of {m.spec.name}")

    def wants(self, section: str) -> bool:
        """Whether a section was asked for."""
        return not self.query.sections or section in self.query.sections


@dataclass(frozen=True)
class Made:
    """What a template made: its sections, what its title block says, its footnotes."""

    sections: Sequence[Section]
    facts: tuple[tuple[str, str], ...] = ()
    footnotes: Sequence[str] = ()


def moment_words(moment: datetime, prefs: Preferences) -> str:
    """A time in the reader's zone with its offset: ``9 Mar 2026, 01:00 UTC+01:00``."""
    local = moment.astimezone(prefs.zone)
    offset = local.strftime("%z")
    return f"{local.day} {local:%b %Y}, {local:%H:%M} UTC{offset[:3]}:{offset[3:5]}"


def subject_words(template: Template, job: Job) -> str:
    """Of what the report is, in a few words."""
    names = [m.spec.name for m in job.models] + [d.name for d in job.devices]
    if template.needs == "neither" or (template.needs == "both" and not names):
        return "All models and heaters"
    kind = "models" if template.needs == "models" else "heaters"
    if not (job.query.models or job.query.devices):
        return f"All {kind} ({len(names):,})"
    more = len(names) - SUBJECTS_NAMED
    shown = ", ".join(names[:SUBJECTS_NAMED])
    return shown + (f" and {more:,} more" if more > 0 else "")


def local(moment: datetime, prefs: Preferences) -> datetime:
    """A time in the reader's zone, as tables hold it."""
    return moment.astimezone(prefs.zone)


def reference_fact(model: Model, hash_: str) -> tuple[str, str]:
    """What a model is held against, as the title block says it."""
    return "Reference", f"{model.spec.name}: {hash_ or 'none'}"
