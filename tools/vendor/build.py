"""Build the small Plotly bundle and fetch the font, when Node is there.

``make vendor`` runs this: ``python tools/vendor/build.py [FOLDER]``. Without it,
or without Node, the application serves the full bundle of the installed plotly
package and the system's font: it works the same and loads a little slower.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from plotly.offline import get_plotlyjs_version

TRACES = ("bar", "box", "heatmap", "histogram", "pie", "indicator")
"""Besides scatter, which every bundle holds."""
BUNDLE = "plotly-iot.min.js"
FONT = "inter-variable.woff2"
FONT_SOURCE = "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"


def main(folder: Path) -> int:
    """Build into ``folder``; 0 also when Node is absent, as nothing then fails."""
    npm = shutil.which("npm")
    if npm is None:
        print("Node is not installed: the full Plotly bundle will be served.")  # noqa: T201
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    version = get_plotlyjs_version()
    with tempfile.TemporaryDirectory() as work:
        build(npm, Path(work), folder, version)
    print(f"Built {BUNDLE} {version} and {FONT} into {folder}.")  # noqa: T201
    return 0


def build(npm: str, work: Path, folder: Path, version: str) -> None:
    """Install the pinned packages in ``work`` and leave two files in ``folder``.

    Raises:
        CalledProcessError: npm or esbuild failed; its words are on the terminal.
    """
    manifest = json.loads((Path(__file__).parent / "package.json").read_text())
    manifest["dependencies"]["plotly.js"] = version
    (work / "package.json").write_text(json.dumps(manifest))
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run([npm, "install", *quiet], cwd=work, check=True)
    (work / "entry.cjs").write_text(_entry())
    modules = work / "node_modules"
    subprocess.run(_esbuild(modules, work, version), cwd=work, check=True)
    # Whole files only: a server that starts meanwhile never reads half of one.
    _put(work / "out.js", folder / BUNDLE)
    _put(modules / FONT_SOURCE, folder / FONT)


def _entry() -> str:
    parts = ",".join(f'require("plotly.js/lib/{trace}")' for trace in TRACES)
    core = 'const Plotly = require("plotly.js/lib/core");'
    return f"{core}\nPlotly.register([{parts}]);\nmodule.exports = Plotly;\n"


def _esbuild(modules: Path, work: Path, version: str) -> list[str]:
    return [
        str(modules / ".bin" / "esbuild"),
        "entry.cjs",
        "--bundle",
        "--minify",
        "--format=iife",
        "--global-name=Plotly",
        "--target=es2020",
        "--define:global=window",
        "--alias:stream=stream-browserify",
        "--loader:.css=empty",
        "--legal-comments=none",
        f"--banner:js=/*! plotly.js v{version}, MIT licence, (c) Plotly, Inc. */",
        "--log-level=error",
        f"--outfile={work / 'out.js'}",
    ]


def _put(source: Path, target: Path) -> None:
    part = target.with_suffix(".part")
    shutil.copyfile(source, part)
    part.replace(target)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/vendor")))
