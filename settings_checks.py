"""Which settings would be unsafe or could not work together."""

from __future__ import annotations

import re

KEY_BYTES = 32
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SENDER = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+"
WEBHOOK_HOST = (
    r"(private:)?(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)"
    r"(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))?"
)
EXAMPLE_KEYS = frozenset({"changeme", "secret", "example", "password"})


def check_key(name: str, key: str) -> None:
    """Refuse a key that can be guessed."""
    if len(key) < KEY_BYTES:
        raise ValueError(f"IOTSPHERE_{name} is shorter than {KEY_BYTES} characters")
    if len(set(key)) < 8 or any(word in key.lower() for word in EXAMPLE_KEYS):
        raise ValueError(f"IOTSPHERE_{name} looks like an example, not a secret")


def check_mail(
    host: str | None,
    sender: str | None,
    security: str,
    no_username: bool,
    no_password: bool,
) -> None:
    """Refuse a mail server that cannot be used, or only without protection."""
    if host is None:
        return
    if sender is None or not re.fullmatch(SENDER, sender):
        raise ValueError("IOTSPHERE_SMTP_FROM must be a plain mail address")
    if security == "none" and host not in LOOPBACK:
        raise ValueError("IOTSPHERE_SMTP_SECURITY=none is for loopback only")
    if no_username != no_password:
        raise ValueError(
            "IOTSPHERE_SMTP_USERNAME and IOTSPHERE_SMTP_PASSWORD belong together"
        )


def check_hosts(entries: str) -> None:
    """Refuse a list of webhook hosts that cannot be read."""
    for entry in entries.split(","):
        if entry.strip() and not re.fullmatch(WEBHOOK_HOST, entry.strip().lower()):
            raise ValueError(
                f"IOTSPHERE_WEBHOOK_HOSTS: {entry.strip()[:60]!r} is no host"
            )
