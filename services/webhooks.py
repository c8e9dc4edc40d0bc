"""Webhooks: signed, to hosts of the allow list, over an address looked up once.

The look-up, the connection, the question and the first line of the answer have five
seconds together. Nothing is followed, and the body of the answer is not read.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from services.errors import InvalidInput
from services.outgoing import Answer, line
from services.webhook_hosts import (
    HTTP_PORT,
    HTTPS_PORT,
    Target,
    WebhookHosts,
    refusal,
)

TOTAL_S = 5.0
LATER = frozenset({408, 425, 429})
"""Answers after which trying again may help, besides 500 and up."""
Lookup = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


class Webhooks:
    """Sends JSON to the hosts of the allow list."""

    def __init__(
        self,
        hosts: WebhookHosts,
        clock: Callable[[], float] = time.time,
        lookup: Lookup = look_up,
        tls: ssl.SSLContext | None = None,
        total_s: float = TOTAL_S,
    ) -> None:
        self.hosts = hosts
        self._clock = clock
        self._lookup = lookup
        self._tls = tls
        self._total_s = total_s

    def send(
        self, url: str, body: Mapping[str, Any], secret: str, delivery: str
    ) -> Answer:
        """Send a body; what the other side said, in words.

        Args:
            url: where to.
            body: plain JSON values.
            secret: signs it.
            delivery: the id by which a repeat is recognised.
        """
        deadline = time.monotonic() + self._total_s
        try:
            target = self.hosts.target(url)
        except InvalidInput as error:
            return Answer(ok=False, words=str(error), permanent=True)
        try:
            address = self._address(target, deadline)
            content = json.dumps(body, ensure_ascii=True, allow_nan=False).encode()
            headers = self._headers(content, secret, delivery)
            status = asyncio.run(
                self._post(target, address, content, headers, deadline)
            )
        except InvalidInput as error:
            return Answer(ok=False, words=str(error), permanent=True)
        except TimeoutError:
            return Answer(ok=False, words=f"no answer within {self._total_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
            return Answer(ok=False, words=line(f"{_kind(error)}: {error}", 200))
        return _judged(status)

    def _address(self, target: Target, deadline: float) -> str:
        """The address to connect to; each one found must be fit, or none is."""
        found = _within(
            lambda: self._lookup(target.host, target.port), deadline - time.monotonic()
        )
        if not found:
            raise OSError("the host has no address")
        for address in found:
            why = refusal(address, private=target.private)
            if why:
                raise InvalidInput(f"{target.host} leads to {why}: refused.")
        return found[0]

    def _headers(self, content: bytes, secret: str, delivery: str) -> dict[str, str]:
        stamp = str(int(self._clock()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "IoTSphere",
            "Connection": "close",
            "X-IoTSphere-Timestamp": stamp,
            "X-IoTSphere-Signature": f"sha256={signature(secret, stamp, content)}",
            "X-IoTSphere-Delivery": delivery,
        }

    def _context(self) -> ssl.SSLContext:
        """Made once: it reads every certificate that is trusted."""
        if self._tls is None:
            self._tls = httpx.create_ssl_context()
        return self._tls

    async def _post(
        self,
        target: Target,
        address: str,
        content: bytes,
        headers: dict[str, str],
        deadline: float,
    ) -> int:
        literal = f"[{address}]" if ":" in address else address
        named = f"[{target.host}]" if ":" in target.host else target.host
        if target.port != (HTTPS_PORT if target.scheme == "https" else HTTP_PORT):
            named += f":{target.port}"
        async with asyncio.timeout(deadline - time.monotonic()):
            async with (
                httpx.AsyncClient(
                    verify=self._context(),
                    follow_redirects=False,
                    trust_env=False,
                    timeout=self._total_s + 1,  # ours is the one below
                ) as client,
                client.stream(
                    "POST",
                    f"{target.scheme}://{literal}:{target.port}{target.path}",
                    content=content,
                    headers={"Host": named, **headers},
                    extensions={"sni_hostname": target.host},
                ) as answer,
            ):
                return answer.status_code


def signature(secret: str, stamp: str, content: bytes) -> str:
    """HMAC-SHA256 over time stamp, full stop and body, in hex."""
    signed = stamp.encode("ascii") + b"." + content
    return hmac.new(secret.encode("ascii"), signed, hashlib.sha256).hexdigest()


def _judged(status: int) -> Answer:
    if 200 <= status < 300:
        return Answer(ok=True, words=f"answered {status}")
    if 300 <= status < 400:
        words = f"answered {status}: redirects are not followed"
        return Answer(ok=False, words=words, permanent=True)
    permanent = status < 500 and status not in LATER
    return Answer(ok=False, words=f"answered {status}", permanent=permanent)


def _kind(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError):
        return "cannot connect"
    if isinstance(error, socket.gaierror):
        return "the host is not known"
    return type(error).__name__


def _within(work: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """A look-up cannot be ended, so one that hangs is left behind."""
    done: queue.Queue[Sequence[str] | OSError] = queue.Queue()

    def look() -> None:
        try:
            done.put(work())
        except (OSError, UnicodeError) as error:
            done.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=look, daemon=True).start()
    try:
        found = done.get(timeout=max(seconds, 0))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found
