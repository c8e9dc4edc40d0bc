"""Empty stores, made once for each process and copied for each test.

Migrations and an empty lake take half a second; a copy takes a hundredth.
"""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from data import migrate
from data.flush import Flusher
from data.hot_store import HotStore
from data.session import open_engine
from settings import Settings


@cache
def _template() -> TemporaryDirectory[str]:
    # A folder of the process, removed at its end: pytest's own may go before.
    home = TemporaryDirectory(prefix="iotsphere-template-")
    _make(Settings(home_dir=Path(home.name), secret_key="k7!" + "Zq3xW9vB" * 5))
    return home


def _make(settings: Settings) -> None:
    engine = open_engine(settings.operational_url)
    migrate.upgrade(engine)
    Flusher(settings, HotStore(engine)).close()
    engine.dispose()


def make_stores(settings: Settings) -> None:
    """Create the empty stores that ``settings`` name, unless they are there."""
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    if settings.database_url or settings.lake_catalog:
        _make(settings)
    elif not (settings.home_dir / "iotsphere.db").exists():
        shutil.copytree(_template().name, settings.home_dir, dirs_exist_ok=True)
