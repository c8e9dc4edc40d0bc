"""Diagnostic codes: our own catalogue, and which of them a heater has reported.

The codes are this product's. A make that numbers its faults in another way is met
with honesty: a code that is not in the catalogue is called unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from data.code_lake import CodeCount, CodeLake
from services.access import Principal, requires
from services.devices import Devices
from services.health_checks import NO_ERROR
from services.metrics import Metrics
from services.quality import CLOCK_AHEAD

WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class Code:
    """One row of the catalogue.

    name: its group, which a device may report instead of the code. urgency:
    ``critical`` (switch off now), ``high`` (today), ``medium`` (this week), ``low``.
    """

    code: str
    name: str
    meaning: str
    todo: str
    urgency: str


_ROWS = (
    ("E10", "element", "The lower element draws no current though heat is called for",
     "Check breaker, high limit switch and wiring; measure the element's resistance "
     "with the supply off, and replace it if it is open.", "high"),
    ("E12", "dry_fire", "An element was on without water around it",
     "Switch the heater off. Fill and vent the tank, then test the element before "
     "switching it on again.", "critical"),
    ("E14", "scale", "Heating takes longer than it should: scale or sediment is likely",
     "Flush the tank and descale the element or the heat exchanger.", "medium"),
    ("E21", "sensor", "The tank temperature sensor gives no valid signal",
     "Check the sensor's plug and cable; replace the sensor if its resistance is wrong."
     " Until then what is shown of the tank cannot be trusted.", "high"),
    ("E25", "high_temperature_limit", "The high temperature limit has switched off",
     "Let it cool, find out why it overheated (thermostat, relay), and only then reset "
     "the limit.", "critical"),
    ("E30", "pressure", "The pressure is close to the opening of the relief valve",
     "Check the reducing valve and the expansion tank; see whether the relief valve "
     "drips. Never plug a relief valve.", "high"),
    ("E32", "expansion", "The pressure swings widely while heating: the expansion tank "
     "takes up too little",
     "Check the expansion tank's air charge with the water side empty; replace it if "
     "its membrane is torn.", "medium"),
    ("E40", "leak", "Water runs where none should, or flow never ends",
     "Look for water at the heater and the pipes; close the inlet if it runs.",
     "critical"),
    ("E50", "ignition", "The burner did not light",
     "Check gas supply, igniter and flame sensor. At a smell of gas leave, and call "
     "the gas supplier.", "critical"),
    ("E60", "communication", "Parts of the heater, or heater and gateway, do not hear "
     "each other",
     "Check cable and radio; switch the heater's control off and on once.", "low"),
)  # fmt: skip
CATALOGUE: Mapping[str, Code] = {row[0]: Code(*row) for row in _ROWS}
URGENCY_WORDS: Mapping[str, str] = {
    "critical": "now",
    "high": "today",
    "medium": "this week",
    "low": "when convenient",
}


@dataclass(frozen=True)
class Reported:
    """A code that a heater has reported; ``known`` is its row, ``None`` = unknown."""

    count: CodeCount
    known: Code | None


@dataclass(frozen=True)
class CodesView:
    """The present code, if any, and those of the last 30 days, newest first.

    present_at is the newest reading; ``None`` = the heater has never reported.
    """

    now: datetime
    present: str | None
    present_at: datetime | None
    known: Code | None
    reported: tuple[Reported, ...]


class DiagnosticCodes:
    """Says what the codes of a heater mean."""

    def __init__(
        self,
        devices: Devices,
        metrics: Metrics,
        lake: CodeLake,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._metrics = metrics
        self._lake = lake
        self._clock = clock

    def of(self, caller: Principal, device_id: str) -> CodesView:
        """The codes of a heater now and in the last 30 days.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        self._devices.get(caller, device_id)
        now = self._clock()
        latest = self._metrics.latest([device_id]).get(device_id)
        held = latest.values.get("error_code") if latest else None
        present = None
        if latest and held and held.ts >= latest.ts and is_code(str(held.value)):
            present = str(held.value).strip()
        counts = self._lake.counts(device_id, now - WINDOW, now + CLOCK_AHEAD)
        return CodesView(
            now=now,
            present=present,
            present_at=latest.ts if latest else None,
            known=lookup(present) if present else None,
            reported=tuple(
                Reported(c, lookup(c.code)) for c in counts if is_code(c.code)
            ),
        )


def is_code(said: str) -> bool:
    """Whether a text is a code: some devices write ``0`` or ``ok`` for none."""
    return said.strip().lower() not in NO_ERROR


def lookup(said: str) -> Code | None:
    """The row of a code or of the name of its group, ``None`` = unknown."""
    plain = said.strip().lower().replace(" ", "_").replace("-", "_")
    for code in CATALOGUE.values():
        if plain in {code.code.lower(), code.name}:
            return code
    return None


def table() -> str:
    """The catalogue as a table for the documentation."""
    lines = ["| code | name | meaning | what to do | when |", "|---|---|---|---|---|"]
    for row in CATALOGUE.values():
        when = URGENCY_WORDS[row.urgency]
        lines.append(
            f"| `{row.code}` | `{row.name}` | {row.meaning} | {row.todo} | {when} |"
        )
    return "\n".join(lines) + "\n"
