"""The local spool: requests kept until the server can take them.

One folder per server: ``queue/`` holds the requests in order, ``refused/`` what the
server would not take, with the reason, ``schemas/`` the pinned schemas. A file is
written beside its place, synced and renamed, so it is whole or not there.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .result import IoTSphereError

_HALF_WRITTEN = ".part"
_ABANDONED_S = 3600
_COUNTED_AGAIN_S = 1.0


class SpoolFull(IoTSphereError):
    """The spool has reached its limit."""


@dataclass(frozen=True)
class Item:
    """A request: where it goes, its idempotency key, its rows' numbers, its body."""

    method: str
    path: str
    key: str
    numbers: list[int]
    body: bytes


def default_folder() -> Path:
    """IOTSPHERE_SPOOL, or the place where the platform keeps a user's state."""
    if given := os.environ.get("IOTSPHERE_SPOOL"):
        return Path(given)
    if os.name == "nt" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "iotsphere" / "spool"
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "iotsphere" / "spool"


class Spool:
    """What is kept for one server."""

    def __init__(self, folder: Path, url: str, limit_mb: float) -> None:
        host = re.sub(r"[^a-z0-9.-]+", "-", url.lower().partition("://")[2])[:60]
        self.folder = (
            folder / f"{host}-{sha256(url.encode('utf-8', 'replace')).hexdigest()[:8]}"
        )
        self.queue = self.folder / "queue"
        self.refused = self.folder / "refused"
        self.schemas = self.folder / "schemas"
        self._limit = int(limit_mb * 1e6)
        self._last_ns = 0
        self._size = 0
        self._size_at = -_COUNTED_AGAIN_S

    def add(self, item: Item) -> None:
        """Keep a request behind all others.

        Raises:
            SpoolFull: the limit would be passed.
            OSError: it cannot be written.
        """
        content = self._meta(item) + b"\n" + item.body
        used = self._used()
        if used + len(content) > self._limit:
            raise SpoolFull(
                f"the spool {self.folder} is full: {used / 1e6:.1f} of "
                f"{self._limit / 1e6:.1f} MB"
            )
        # The clock may be set back; the order must not follow it.
        self._last_ns = max(time.time_ns(), self._last_ns + 1)
        name = f"{self._last_ns:020d}-{len(item.numbers)}-{item.key}"
        _write(self.queue / name, content)
        self._size += len(content)

    def waiting(self) -> list[Path]:
        """The requests kept, in the order in which they are to be sent."""
        if not self.queue.is_dir():
            return []
        files = [f for f in self.queue.iterdir() if f.suffix != _HALF_WRITTEN]
        return sorted(files, key=lambda file: file.name)

    def read(self, file: Path) -> Item:
        """A request that was kept.

        Raises:
            ValueError: the file is not one of ours or was damaged.
            OSError: it cannot be read; FileNotFoundError when it was sent meanwhile.
        """
        head, _, body = file.read_bytes().partition(b"\n")
        meta = json.loads(head)
        try:
            numbers = [int(n) for n in meta["numbers"]]
            method, path, key = (str(meta[k]) for k in ("method", "path", "key"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{file} is no request") from error
        if len(body) != meta.get("bytes"):
            raise ValueError(f"{file} is not whole")
        return Item(method, path, key, numbers, body)

    def forget(self, file: Path) -> None:
        """Drop a request that was sent."""
        file.unlink(missing_ok=True)

    def refuse(
        self, file: Path, item: Item, rejected: Sequence[tuple[int, str]]
    ) -> None:
        """Keep refused rows of a request, or all of it, with the reasons."""
        body = json.loads(item.body)
        if item.numbers:
            refused = {number for number, _ in rejected}
            body = [
                row
                for number, row in zip(item.numbers, body["rows"], strict=True)
                if number in refused
            ]
        told = {"path": item.path, "key": item.key, "rejected": rejected, "body": body}
        _write(self.refused / f"{file.name}.json", json.dumps(told).encode())

    def set_aside(self, file: Path) -> None:
        """Move a file that is no request out of the queue."""
        self.refused.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.replace(self.refused / f"{file.name}.unreadable")

    def pin(self, model: str, spec: Mapping[str, Any]) -> None:
        """Remember a model's schema."""
        _write(self._schema(model), json.dumps(spec).encode())

    def pinned(self, model: str) -> dict[str, Any] | None:
        """The schema remembered, or None."""
        try:
            spec = json.loads(self._schema(model).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return spec if isinstance(spec, dict) else None

    def _schema(self, model: str) -> Path:
        return self.schemas / f"{quote(model, safe='')}.json"

    def _used(self) -> int:
        if time.monotonic() - self._size_at > _COUNTED_AGAIN_S:
            self._size = 0
            for file in self.folder.rglob("*"):
                try:
                    found = file.stat()
                    if file.suffix == _HALF_WRITTEN:
                        if time.time() - found.st_mtime > _ABANDONED_S:
                            file.unlink()
                    elif file.is_file():
                        self._size += found.st_size
                except FileNotFoundError:  # another process sent it meanwhile
                    continue
            self._size_at = time.monotonic()
        return self._size

    @staticmethod
    def _meta(item: Item) -> bytes:
        meta = {
            "method": item.method,
            "path": item.path,
            "key": item.key,
            "numbers": item.numbers,
            "bytes": len(item.body),
        }
        return json.dumps(meta).encode()


def rows_in(file: Path) -> int:
    """How many rows a kept request has, from its name."""
    parts = file.name.split("-")
    return int(parts[1]) if len(parts) > 2 and parts[1].isdecimal() else 0


def _write(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = place.with_name(f"{uuid.uuid4().hex}{_HALF_WRITTEN}")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
