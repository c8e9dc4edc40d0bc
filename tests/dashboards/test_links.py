"""Addresses and query strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import links
from dashboards.ids import ident


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=5))
def test_query_strings_survive_a_round_trip(query):
    """What is built is what is read, whatever the characters."""
    built = links.build_search(query)
    if len(built) <= links.QUERY_CHARACTERS:
        assert links.parse_search(built) == query


@given(st.text(max_size=6000))
def test_any_query_string_can_be_read(search):
    """No query string makes the reader fail."""
    assert isinstance(links.parse_search(search), dict)


def test_other_keys_are_kept():
    """Changing the range leaves the other keys as they are."""
    changed = links.with_query("?model=a&from=now-7d", **{"from": "now-1d"})
    assert changed == "?model=a&from=now-1d"
    assert links.with_query("?a=1&b=2", a=None) == "?b=2"


def test_other_tabs_get_the_range_only():
    """A link to another tab carries the time range and nothing else."""
    assert links.range_only("?page=3&to=now&from=now-7d") == "?from=now-7d&to=now"


def test_monitoring_tabs_get_what_they_share():
    """A link between monitoring tabs carries model, version, segment and times."""
    search = "?metric=auc&window=week&model=a%26b&version=2&segment=x%3D1&from=now-1y"
    kept = "?model=a%26b&version=2&segment=x%3D1&window=week&from=now-1y"
    assert links.model_only(search) == kept
    assert links.model_only("?model=a&page=2", model="b", at="1") == "?model=b&at=1"


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "javascript:1", "", "/\\evil"]
)
def test_links_cannot_lead_out(path):
    """A link that would leave this application is refused."""
    with pytest.raises(ValueError, match="not a path"):
        links.href(path)


@given(st.text(max_size=80), st.text(max_size=80))
def test_data_cannot_break_out_of_a_link(name, value):
    """Whatever a path or a value holds, the link stays a path of ours."""
    link = links.href(f"/heaters/{name}", f"?q={value}")
    assert link.startswith("/heaters/")
    assert not set(link) & set("\"'<> \n\\")


def test_ids_are_made_of_kebab_case_words():
    """An id is the tab and the part; anything else is refused."""
    assert ident("drift", "feature-list") == "drift-feature-list"
    with pytest.raises(ValueError, match="kebab"):
        ident("Drift", "feature")
