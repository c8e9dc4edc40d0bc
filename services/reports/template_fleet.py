"""The fleet report: which heaters need somebody, and what all of them used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from data.lake import floor
from data.records import Device
from services.access import requires
from services.fleet import STATES, FleetQuery
from services.fleet_rows import FleetRow
from services.health import HealthView
from services.metrics import USAGE_BUCKET_S, Usage, periods, summed
from services.reports.compose_parts import Job, Made, Template
from services.reports.compose_time import bucket_edges, names_of
from services.reports.document import (
    BarChart,
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Section,
    Table,
    Text,
    Tone,
)
from services.units import QUANTITIES, convert, unit

TEMPLATE = Template(
    key="fleet",
    title="Fleet of water heaters",
    description="How many heaters need somebody, the worst of them and why, and the "
    "energy and hot water of the range.",
    sections=(
        ("counts", "The fleet now"),
        ("worst", "Heaters that need attention"),
        ("usage", "Energy and hot water"),
        ("heaters", "Every heater"),
    ),
    needs="devices",
    permissions=("fleet.read", "device.read", "telemetry.export"),
    chapters=False,
)
COUNTS: Mapping[str, str] = {
    "all": "Heaters",
    "attention": "Need attention",
    "silent": "Offline or late",
    "heating": "Heating",
    "flagged": "Flagged data",
    "simulated": "Simulated",
    "inactive": "Pending or inactive",
}
MOST_WORST = 50
DEVICE_DAYS = 3_000
"""Days of heaters that are read at once: about 300,000 quarter hours."""
NOTES = (
    "Connectivity, health and newest values are those of the moment this report was "
    "made; energy, water and the shares are those of its range.",
    "Health: 100 less the points of what the rules found in the last 24 hours.",
    "Energy: from the meter, or from power over time where there is none. Hot water: "
    "flow over time. Both from 15-minute buckets of trusted readings.",
    "Uptime: share of the range covered by readings. Temperature kept: share of the "
    "judged time with the tank no more than 5 K below target.",
)


@dataclass(frozen=True)
class Used:
    """What the heaters did: totals of each, and energy of all for each bucket."""

    usage: Mapping[str, Usage]
    bucket: str
    edges: Sequence[datetime]
    energy_kwh: tuple[float | None, ...]


def made(job: Job) -> Made:
    """The report on the heaters of a job."""
    if not job.devices:
        words = Text("No heater is registered.")
        return Made([Section("counts", "The fleet now", (words,))])
    chosen = {d.id for d in job.devices}
    rows = job.sources.fleet.found(job.caller, FleetQuery(sort="worst"))
    rows = tuple(row for row in rows if row.device_id in chosen)
    needs_usage = job.wants("usage") or job.wants("heaters")
    used = _used(job) if needs_usage else None
    blocks: dict[str, tuple[Block, ...]] = {
        "counts": (_counts(rows),),
        "worst": (_worst(job, rows),),
    }
    if used is not None:
        blocks["usage"] = _usage(job, used)
        blocks["heaters"] = (_heaters(job, rows, used),)
    sections = [
        Section(key, title, blocks[key])
        for key, title in TEMPLATE.sections
        if job.wants(key)
    ]
    return Made(sections, footnotes=NOTES)


def _counts(rows: Sequence[FleetRow]) -> Figures:
    def tone(state: str, count: int) -> Tone:
        return "watch" if state in {"attention", "silent"} and count else "plain"

    counts = {state: sum(map(has, rows)) for state, has in STATES.items()}
    return Figures(
        tuple(
            Figure(COUNTS[s], n, decimals=0, tone=tone(s, n)) for s, n in counts.items()
        )
    )


def _worst(job: Job, rows: Sequence[FleetRow]) -> Block:
    needy = [row for row in rows if row.attention]
    if not needy:
        return Text("No heater needs attention now.", "good")
    columns = (
        Column("name", "Heater", width=1.9),
        Column("place", "Place", width=2.4),
        Column("connectivity", "Connection", width=1.1),
        Column("last_seen", "Last reading", width=1.4),
        Column("health", "Health", decimals=0, width=0.7),
        Column("severity", "Severity", width=0.8),
        Column("why", "Why", width=5.5),
    )
    found = tuple(
        (
            row.name,
            row.place,
            row.connectivity,
            row.last_seen,
            row.health.score,
            row.health.severity or "",
            _why(row.health, job),
        )
        for row in needy[:MOST_WORST]
    )
    more = len(needy) - MOST_WORST
    note = f"{more:,} more need attention." if more > 0 else ""
    return Table("worst", "Worst first", columns, found, note)


def _why(health: HealthView, job: Job) -> str:
    return " ".join(reason.told(job.prefs) for reason in health.reasons)


def _used(job: Job) -> Used:
    """The totals of each heater: some heaters at a time, so that memory is bounded."""
    requires(job.caller, "telemetry.export")
    start = floor(job.query.start, USAGE_BUCKET_S)
    name, edges = bucket_edges(start, job.query.end, job.prefs)
    totals: list[float | None] = [None] * (len(edges) - 1)
    usage: dict[str, Usage] = {}
    for part in _portions(job):
        job.progress(len(usage) / len(job.devices), "Energy and hot water")
        frame = job.sources.metrics.quarters(
            part, start, job.query.end, ("temperature_c",), TEMPERATURE
        )
        frames = dict(list(frame.groupby("device_id")))
        for device in part:
            own = frames.get(device.id, frame.iloc[:0])
            usage[device.id] = summed(own, start, job.query.end, job.query.end)
            for place, period in enumerate(periods(own, edges)):
                if period.energy_kwh is not None:
                    totals[place] = (totals[place] or 0.0) + period.energy_kwh
    return Used(usage, name, edges, tuple(totals))


TEMPERATURE = tuple(f"temperature_c_{part}" for part in ("n", "min", "max", "sum"))


def _portions(job: Job) -> Iterator[Sequence[Device]]:
    days = max((job.query.end - job.query.start).days, 1)
    size = max(DEVICE_DAYS // days, 1)
    devices = sorted(job.devices, key=lambda d: d.id)
    for first in range(0, len(devices), size):
        yield devices[first : first + size]


def _usage(job: Job, used: Used) -> tuple[Block, ...]:
    found = list(used.usage.values())
    if not any(u.readings for u in found):
        return (Text("No heater sent a reading in this range."),)
    energy = [u.energy_kwh for u in found if u.energy_kwh is not None]
    water = [u.volume_l for u in found if u.volume_l is not None]
    heard = sum(u.readings > 0 for u in found)
    litres = convert(sum(water), "volume", job.prefs) if water else None
    items = (
        Figure(
            "Energy",
            sum(energy) if energy else None,
            "kWh",
            1,
            f"of {len(energy):,} heaters that measure it",
        ),
        Figure(
            "Hot water drawn",
            litres,
            unit("volume", job.prefs),
            QUANTITIES["water_l"].decimals,
            f"of {len(water):,} heaters that measure it",
        ),
        Figure("Heaters with readings", heard, decimals=0, note=f"of {len(found):,}"),
    )
    chart = BarChart(
        "energy",
        f"Energy of all heaters by {used.bucket}",
        "kWh",
        tuple(names_of(used.bucket, used.edges, job.prefs)),
        (("Energy", used.energy_kwh),),
    )
    columns = (
        Column("from", "From", width=2.0),
        Column("to", "To", width=2.0),
        Column("energy", "Energy", "kWh", QUANTITIES["energy_kwh"].decimals),
    )
    edges = used.edges
    rows = tuple(zip(edges[:-1], edges[1:], used.energy_kwh, strict=True))
    title = f"Energy of all heaters by {used.bucket}"
    return Figures(items), chart, Table("energy", title, columns, rows)


def _heaters(job: Job, rows: Sequence[FleetRow], used: Used) -> Table:
    volume = unit("volume", job.prefs)
    columns = (
        Column("device_id", "Id", width=1.4),
        Column("name", "Heater", width=2.2),
        Column("place", "Place", width=3.0),
        Column("health", "Health", decimals=0, width=0.7),
        Column("energy", "Energy", "kWh", QUANTITIES["energy_kwh"].decimals),
        Column("water", "Hot water", volume, QUANTITIES["water_l"].decimals),
        Column("heating", "Heating", "h", 1),
        Column("cycles", "Cycles", decimals=0, width=0.7),
        Column("uptime", "Uptime", "%", 1),
        Column("kept", "Kept warm", "%", 1),
    )
    found = tuple(_heater(job, row, used.usage[row.device_id]) for row in rows)
    return Table("heaters", "Every heater, worst first", columns, found)


def _heater(job: Job, row: FleetRow, usage: Usage) -> tuple[Cell, ...]:
    water, heating = usage.volume_l, usage.heating_s
    return (
        row.device_id,
        row.name,
        row.place,
        row.health.score,
        usage.energy_kwh,
        None if water is None else convert(water, "volume", job.prefs),
        None if heating is None else heating / 3_600,
        usage.cycles,
        usage.uptime * 100 if usage.readings else None,
        None if usage.kept is None else usage.kept * 100,
    )
