"""Secrets of devices: issued once, kept as a hash that HTTP and the broker share.

The hash is Mosquitto's own form (``$7$``: PBKDF2-HMAC-SHA512), so its password file
is written from the same rows. A secret is 256 random bits, which nobody guesses at any
price of a guess: the broker's usual, few iterations suffice. They would not for a
password that a person chose.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from data.device_store import DeviceStore
from data.link_store import LinkStore
from data.records import DEVICE_ID_PATTERN, Event
from data.session import Transaction
from services.access import Principal, Role, requires
from services.audit import Audit
from services.devices import Devices
from services.errors import Conflict, NotFound, Unauthorized

SECRET_BYTES = 32
SALT_BYTES = 12
HASH_BYTES = 64
ITERATIONS = 101
LONGEST_SECRET = 128
NOTED_EVERY = timedelta(minutes=1)
"""That a secret was used is written down no more often: devices ask all the time."""
REFUSED = "The device's credentials are not right."
IN_USE = ("pending", "active")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CredentialView:
    """When a device's secret was made, and when it was last shown over HTTP."""

    made_at: datetime
    used_at: datetime | None


class Credentials:
    """Issues, revokes and checks the secrets of devices."""

    def __init__(
        self,
        devices: Devices,
        device_store: DeviceStore,
        links: LinkStore,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._store = device_store
        self._links = links
        self._audit = audit
        self._clock = clock
        self._nobody = hashed(secrets.token_urlsafe(SECRET_BYTES))
        self._noted: dict[str, datetime] = {}

    def issue(self, caller: Principal, device_id: str) -> str:
        """A new secret of a device, told this once; the one it had is void.

        Raises:
            NotFound: no device has this id.
            Conflict: the device is not in use.
        """
        requires(caller, "device.admin")
        device = self._devices.get(caller, device_id)
        if device.life_cycle not in IN_USE:
            raise Conflict(f"{device.name} is {device.life_cycle}: activate it first.")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        kept, now = hashed(secret), self._clock()
        with self._store.transaction() as tx:
            self._links.put_credential(tx, device_id, kept, caller.username, now)
            self._record(tx, caller, device_id, "issued", now)
        return secret

    def revoke(self, caller: Principal, device_id: str) -> None:
        """Take a device's secret away, from its next request on.

        Raises:
            NotFound: no device has this id, or it has no secret.
        """
        requires(caller, "device.admin")
        device = self._devices.get(caller, device_id)
        with self._store.transaction() as tx:
            if not self._links.drop_credential(tx, device_id):
                raise NotFound(f"{device.name} has no credential.")
            self._record(tx, caller, device_id, "revoked", self._clock())

    def view(self, caller: Principal, device_id: str) -> CredentialView | None:
        """What is known of a device's secret; ``None`` = it has none."""
        requires(caller, "device.admin")
        self._devices.get(caller, device_id)
        found = self._links.credentials().get(device_id)
        return CredentialView(*found) if found else None

    def check(self, device_id: str, secret: str) -> Principal:
        """The device that shows this secret.

        Raises:
            Unauthorized: the id is unknown, the secret is wrong, void or missing, or
                the device is not in use; all take the same time and say the same.
        """
        known = re.fullmatch(DEVICE_ID_PATTERN, device_id) is not None
        life = self._store.life_cycles([device_id]).get(device_id) if known else None
        kept = self._links.hash_of(device_id) if known else None
        right = fits(kept or self._nobody, secret)
        if not (kept and right and life in IN_USE):
            log.warning("device refused", device=device_id[:64] if known else "?")
            raise Unauthorized(REFUSED)
        self._note(device_id)
        return Principal(f"device {device_id}", Role.VIEWER, device_id=device_id)

    def password_file(self, caller: Principal) -> str:
        """Mosquitto's password file: a line for every device in use with a secret."""
        requires(caller, "device.admin")
        kept = self._links.hashes()
        lives = {device.id: device.life_cycle for device in self._store.all()}
        lines = [f"{i}:{h}\n" for i, h in kept.items() if lives.get(i) in IN_USE]
        return "".join(lines)

    def _note(self, device_id: str) -> None:
        now, last = self._clock(), self._noted.get(device_id)
        if last is None or now - last >= NOTED_EVERY:
            self._noted[device_id] = now
            self._links.used(device_id, now)

    def _record(
        self,
        tx: Transaction,
        caller: Principal,
        device_id: str,
        what: str,
        now: datetime,
    ) -> None:
        words = f"Credential {what}"
        event = Event(device_id, now, "user", "info", words, caller.username)
        self._store.add_events(tx, [event])
        self._audit.record(tx, caller, f"device.credential_{what}", device_id)


def hashed(secret: str) -> str:
    """The text to keep of a secret, in the form of Mosquitto's password file."""
    salt = secrets.token_bytes(SALT_BYTES)
    made = _derived(secret, salt, ITERATIONS)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(made).decode()}"


def fits(kept: str, secret: str) -> bool:
    """Whether a secret is the one that was kept; equal time for every wrong one."""
    _, _kind, iterations, salt, made = kept.split("$")
    offered = _derived(secret[:LONGEST_SECRET], b64decode(salt), int(iterations))
    return hmac.compare_digest(offered, b64decode(made))


def _derived(secret: str, salt: bytes, iterations: int) -> bytes:
    encoded = secret.encode(errors="surrogatepass")
    return hashlib.pbkdf2_hmac("sha512", encoded, salt, iterations, HASH_BYTES)
