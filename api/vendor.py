"""Third-party files for the browser, each under an address that never changes.

The Plotly bundle comes from ``var/vendor`` when ``make vendor`` has built the
small one, else out of the installed package; the font only from ``var/vendor``.
The address holds a fingerprint, so browsers keep the file for a year, and it is
compressed once and not on every request.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import flask
import plotly
from plotly.offline import get_plotlyjs_version

CUSTOM_BUNDLE = "plotly-iot.min.js"
FONT = "inter-variable.woff2"
YEAR_S = 31_536_000
PLOTLY_ASKED_BY_DASH = "/_dash-component-suites/plotly/package_data/plotly.min.js"


@dataclass
class VendorFile:
    """One file and its address; the compressed form is made when first asked."""

    name: str
    content: bytes
    mimetype: str
    _packed: bytes | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The address with the fingerprint of the content."""
        stem, dot, ending = self.name.rpartition(".")
        digest = hashlib.sha256(self.content).hexdigest()[:12]
        return f"/vendor/{stem}-{digest}{dot}{ending}"

    def packed(self) -> bytes:
        """The content as gzip."""
        with self._lock:
            if self._packed is None:
                self._packed = gzip.compress(self.content, 9, mtime=0)
            return self._packed


@dataclass(frozen=True)
class Vendor:
    """The third-party files of one application."""

    plotly: VendorFile
    styles: tuple[VendorFile, ...]
    others: tuple[VendorFile, ...]

    def register(self, server: flask.Flask) -> None:
        """Serve the files under ``/vendor/``, endpoint ``vendor.static``."""
        files = {f.url: f for f in (self.plotly, *self.styles, *self.others)}
        blueprint = flask.Blueprint("vendor", __name__)

        @blueprint.get("/vendor/<path:name>", endpoint="static")
        def static(name: str) -> flask.Response:
            found = files.get(f"/vendor/{name}")
            if found is None:
                flask.abort(404)
            return _answer(found)

        @blueprint.get(PLOTLY_ASKED_BY_DASH, endpoint="plotly")
        def plotly_bundle() -> flask.typing.ResponseReturnValue:
            # A graph that is drawn before the deferred bundle has arrived asks
            # for Dash's own address, which has no fingerprint.
            return flask.redirect(self.plotly.url)

        server.register_blueprint(blueprint)


def collect(folder: Path) -> Vendor:
    """The files as they are now: built ones in ``folder``, else installed ones."""
    others = []
    styles = []
    font = folder / FONT
    if font.is_file():
        woff = VendorFile(FONT, font.read_bytes(), "font/woff2")
        others.append(woff)
        styles.append(VendorFile("inter.css", _font_css(woff.url), "text/css"))
    return Vendor(_plotly(folder), tuple(styles), tuple(others))


def bundle_matches(script: bytes, version: str) -> bool:
    """Whether a Plotly bundle says it is of ``version`` in its first lines."""
    return f"plotly.js v{version}".encode() in script[:400]


def _plotly(folder: Path) -> VendorFile:
    version = get_plotlyjs_version()
    built = folder / CUSTOM_BUNDLE
    content = built.read_bytes() if built.is_file() else b""
    if not bundle_matches(content, version):  # absent, or of an older Plotly
        package = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
        content = package.read_bytes()
    return VendorFile(f"plotly-{version}.min.js", content, "text/javascript")


def _font_css(url: str) -> bytes:
    return (
        "@font-face{font-family:Inter;font-style:normal;font-weight:100 900;"
        f"font-display:swap;src:url({url}) format('woff2')}}"
    ).encode()


def _answer(file: VendorFile) -> flask.Response:
    accepted: Iterable[str] = flask.request.accept_encodings.values()
    if file.mimetype != "font/woff2" and "gzip" in accepted:
        response = flask.Response(file.packed(), mimetype=file.mimetype)
        response.content_encoding = "gzip"
    else:
        response = flask.Response(file.content, mimetype=file.mimetype)
    response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.max_age = YEAR_S
    response.cache_control.immutable = True
    return response
