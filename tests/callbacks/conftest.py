"""The application for the tests of callbacks, one for each module: it is dear."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from settings import Settings
from tests.conftest import Clock, open_stores
from tests.portal import open_portal


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """The application with two sample tabs on real stores."""
    home = tmp_path_factory.mktemp("portal")
    settings = Settings(home_dir=home, secret_key="k7!" + "Zq3xW9vB" * 5)
    with (
        contextmanager(open_stores)(settings, Clock()) as stores,
        open_portal(stores) as opened,
    ):
        yield opened
