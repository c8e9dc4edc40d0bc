"""Simulated heaters that misbehave on request, to see what the screen says then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from services.courier_desk import Heard
from services.errors import InvalidInput

KINDS: tuple[str, ...] = ("drop", "delay", "duplicate", "reorder", "revert", "refuse")
LOST_SHARE = 0.5
DELAYED_S = (5.0, 40.0)
REORDERED_S = 3.0
REVERTED_S = (5.0, 15.0)
LOCKED = "the panel is locked"

Timed = tuple[float, Heard]
"""A message and in how many seconds it arrives."""


def parse(text: str) -> dict[str, frozenset[str]]:
    """Kinds by device from ``device:kind,device:kind``.

    Raises:
        InvalidInput: not of this form, or an unknown kind.
    """
    found: dict[str, frozenset[str]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        device_id, colon, kind = part.partition(":")
        if not device_id or not colon or kind not in KINDS:
            raise InvalidInput(
                f"{part[:80]!r} is no misbehaviour: give device:kind, and as kind one "
                f"of {', '.join(KINDS)}."
            )
        found[device_id] = found.get(device_id, frozenset()) | {kind}
    return found


class Misbehaviour:
    """What goes wrong with chosen devices; all chance comes from the seed.

    ``drop`` loses half of the messages either way, ``delay`` brings answers 5 to 40 s
    late, ``duplicate`` says all twice, ``reorder`` mixes the order, ``revert`` goes
    back to the old value some seconds later, ``refuse`` takes nothing.
    """

    def __init__(self, kinds: Mapping[str, Iterable[str]], seed: int) -> None:
        self._kinds = {device: frozenset(of) for device, of in kinds.items()}
        self._random = Random(seed)  # noqa: S311 - play, not secrecy

    def loses(self, device_id: str) -> bool:
        """Whether this message never arrives."""
        return self._has(device_id, "drop") and self._random.random() < LOST_SHARE

    def refusal(self, device_id: str) -> str:
        """Why the device takes no command; empty = it does."""
        return LOCKED if self._has(device_id, "refuse") else ""

    def relapse_s(self, device_id: str) -> float | None:
        """In how many seconds the device goes back to what it had before."""
        if not self._has(device_id, "revert"):
            return None
        return self._random.uniform(*REVERTED_S)

    def bend(self, said: Iterable[Heard]) -> list[Timed]:
        """What arrives of what devices say, and when."""
        return [timed for message in said for timed in self._bent(message)]

    def _bent(self, message: Heard) -> list[Timed]:
        device_id = message.device_id
        if self.loses(device_id):
            return []
        copies = 2 if self._has(device_id, "duplicate") else 1
        return [(self._late_s(device_id), message) for _ in range(copies)]

    def _late_s(self, device_id: str) -> float:
        late_s = 0.0
        if self._has(device_id, "delay"):
            late_s += self._random.uniform(*DELAYED_S)
        if self._has(device_id, "reorder"):
            late_s += self._random.uniform(0.0, REORDERED_S)
        return late_s

    def _has(self, device_id: str, kind: str) -> bool:
        return kind in self._kinds.get(device_id, ())
