"""Where webhooks may lead: URLs against the list, addresses against what is fit."""

from __future__ import annotations

import ipaddress
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import InvalidInput
from services.webhook_hosts import WebhookHosts, refusal
from settings import Settings

CASES = int(os.environ.get("IOTSPHERE_FUZZ_CASES", "400"))
HOSTS = WebhookHosts(
    "hooks.slack.com, example.org:8443, private:127.0.0.1:9000, private:auto.lan,"
    "private:[::1]:9001, private:localhost"
)
INNER_V4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "192.0.2.0/24", "198.18.0.0/15",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/32", "169.254.0.0/16", "224.0.0.0/4", "::/128", "fe80::/10",
        "ff00::/8", "::ffff:0:0/96", "2002::/16", "2001::/32", "64:ff9b::/96",
        "64:ff9b:1::/48", "::ffff:0:0:0/96", "fec0::/10",
    )
]  # fmt: skip


def inside(network) -> st.SearchStrategy:
    """Addresses of a network."""
    first = int(network.network_address)
    kind = type(network.network_address)
    return st.integers(first, first + network.num_addresses - 1).map(kind)


inner_v4 = st.sampled_from(INNER_V4).flatmap(inside)
any_v4 = st.ip_addresses(v=4)


def hidden(address: ipaddress.IPv4Address) -> list[str]:
    """The forms in which an IPv6 address carries an IPv4 one."""
    number = int(address)
    teredo = (0x20010000 << 96) | (number ^ 0xFFFFFFFF)
    forms = [
        (0xFFFF << 32) | number,  # mapped
        (0xFFFF0000 << 32) | number,  # translated
        (0x2002 << 112) | (number << 80) | 1,  # 6to4
        (0x64FF9B << 96) | number,  # NAT64
        (0x64FF9B0001 << 80) | number,  # NAT64, local use
        teredo,
    ]
    return [str(ipaddress.IPv6Address(form)) for form in forms]


@settings(max_examples=CASES, deadline=None)
@given(inner_v4)
def test_no_inner_address_passes_for_a_public_host(address):
    """Private, loopback, link-local, multicast, reserved: refused in every form."""
    assert refusal(str(address), private=False)
    for form in hidden(address):
        assert refusal(form, private=False)
        assert refusal(form, private=True)


@settings(max_examples=CASES, deadline=None)
@given(any_v4)
def test_translated_addresses_are_refused_whatever_they_carry(address):
    """IPv4 inside IPv6 is refused even where the inner address is public."""
    for form in hidden(address):
        assert refusal(form, private=True)


@settings(max_examples=CASES, deadline=None)
@given(st.sampled_from(NEVER).flatmap(inside))
def test_the_mark_private_does_not_open_everything(address):
    """Link-local, multicast, unspecified and translated are refused for everybody."""
    assert refusal(str(address), private=True)


@settings(max_examples=CASES, deadline=None)
@given(st.ip_addresses())
def test_what_passes_is_a_public_address(address):
    """Whatever is not refused for a public host is global and no multicast."""
    if not refusal(str(address), private=False):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "127.0.0.1", "192.168.1.1", "fd00::1", "::1", "100.64.0.1"]
)
def test_the_mark_private_lets_inner_networks_pass(address):
    """An administrator's own automation is reached, once it is named so."""
    assert refusal(address, private=True) == ""
    assert "private" in refusal(address, private=False)


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "nonsense", "", "1.2.3", "0x7f.1", "127.1", "2130706433"]
)
def test_what_is_no_plain_address_is_refused(text):
    """Scopes, short and numeric forms never reach a connection."""
    assert refusal(text, private=True)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://hooks.slack.com/services/T/B/x?y=1", "/services/T/B/x?y=1"),
        ("https://HOOKS.slack.com./a", "/a"),
        ("https://example.org:8443", "/"),
        ("http://127.0.0.1:9000/in", "/in"),
        ("https://[::1]:9001/in", "/in"),
        ("http://localhost/in", "/in"),
    ],
)
def test_urls_of_the_list_pass(url, path):
    """Host and port are as the list says; http on marked loopback only."""
    assert HOSTS.target(url).path == path


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/a", "http://auto.lan/a", "https://example.org/a",
        "https://hooks.slack.com:444/", "https://evil.example/",
        "https://hooks.slack.com@evil.example/", "https://u:p@hooks.slack.com/",
        "https://hooks.slack.com.evil.example/", "https://evil-hooks.slack.com/",
        "https://hooks\uff0eslack.com/", "https://xn--hooks-.slack.com/",
        "https://hooks.slack.com\\@evil.example/", "https://hooks.slack.com#@evil/",
        "https://hooks.slack.com/a#b", "ftp://hooks.slack.com/", "file:///etc/passwd",
        "gopher://hooks.slack.com/", "javascript:alert(1)", "//hooks.slack.com/", "",
        "https://", "https:///a", "https://hooks.slack.com:99999/", "https://[::1/",
        "https://[::ffff:127.0.0.1]:9000/", "http://127.1:9000/",
        "http://0x7f000001:9000/", "http://2130706433:9000/", "http://0177.0.0.1:9000/",
        "https://hooks.slack.com/\r\nHost: evil", "https://hooks.slack.com/a b",
        "https://hooks.slack.com/\u202e", "https://" + "a" * 10_000,
        "https://[v1.fe80::a]/", "https://[::1%25eth0]:9001/",
    ],
)  # fmt: skip
def test_other_urls_are_refused_in_words(url):
    """Every way past the list, the scheme or the parser ends with a reason."""
    with pytest.raises(InvalidInput) as caught:
        HOSTS.target(url)
    assert 10 < len(str(caught.value)) < 120


@settings(max_examples=CASES, deadline=None)
@given(st.text(max_size=80) | st.from_regex(r"https?://[!-~]{1,40}", fullmatch=True))
def test_no_text_breaks_the_reading_of_urls(url):
    """Any text is either a URL of the list or refused in words."""
    try:
        target = HOSTS.target(url)
    except InvalidInput:
        return
    assert (target.host, target.port) in {
        ("hooks.slack.com", 443), ("example.org", 8443), ("127.0.0.1", 9000),
        ("auto.lan", 443), ("::1", 9001), ("localhost", 443), ("localhost", 80),
    }  # fmt: skip


def test_an_empty_list_says_that_webhooks_are_off():
    """Nothing is sent before somebody has named a host, and the reason is told."""
    with pytest.raises(InvalidInput, match="IOTSPHERE_WEBHOOK_HOSTS"):
        WebhookHosts(" , ").target("https://hooks.slack.com/")


@pytest.mark.parametrize(
    "entries",
    [
        "https://a.b",
        "a b",
        "a:0",
        "a:70000",
        "private:",
        "*",
        "[zz]",
        "a/b",
        "u@h",
        "-a",
    ],
)
def test_a_list_that_cannot_be_read_stops_the_start(entries):
    """A host that is none is named at the start, not when an alert is told."""
    with pytest.raises(ValueError, match="WEBHOOK_HOSTS"):
        Settings(secret_key="k7!" + "Zq3xW9vB" * 5, webhook_hosts=entries)
