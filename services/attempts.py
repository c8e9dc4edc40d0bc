"""How often somebody may try to sign in, over all web processes together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

from data.account_store import AccountStore
from data.session import Transaction
from services.errors import TooMany

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 30
OVERALL = 300
KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)


class Attempts:
    """Counts failures in the database and refuses the next try over a limit.

    A browser that signed in to this account before ("known device") has a count
    of its own and only that one, so strangers cannot lock the owner out.
    """

    def __init__(self, store: AccountStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def begin(self, account: str, address: str, known_device: bool) -> int:
        """Write down an attempt before the password is looked at; its id.

        Raises:
            TooMany: a limit is reached; says when to try again.
        """
        now, network = self._clock(), network_of(address)
        with self._store.transaction() as tx:
            self._store.lock_attempts(tx)
            self._store.forget(tx, now - KEPT, now - SESSIONS_KEPT)
            free_at = self._free_at(tx, now - WINDOW, account, network, known_device)
            if free_at is None:
                return self._store.add_attempt(tx, account, network, known_device, now)
        wait_s = max(1, ceil((free_at - now).total_seconds()))
        raise TooMany(
            f"Too many attempts to sign in. Try again in {ceil(wait_s / 60)} min.",
            retry_after_s=wait_s,
        )

    def _free_at(
        self,
        tx: Transaction,
        since: datetime,
        account: str,
        network: str,
        known_device: bool,
    ) -> datetime | None:
        limits: list[tuple[int, dict[str, object]]] = [
            (PER_ACCOUNT, {"account": account, "known_device": known_device})
        ]
        if not known_device:
            limits += [
                (PER_ADDRESS, {"address": network, "known_device": False}),
                (OVERALL, {"known_device": False}),
            ]
        reached = [
            self._store.nth_failure(tx, most, since, **equal) for most, equal in limits
        ]
        times = [at for at in reached if at is not None]
        return max(times) + WINDOW if times else None


def network_of(address: str) -> str:
    """The address that is counted: of IPv6 the /64, which one customer owns."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
