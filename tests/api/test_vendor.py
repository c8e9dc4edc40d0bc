"""Third-party files under addresses that never change."""

from __future__ import annotations

import gzip
from pathlib import Path

import flask
import pytest
from plotly.offline import get_plotlyjs_version

from api import vendor

BUILT = Path("var/vendor") / vendor.CUSTOM_BUNDLE


@pytest.fixture
def client(tmp_path):
    """A server without built files."""
    server = flask.Flask(__name__)
    files = vendor.collect(tmp_path)
    files.register(server)
    return server.test_client(), files


def test_without_node_the_installed_bundle_is_served(client):
    """The full bundle of the plotly package is served, compressed, for a year."""
    browser, files = client
    answer = browser.get(files.plotly.url, headers={"Accept-Encoding": "gzip, br"})
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.cache_control.max_age == vendor.YEAR_S
    script = gzip.decompress(answer.data)
    assert vendor.bundle_matches(script, get_plotlyjs_version())
    assert browser.get(files.plotly.url).data == script


def test_dash_asking_for_plotly_is_led_to_the_same_file(client):
    """Dash's own address of the bundle leads to the one with the fingerprint."""
    browser, files = client
    answer = browser.get(vendor.PLOTLY_ASKED_BY_DASH)
    assert answer.status_code == 302
    assert answer.location == files.plotly.url


def test_other_names_do_not_exist(client):
    """Nothing but the collected files can be read."""
    browser, _ = client
    for name in ("x.js", "../settings.py", "..%2fsettings.py", ""):
        assert browser.get(f"/vendor/{name}").status_code == 404


def test_a_bundle_of_another_version_is_not_used(tmp_path):
    """A bundle built for an older Plotly is left alone."""
    old = tmp_path / vendor.CUSTOM_BUNDLE
    old.write_bytes(b"/*! plotly.js v0.0.1, MIT */")
    assert vendor.collect(tmp_path).plotly.content != old.read_bytes()


def test_a_built_bundle_and_font_are_used(tmp_path):
    """Built files of the right version are served, the font with its style."""
    built = tmp_path / vendor.CUSTOM_BUNDLE
    built.write_bytes(f"/*! plotly.js v{get_plotlyjs_version()} */ 1".encode())
    (tmp_path / vendor.FONT).write_bytes(b"wOF2")
    files = vendor.collect(tmp_path)
    assert files.plotly.content == built.read_bytes()
    assert files.others[0].url in files.styles[0].content.decode()


@pytest.mark.skipif(not BUILT.is_file(), reason="make vendor has not been run")
def test_the_bundle_built_here_fits_the_installed_plotly():
    """The bundle in var/vendor is of the version the installed plotly wants."""
    assert vendor.bundle_matches(BUILT.read_bytes(), get_plotlyjs_version())
