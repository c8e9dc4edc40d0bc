"""The heater report: identity, history, Legionella and scald, events and care."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from data.maintenance_store import Service
from data.records import Device
from services.devices import place_of
from services.history import HistoryView
from services.history_drawn import DECIMALS, drawn
from services.maintenance import MaintenanceView
from services.reports.compose_parts import Job, Made, Template
from services.reports.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Section,
    Table,
    Text,
)
from services.reports.heater_charts import charts
from services.reports.heater_ledger import NOTE as LEDGER_NOTE
from services.reports.heater_ledger import ledger_blocks
from services.units import QUANTITIES, Preferences, convert, unit
from services.wording import converted, duration, local_date, quantity, share

TEMPLATE = Template(
    key="heater",
    title="Water heater",
    description="One chapter for each heater: identity, key figures, temperature, "
    "energy, pressure and flow, Legionella and scald, events and maintenance.",
    sections=(
        ("identity", "Identity"),
        ("figures", "Key figures"),
        ("history", "History"),
        ("ledger", "Legionella and scald"),
        ("days", "Energy and temperature"),
        ("events", "Events"),
        ("maintenance", "Maintenance"),
    ),
    needs="devices",
    permissions=("device.read", "fleet.read", "telemetry.export"),
    chapters=True,
)
NOTES = (
    "Values that are not trusted are left out everywhere; a gap in a line is a gap "
    "in the readings.",
    "Energy: from the meter, or from power over time where there is none. Hot water: "
    "flow over time. Both from 15-minute buckets of trusted readings.",
    "Uptime: share of the range covered by readings. Temperature kept: share of the "
    "judged time with the tank no more than 5 K below target.",
)
TYPES = {
    "electric": "Electric",
    "heat_pump": "Heat pump",
    "gas": "Gas",
    "tankless": "Tankless",
}
NOT_STATED = "not stated"
MOST_ENTRIES = 500


def made(job: Job) -> Made:
    """The report on the heaters of a job."""
    if not job.devices:
        words = Text("No heater is registered.")
        return Made([Section("identity", "Identity", (words,))])
    chapters = job.each(
        job.devices, lambda d: _chapter(job, d), lambda d: f"Heater {d.name}"
    )
    sections = [section for chapter in chapters for section in chapter]
    notes = [*NOTES, LEDGER_NOTE] if job.wants("ledger") else list(NOTES)
    return Made(sections, footnotes=notes)


def _chapter(job: Job, device: Device) -> list[Section]:
    view = job.sources.history.export(job.caller, device.id, *job.span, job.prefs.zone)
    blocks: dict[str, tuple[Block, ...]] = {}
    head: tuple[Block, ...] = ()
    if job.wants("identity"):
        head = (_identity(device, job.prefs),)
    for key, _ in TEMPLATE.sections[1:]:
        if job.wants(key):
            blocks[key] = _blocks(job, view, key)
    parts = [
        Section(f"{key}-{device.id}", title, blocks[key], level=2)
        for key, title in TEMPLATE.sections
        if blocks.get(key)
    ]
    title = device.name if device.name == device.id else f"{device.name} ({device.id})"
    return [Section(f"heater-{device.id}", title, head), *parts]


def _blocks(job: Job, view: HistoryView, key: str) -> tuple[Block, ...]:
    makers: Mapping[str, Callable[[], tuple[Block, ...]]] = {
        "figures": lambda: (_figures(view, job.prefs),),
        "history": lambda: charts(view, job.prefs),
        "ledger": lambda: ledger_blocks(job, view.device),
        "days": lambda: (_days(view, job.prefs),),
        "events": lambda: _events(view),
        "maintenance": lambda: _maintenance(job, view.device),
    }
    if not view.shown.usage.readings:
        if key == "figures":
            return (Text(_missing(view, job.prefs)),)
        if key in {"history", "days"}:
            return ()
    return makers[key]()


def _missing(view: HistoryView, prefs: Preferences) -> str:
    if view.span is None:
        return "No reading of this heater has come yet."
    first, last = (local_date(moment, prefs) for moment in view.span)
    return f"No reading lies in this range; there are some from {first} to {last}."


def _identity(device: Device, prefs: Preferences) -> Table:
    low, high = device.setpoint_min_c, device.setpoint_max_c
    stated = low is not None and high is not None
    words = [quantity("target_temperature_c", v, prefs) for v in (low, high)]
    valve = {None: None, True: "Recorded", False: "None"}[device.mixing_valve]
    facts: list[tuple[str, str | None]] = [
        ("Id", device.id),
        ("Make", device.manufacturer),
        ("Model", device.model),
        ("Serial number", device.serial),
        ("Place", place_of(device) or None),
        ("Type", TYPES.get(device.type or "")),
        ("Capacity", _amount("capacity_l", device.capacity_l, prefs)),
        ("Rated power", _amount("rated_power_w", device.rated_power_w, prefs)),
        ("Target can be set", " to ".join(words) if stated else None),
        ("Mixing valve", valve),
        ("Installed", _day(device.installed_on)),
        ("Warranty until", _day(device.warranty_until)),
        ("Life cycle", device.life_cycle),
        ("Data", "Simulated" if device.simulated else "From the device itself"),
    ]
    columns = (Column("fact", "What", width=1.0), Column("value", "Stated", width=2.5))
    rows = tuple((name, value or NOT_STATED) for name, value in facts)
    return Table(f"identity-{device.id}", "Identity", columns, rows)


def _amount(metric: str, value: float | None, prefs: Preferences) -> str | None:
    return None if value is None else quantity(metric, value, prefs)


def _day(day: date | None) -> str | None:
    return None if day is None else f"{day.day} {day:%b %Y}"


def _figures(view: HistoryView, prefs: Preferences) -> Figures:
    usage, warmth = view.shown.usage, view.shown.temperature
    ends = (quantity("temperature_c", v, prefs) for v in (warmth.low, warmth.high))
    spread, heated = " to ".join(ends), ""
    if usage.heating_s is not None:
        heated = f"{duration(usage.heating_s)} heating in {usage.cycles} cycles"
    left_out = ""
    if view.shown.flagged:
        part = share(view.shown.flagged / usage.readings, 1)
        left_out = f"{view.shown.flagged:,} ({part}) have a value that is not trusted"
    return Figures(
        (
            _figure("Mean temperature", "temperature_c", warmth.mean, spread, prefs),
            _figure("Energy", "energy_kwh", usage.energy_kwh, heated, prefs),
            _figure("Hot water drawn", "water_l", usage.volume_l, "", prefs),
            Figure("Uptime", usage.uptime * 100, "%", 1),
            Figure(
                "Temperature kept",
                None if usage.kept is None else usage.kept * 100,
                "%",
                1,
                "no more than 5 K below target",
            ),
            Figure("Readings", usage.readings, decimals=0, note=left_out),
        )
    )


def _figure(
    name: str, metric: str, value: float | None, note: str, prefs: Preferences
) -> Figure:
    what = QUANTITIES[metric]
    shown = None if value is None else convert(value, what.kind, prefs)
    return Figure(name, shown, unit(what.kind, prefs), what.decimals, note)


def _days(view: HistoryView, prefs: Preferences) -> Table:
    """Energy and temperature of each hour or local day, as the History tab has them."""
    degrees, places = unit("temperature", prefs), QUANTITIES["temperature_c"].decimals
    columns = (
        Column("from", "From", width=2.0),
        Column("energy", "Energy", "kWh", DECIMALS["energy_kwh"]),
        Column("lowest", "Lowest", degrees, places),
        Column("mean", "Mean", degrees, places),
        Column("highest", "Highest", degrees, places),
    )
    energy = drawn(view.shown, prefs).energy_kwh
    rows = []
    for period, used in zip(view.shown.periods, energy, strict=True):
        warmth = period.temperature_c
        values = (warmth.low, warmth.mean, warmth.high)
        shown = (converted("temperature_c", v, prefs) for v in values)
        rows.append((period.start, used, *shown))
    each = "hour" if view.hourly else "day"
    title = f"Energy and temperature for each {each}"
    return Table(f"days-{view.device.id}", title, columns, tuple(rows))


def _events(view: HistoryView) -> tuple[Block, ...]:
    marks = view.shown.marks
    if not marks:
        return (Text("No event in this range."),)
    columns = (
        Column("from", "From", width=1.4),
        Column("count", "Events", decimals=0, width=0.6),
        Column("severity", "Severity", width=0.8),
        Column("what", "What", width=5.0),
    )
    rows = tuple((m.ts, m.count, m.severity, "; ".join(m.messages)) for m in marks)
    told = sum(m.count for m in marks)
    more = view.shown.event_count - told
    note = f"The newest {told:,} of {view.shown.event_count:,} events." if more else ""
    key = f"events-{view.device.id}"
    return (Table(key, "Events, those near each other together", columns, rows, note),)


def _maintenance(job: Job, device: Device) -> tuple[Block, ...]:
    entries = _entries(job, device)
    view = job.sources.maintenance.of(job.caller, device.id, job.prefs.zone, limit=1)
    due = _due(view)
    if not entries:
        return (Text("No entry in the maintenance log in this range."), *due)
    columns = (
        Column("done_on", "Done on"),
        Column("kind", "What"),
        Column("by", "Who"),
        Column("note", "Note", width=4.0),
        Column("next_on", "Next on"),
    )
    rows: list[tuple[Cell, ...]] = [
        (_day(e.done_on), e.kind.capitalize(), e.by, e.note, _day(e.next_on) or "")
        for e in entries
    ]
    key = f"maintenance-{device.id}"
    return (Table(key, "Maintenance log", columns, rows), *due)


def _due(view: MaintenanceView) -> tuple[Block, ...]:
    if not view.due:
        return ()
    said = []
    for item in view.due:
        state = "due" if item.days >= 0 else "overdue since"
        said.append(f"{item.kind.capitalize()} {state} {_day(item.on)}")
    late = any(item.days < 0 for item in view.due)
    return (Text("; ".join(said) + ".", "watch" if late else "plain"),)


def _entries(job: Job, device: Device) -> list[Service]:
    """The entries of work done on a day of the range, newest first."""
    first, last = (_local_day(m, job) for m in (job.query.start, job.query.end))
    zone, limit = job.prefs.zone, MOST_ENTRIES
    view = job.sources.maintenance.of(job.caller, device.id, zone, limit=limit)
    return [e for e in view.entries if first <= e.done_on <= last]


def _local_day(moment: datetime, job: Job) -> date:
    return moment.astimezone(job.prefs.zone).date()
