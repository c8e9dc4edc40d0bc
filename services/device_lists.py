"""A list of heaters to register, as people keep it in a spreadsheet: CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from data.device_store import DeviceStore
from data.records import Device
from services.access import Principal, requires
from services.devices import Devices, field_errors
from services.errors import InvalidInput, TooLarge
from services.imports.encodings import UnreadableError, guess_encoding, refuse_binary
from services.imports.names import FALSE_WORDS, MISSING_WORDS, MODE_WORDS, TRUE_WORDS
from services.imports.values import number

MOST_BYTES = 700_000
"""A list is sent in one request, written in base64: 700 kB become 940 kB."""
MOST_ROWS = 2_000
DELIMITERS = ",;\t|"

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("device id", "device", "heater id"),
        "name": ("heater", "label", "title"),
        "manufacturer": ("make", "maker", "brand", "vendor"),
        "model": ("model number", "model name"),
        "serial": ("serial number", "serial no"),
        "type": ("kind", "heater type"),
        "capacity_l": ("capacity", "volume", "volume l", "tank volume l", "litres"),
        "rated_power_w": ("rated power", "power", "power w"),
        "building": ("site", "house"),
        "floor": ("level", "storey"),
        "room": ("place",),
        "latitude": ("lat",),
        "longitude": ("lon", "lng", "long"),
        "installed_on": ("installed", "installation date", "install date"),
        "warranty_until": ("warranty", "warranty end"),
        "firmware": ("firmware version",),
        "modes": ("mode list", "allowed modes"),
        "setpoint_min_c": ("lowest target", "lowest target c", "setpoint min"),
        "setpoint_max_c": ("highest target", "highest target c", "setpoint max"),
        "reporting_interval_s": ("reports every s", "interval s", "reporting interval"),
        "mixing_valve": ("has mixing valve",),
        "life_cycle": ("start as", "state"),
    }
)
"""Field of ``Device`` -> other names of its column; numbers are in stored units."""

REMOVED = "the id was used by a removed device"


@dataclass(frozen=True)
class RefusedRow:
    """A row that is not registered: its number in the file, its id, and why."""

    row: int
    device_id: str
    reason: str


@dataclass(frozen=True)
class ListPlan:
    """What a list would register.

    ``ignored`` are columns that no field of a device is called.
    """

    devices: tuple[Device, ...]
    refused: tuple[RefusedRow, ...]
    ignored: tuple[str, ...]


class DeviceLists:
    """Reads lists and registers what is right in them."""

    def __init__(self, devices: Devices, store: DeviceStore) -> None:
        self._devices = devices
        self._store = store

    def plan(self, caller: Principal, raw: bytes) -> ListPlan:
        """What a file would register, and each row it would not, with the reason.

        Raises:
            InvalidInput: it is no CSV, or has no column of ids.
            TooLarge: it has too many rows.
        """
        requires(caller, "device.admin")
        header, rows = _table(raw)
        fields, ignored = _fields(header)
        made, refused = _devices(fields, rows)
        taken = self._store.life_cycles([device.id for device in made.values()])
        for place, device in [*made.items()]:
            if device.id in taken:
                gone = taken[device.id] == "removed"
                why = (
                    "the id was used by a removed device" if gone else "exists already"
                )
                refused.append(RefusedRow(place, device.id, why))
                del made[place]
        refused.sort(key=lambda row: row.row)
        return ListPlan(tuple(made.values()), tuple(refused), ignored)

    def register(self, caller: Principal, raw: bytes) -> ListPlan:
        """Register every good row of a file, all of them or, on an error, none.

        Raises:
            InvalidInput: it cannot be read, or no row of it can be registered.
            Conflict: somebody has registered one of the ids meanwhile.
        """
        plan = self.plan(caller, raw)
        if not plan.devices:
            raise InvalidInput("The list has no heater that can be registered.")
        self._devices.register_all(caller, plan.devices)
        return plan


def _table(raw: bytes) -> tuple[list[str], list[list[str]]]:
    if len(raw) > MOST_BYTES:
        raise TooLarge(f"The list is larger than {MOST_BYTES // 1000} kB; split it.")
    try:
        refuse_binary(raw)
        text = raw.decode(guess_encoding(raw))
    except (UnreadableError, UnicodeError) as error:
        raise InvalidInput(f"The list cannot be read: {error}.") from error
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InvalidInput(f"The list is no CSV: {error}.") from error
    if not lines or not any(cell.strip() for cell in lines[0]):
        raise InvalidInput("The list is empty: its first line names the columns.")
    if len(lines) - 1 > MOST_ROWS:
        raise TooLarge(f"The list has more than {MOST_ROWS:,} rows; split it.")
    return lines[0], lines[1:]


def _fields(header: Sequence[str]) -> tuple[list[str | None], tuple[str, ...]]:
    """The field of each column, and the columns that are none."""
    known = {_plain(name): field for field in COLUMNS for name in (field,)}
    known |= {name: field for field, names in COLUMNS.items() for name in names}
    fields = [known.get(_plain(cell)) for cell in header]
    found = [field for field in fields if field]
    twice = sorted({field for field in found if found.count(field) > 1})
    if twice:
        raise InvalidInput(f"Two columns are {twice[0]}; keep one.")
    if "id" not in found:
        raise InvalidInput(
            f"The list needs a column id. Known are {', '.join(COLUMNS)}."
        )
    pairs = zip(header, fields, strict=True)
    ignored = tuple(c.strip() for c, field in pairs if field is None and c.strip())
    return fields, ignored


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.strip().lower()).strip()


def _devices(
    fields: Sequence[str | None], rows: Sequence[Sequence[str]]
) -> tuple[dict[int, Device], list[RefusedRow]]:
    """Devices by their row; the row of the names is 1, as a spreadsheet counts."""
    made: dict[int, Device] = {}
    refused: list[RefusedRow] = []
    seen: dict[str, int] = {}
    for place, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        device, errors = _device(fields, cells)
        if device.id in seen:
            errors["id"] = f"the id stands in row {seen[device.id]} already"
        seen.setdefault(device.id, place)
        if errors:
            words = "; ".join(error.rstrip(".") for error in errors.values())
            refused.append(RefusedRow(place, device.id[:64], words))
        else:
            made[place] = device
    return made, refused


def _device(
    fields: Sequence[str | None], cells: Sequence[str]
) -> tuple[Device, dict[str, str]]:
    values: dict[str, Any] = {"id": "", "name": "", "life_cycle": "pending"}
    errors: dict[str, str] = {}
    for field, cell in zip(fields, cells, strict=False):
        text = cell.strip()
        if field is None or text.lower() in MISSING_WORDS:
            continue
        try:
            values[field] = READERS.get(field, str)(text)
        except InvalidInput as error:
            errors[field] = f"{field}: {error}"
    if any(cell.strip() for cell in cells[len(fields) :]):
        errors["row"] = "it has more cells than the first line has names"
    device = Device(**(values | {"name": values["name"] or values["id"]}))
    if device.life_cycle not in {"pending", "active"}:
        errors["life_cycle"] = "life_cycle must be pending or active"
    return device, field_errors(device) | errors


def _number(text: str) -> float:
    """A number with point or comma; what may be either is not guessed."""
    read = {number(text, "."), number(text, ",")} - {None}
    if len(read) != 1:
        why = "may be a thousand or a fraction" if read else "is no number"
        raise InvalidInput(f"{text[:40]!r} {why}")
    (found,) = read
    return float(found or 0.0)


def _whole(text: str) -> int:
    found = _number(text)
    if not found.is_integer():
        raise InvalidInput(f"{text[:40]!r} is no whole number")
    return int(found)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no date like 2026-03-31") from None


def _yes_no(text: str) -> bool:
    if text.lower() in TRUE_WORDS:
        return True
    if text.lower() in FALSE_WORDS:
        return False
    raise InvalidInput(f"{text[:40]!r} is neither yes nor no")


def _modes(text: str) -> tuple[str, ...]:
    words = [w for w in re.split(r"[,;|/ ]+", text.lower().replace("-", "_")) if w]
    return tuple(dict.fromkeys(MODE_WORDS.get(word, word) for word in words))


READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "capacity_l",
                "rated_power_w",
                "latitude",
                "longitude",
                "setpoint_min_c",
                "setpoint_max_c",
            ),
            _number,
        ),
        "reporting_interval_s": _whole,
        "installed_on": _date,
        "warranty_until": _date,
        "mixing_valve": _yes_no,
        "modes": _modes,
        "type": lambda text: re.sub(r"[\s-]+", "_", text.lower()),
        "life_cycle": str.lower,
    }
)
