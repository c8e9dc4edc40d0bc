"""Where webhooks may lead: hosts that the settings name, and addresses that are fit.

An entry is ``host``, ``host:port`` (443 without one) or ``private:host:port``. A
plain host must lead to public addresses only. One that is marked ``private`` may lead
to private and loopback addresses too, and to loopback without TLS. Link-local (where
clouds keep their secrets), multicast, unspecified and translated addresses (IPv4
inside IPv6, 6to4, Teredo, NAT64) are refused for everybody.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from services.errors import InvalidInput

HTTPS_PORT = 443
HTTP_PORT = 80
PRIVATE = "private:"
NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*"
)
OFF = "Webhooks are off: no host is named in IOTSPHERE_WEBHOOK_HOSTS."
NOT_HTTPS = "The URL must begin with https://."
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
TRANSLATED = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
INNER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "127.0.0.0/8", "fc00::/7", "::1/128",
    )
)  # fmt: skip
"""What the mark ``private`` lets pass."""


@dataclass(frozen=True)
class Host:
    """An entry of the list."""

    name: str
    port: int | None
    private: bool


@dataclass(frozen=True)
class Target:
    """A URL that was looked at: where to connect, and what to ask for there."""

    scheme: str
    host: str
    port: int
    path: str
    private: bool


class WebhookHosts:
    """The allow list of the settings."""

    def __init__(self, entries: str) -> None:
        self._hosts = tuple(
            _entry(text.strip().lower()) for text in entries.split(",") if text.strip()
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts, for people."""
        return tuple(
            host.name if host.port is None else f"{host.name}:{host.port}"
            for host in self._hosts
        )

    def target(self, url: str) -> Target:
        """What a URL leads to.

        Raises:
            InvalidInput: it is none that may be called; the message says why.
        """
        if not self._hosts:
            raise InvalidInput(OFF)
        parts, port = _split(url)
        name = (parts.hostname or "").rstrip(".")
        if parts.scheme != "https" and not _loopback(name):
            raise InvalidInput(NOT_HTTPS)
        path = parts.path or "/"
        if parts.query:
            path += f"?{parts.query}"
        wanted = port or (HTTPS_PORT if parts.scheme == "https" else HTTP_PORT)
        for host in self._hosts:
            if host.name != name or wanted != (host.port or _usual(parts, host)):
                continue
            if parts.scheme != "https" and not host.private:
                raise InvalidInput(NOT_HTTPS)
            return Target(parts.scheme, name, wanted, path, host.private)
        raise InvalidInput(
            "The URL's host and port are not in IOTSPHERE_WEBHOOK_HOSTS."
        )


def refusal(address: str, *, private: bool) -> str:
    """Why an address may not be connected to; empty when it may."""
    try:
        found: Address = ipaddress.ip_address(address)
    except ValueError:
        return "no address"
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None or found.is_link_local or found.is_site_local:
            return "a link-local address"
        loopback = found.is_loopback or found.is_unspecified
        if not loopback and any(found in network for network in TRANSLATED):
            return "a translated address"
    for bad, words in (
        (found.is_unspecified, "the unspecified address"),
        (found.is_multicast, "a multicast address"),
        (found.is_link_local, "a link-local address"),
    ):
        if bad:
            return words
    if any(found in network for network in INNER):
        return "" if private else "a private or loopback address"
    return "" if found.is_global else "a reserved address"


def _entry(text: str) -> Host:
    private = text.startswith(PRIVATE)
    parts = urlsplit(f"//{text.removeprefix(PRIVATE)}")
    return Host((parts.hostname or "").rstrip("."), parts.port, private)


def _split(url: str) -> tuple[SplitResult, int | None]:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidInput("The URL must be of plain ASCII letters, without spaces.")
    try:
        parts, port = urlsplit(url), urlsplit(url).port
        literal = parts.netloc.rpartition("@")[2].startswith("[")
        if literal:
            ipaddress.IPv6Address(parts.hostname or "")
    except ValueError:
        raise InvalidInput("The URL's host or port cannot be read.") from None
    if parts.scheme not in {"http", "https"}:
        raise InvalidInput(NOT_HTTPS)
    if "@" in parts.netloc:
        raise InvalidInput("The URL must not hold a user name or password.")
    if parts.fragment:
        raise InvalidInput("The URL must not hold a fragment (#).")
    if not literal and not NAME.fullmatch((parts.hostname or "").rstrip(".")):
        raise InvalidInput("The URL's host is no host name.")
    return parts, port


def _usual(parts: SplitResult, host: Host) -> int:
    plain = parts.scheme == "http" and host.private
    return HTTP_PORT if plain else HTTPS_PORT


def _loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
