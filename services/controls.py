"""Wishes of people: asked, judged, written down; shown beside what devices report.

A wish is a key of the shadow's ``desired`` and one command. It is never shown as fact:
``Standing`` says how wish, command and report stand to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data.command_store import CommandStore
from data.device_store import DeviceStore
from data.records import Device, Event, Shadow, same
from data.session import Transaction
from data.shadow_store import ShadowStore
from data.talk_records import WISH_KEYS, Command
from services.access import Principal, requires
from services.audit import Audit
from services.devices import Devices
from services.errors import Conflict, InvalidInput, NeedsConfirmation
from services.wishes import WORDS, Ruling, Wishes, clean, end_of, judge, over, words_of

REPLACED = "replaced by a newer wish"
WITHDRAWN = "withdrawn"
LATE = "reported late"
MOST_LOOKS = 5
"""A device that reports all the time is shown as it was at the last look."""


@dataclass(frozen=True)
class Standing:
    """One key: what is wished, what is reported, and how the two stand.

    ``state`` is ``none`` (never wished, or ended by itself), ``pending``, ``applied``,
    ``differs`` (applied once, and the device reports something else now), ``refused``,
    ``timed_out``, ``expired`` or ``withdrawn``. ``command`` is the newest of the key.
    """

    key: str
    state: str
    wished: object
    reported: object
    reported_at: datetime | None
    command: Command | None


class Controls:
    """Asks devices for something, and says where each wish stands."""

    def __init__(
        self,
        devices: Devices,
        device_store: DeviceStore,
        shadows: ShadowStore,
        commands: CommandStore,
        audit: Audit,
        *,
        expiry: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._store = device_store
        self._shadows = shadows
        self._commands = commands
        self._audit = audit
        self._expiry = expiry
        self._clock = clock

    def ask(
        self,
        caller: Principal,
        device_id: str,
        wishes: Wishes,
        *,
        version: int | None = None,
        confirmed: bool = False,
        job_id: int | None = None,
        also: Callable[[Transaction], None] | None = None,
    ) -> list[Command]:
        """Wish something of a device: all keys or none, on disk when this returns.

        Args:
            caller: needs ``device.control``.
            device_id: the device.
            wishes: values by key of ``WISH_KEYS``; ``None`` withdraws the wish.
            version: the shadow's version the caller has read, if any.
            confirmed: what the safety rules ask has been answered with yes.
            job_id: the bulk job this is part of.
            also: done in the same transaction; when it raises, nothing is wished.

        Raises:
            NotFound: no device has this id.
            InvalidInput: a key or a value is not possible, or the device refuses it.
            NeedsConfirmation: a safety rule asks first.
            Conflict: the device is not active, or somebody wished something meanwhile.
        """
        requires(caller, "device.control")
        device = self._devices.get(caller, device_id)
        if device.life_cycle != "active":
            raise Conflict(
                f"{device.name} is {device.life_cycle} and takes no command."
            )
        now = self._clock()
        wanted = clean(wishes, now)
        _check(device, wanted, confirmed=confirmed)
        with self._shadows.transaction() as tx:
            if also is not None:
                also(tx)
            held = self._shadows.locked(tx, [device_id], now)[device_id]
            _check_version(device, held, version)
            shadow = wished(held, wanted, now)
            self._shadows.save(tx, [shadow])
            self._replace_open(tx, device_id, wanted, now)
            made = self._commands.add(
                tx,
                [
                    Command(
                        device_id, key, value, shadow.version, "queued",
                        caller.username, now, self._expires_at(key, value, now),
                        job_id=job_id,
                    )
                    for key, value in wanted.items()
                    if value is not None
                ],
            )  # fmt: skip
            self._record(tx, caller, device_id, wanted, now)
        return made

    def _expires_at(self, key: str, value: object, now: datetime) -> datetime:
        """No later than what is wished ends: told after that, it is nonsense."""
        return min(now + self._expiry, end_of(key, value) or now + self._expiry)

    def _replace_open(
        self, tx: Transaction, device_id: str, wanted: Wishes, now: datetime
    ) -> None:
        replaced = [
            replace(
                command,
                state="superseded",
                reason=WITHDRAWN if wanted[command.key] is None else REPLACED,
                ended_at=now,
            )
            for command in self._commands.held(tx, [device_id])
            if command.open and command.key in wanted
        ]
        self._commands.save(tx, replaced)

    def _record(
        self,
        tx: Transaction,
        caller: Principal,
        device_id: str,
        wanted: Wishes,
        now: datetime,
    ) -> None:
        for key, value in wanted.items():
            words = f"Wish withdrawn: {WORDS[key]}" if value is None else "Wished: "
            words += "" if value is None else words_of(key, value)
            event = Event(device_id, now, "user", "info", words, caller.username)
            self._store.add_events(tx, [event])
        self._audit.record(tx, caller, "device.command", device_id, dict(wanted))

    def rulings(
        self, caller: Principal, device_id: str, wishes: Wishes
    ) -> dict[str, Ruling]:
        """What the safety rules would say, by key, without wishing anything."""
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        wanted = clean(wishes, self._clock())
        return {key: judge(device, key, value) for key, value in wanted.items()}

    def standings(self, caller: Principal, device_id: str) -> tuple[Standing, ...]:
        """Where every key stands, in the order of ``WISH_KEYS``."""
        requires(caller, "device.read")
        self._devices.get(caller, device_id)
        now = self._clock()
        shadow, newest = self._seen(device_id, now)
        return tuple(_standing(key, shadow, newest.get(key), now) for key in WISH_KEYS)

    def _seen(self, device_id: str, now: datetime) -> tuple[Shadow, dict[str, Command]]:
        """The shadow and the newest commands of one moment, not of two.

        They are two reads; a wish or an ending between them has moved the version.
        """
        unknown = Shadow(device_id, 0, {}, {}, {}, {}, now)
        shadow = self._shadows.get(device_id) or unknown
        for _ in range(MOST_LOOKS):
            newest = {c.key: c for c in self._commands.newest(device_id)}
            before, shadow = shadow, self._shadows.get(device_id) or unknown
            if before.version == shadow.version:
                break
        return shadow, newest

    def log(
        self,
        caller: Principal,
        device_id: str,
        *,
        before: int | None = None,
        limit: int = 20,
    ) -> tuple[tuple[Command, ...], bool]:
        """Commands of a device, newest first, and whether more follow."""
        requires(caller, "device.read")
        self._devices.get(caller, device_id)
        found = self._commands.page(device_id, before=before, limit=limit + 1)
        return tuple(found[:limit]), len(found) > limit


def wished(held: Shadow, wanted: Wishes, now: datetime) -> Shadow:
    """The shadow with wishes merged in; ``None`` deletes a key."""
    desired: dict[str, object] = {**held.desired, **wanted}
    at: dict[str, datetime] = {**held.desired_at, **dict.fromkeys(wanted, now)}
    for key in [key for key, value in desired.items() if value is None]:
        del desired[key]
        at.pop(key, None)
    version = held.version + 1
    return replace(
        held,
        version=version,
        wish_version=version,
        desired=desired,
        desired_at=at,
        updated_at=now,
    )


def _check(device: Device, wanted: Mapping[str, object], *, confirmed: bool) -> None:
    rulings = [judge(device, key, value) for key, value in wanted.items()]
    refused = [ruling.refused for ruling in rulings if ruling.refused]
    if refused:
        raise InvalidInput(" ".join(refused))
    asked = [ruling.ask for ruling in rulings if ruling.ask]
    if asked and not confirmed:
        raise NeedsConfirmation(" ".join(dict.fromkeys(asked)))


def _check_version(device: Device, held: Shadow, version: int | None) -> None:
    """A caller who has read a version before the last wish, or none, is stale."""
    if version is None or held.wish_version <= version <= held.version:
        return
    raise Conflict(
        f"Somebody else has set {device.name} meanwhile (version {held.version}, not "
        f"{version}); look again."
    )


def _standing(
    key: str, shadow: Shadow, command: Command | None, now: datetime
) -> Standing:
    wish = shadow.desired.get(key)
    wish = None if over(key, wish, now) else wish
    reported = shadow.reported.get(key)
    state = "none"
    if command is not None:
        ended = command.state == "applied" and over(key, command.value, now)
        state = "none" if ended else _state(command, wish, reported)
    shown = command.value if command is not None and command.open else wish
    return Standing(key, state, shown, reported, shadow.reported_at.get(key), command)


def _state(command: Command, wish: object, reported: object) -> str:
    if command.open:
        return "pending"
    if command.state == "superseded":
        return "withdrawn"
    if command.state != "applied":
        return command.state
    if wish is None:
        late = command.reason == LATE and same(command.value, reported)
        return "applied" if late else "withdrawn"
    return "applied" if same(wish, reported) else "differs"
