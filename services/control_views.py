"""What one device's control card shows: wishes beside reports, and the log of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from data.link_store import LinkStore
from data.records import Device
from data.shadow_store import ShadowStore
from data.talk_records import Command, Link
from services.access import Principal, requires
from services.controls import Controls, Standing
from services.devices import Devices
from services.wishes import limits

LOG_PAGE = 10


@dataclass(frozen=True)
class LogView:
    """Commands of a device, newest first, older than ``before`` (0: from the newest).

    ``older`` is the id to ask the next page with, ``None`` when there is none.
    """

    commands: tuple[Command, ...]
    before: int
    older: int | None


@dataclass(frozen=True)
class ControlView:
    """One device: what can be wished of it, and where each wish stands.

    ``version`` is the shadow's, to be given back with a wish; ``link`` is ``None``
    for a device that never connected.
    """

    now: datetime
    device: Device
    low_c: float
    high_c: float
    version: int
    link: Link | None
    standings: tuple[Standing, ...]
    log: LogView
    may_control: bool

    @property
    def takes(self) -> bool:
        """Whether the reader may set this device now."""
        return self.may_control and self.device.life_cycle == "active"

    @property
    def waiting(self) -> bool:
        """Whether a wish is on its way."""
        return any(standing.state == "pending" for standing in self.standings)

    @property
    def digest(self) -> str:
        """Another text whenever what is shown has changed, ages aside."""
        parts = [f"{self.version}", f"{self.link is not None and self.link.online}"]
        for standing in self.standings:
            command = standing.command
            known = command and (command.id, command.state, command.tries)
            parts.append(f"{standing.state}:{known}")
        parts.append(f"{[(c.id, c.state, c.tries) for c in self.log.commands]}")
        return "|".join(parts)


class ControlViews:
    """Reads what the control card and the command log show."""

    def __init__(
        self,
        controls: Controls,
        devices: Devices,
        shadows: ShadowStore,
        links: LinkStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._controls = controls
        self._devices = devices
        self._shadows = shadows
        self._links = links
        self._clock = clock

    def of(self, caller: Principal, device_id: str, *, before: int = 0) -> ControlView:
        """A device's wishes and its commands older than the id ``before``.

        Args:
            caller: needs ``device.read``.
            device_id: the device.
            before: show only commands older than this id; 0 shows the newest.

        Raises:
            NotFound: no device has this id.
        """
        requires(caller, "device.read")
        device = self._devices.get(caller, device_id)
        # Read first: a wish that comes in between then makes the version too old,
        # and the one who asks with it is told.
        version = self.version(caller, device_id)
        low_c, high_c = limits(device)
        found, more = self._controls.log(
            caller, device_id, before=before or None, limit=LOG_PAGE
        )
        return ControlView(
            now=self._clock(),
            device=device,
            low_c=low_c,
            high_c=high_c,
            version=version,
            link=self._links.links([device_id]).get(device_id),
            standings=self._controls.standings(caller, device_id),
            log=LogView(found, before, found[-1].id if more else None),
            may_control=caller.may("device.control"),
        )

    def version(self, caller: Principal, device_id: str) -> int:
        """The shadow's version; 0 for a device nothing is known of."""
        requires(caller, "device.read")
        shadow = self._shadows.get(device_id)
        return shadow.version if shadow else 0
