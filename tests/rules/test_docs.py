"""The documentation keeps step with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.docs import PAGES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_what_the_code_says(name: str) -> None:
    """Regenerating a page changes nothing: nobody forgot ``make docs``."""
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")

    assert PAGES[name]() == written


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    """A relative link of README, CONTRIBUTING or docs names a file that exists."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_every_make_target_named_in_the_documentation_exists() -> None:
    """README and CONTRIBUTING name no target the Makefile lacks."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    told = {
        name
        for page in ("README.md", "CONTRIBUTING.md")
        for name in re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text("utf-8"))
    }

    assert told
    assert told <= targets
