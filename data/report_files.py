"""The files of reports: whole and synced under their name, or not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

LENGTH_OF_ID = 32


@dataclass(frozen=True)
class Staged:
    """A file that is whole and synced, and not in its place yet."""

    temporary: Path
    path: Path
    size: int
    sha256: str


class ReportFiles:
    """One folder; a file is named by the id of its run and its format."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stage(self, run_id: str, kind: str, parts: Iterable[bytes]) -> Staged:
        """Write a file whole and synced, under a name of its own."""
        path = self.path(run_id, kind)
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{uuid4().hex}.part")
        size, digest = 0, hashlib.sha256()
        with temporary.open("wb") as handle:
            for part in parts:
                size += handle.write(part)
                digest.update(part)
            handle.flush()
            os.fsync(handle.fileno())
        return Staged(temporary, path, size, digest.hexdigest())

    def publish(self, staged: Staged) -> None:
        """Give a staged file its name, in place of one before, and sync that."""
        staged.temporary.replace(staged.path)
        entry = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)

    def path(self, run_id: str, kind: str) -> Path:
        """Where a file is or will be.

        Raises:
            ValueError: the name would lead out of the folder.
        """
        path = (self._folder / f"{run_id}.{kind}").resolve()
        if path.parent != self._folder.resolve() or len(run_id) != LENGTH_OF_ID:
            raise ValueError("not the name of a report")
        return path

    def remove(self, run_id: str, kind: str) -> None:
        """Remove a file and what killed workers left of it; missing ones are fine."""
        path = self.path(run_id, kind)
        for left in path.parent.glob(f"{path.name}.*.part"):
            left.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
