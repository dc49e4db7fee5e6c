"""URLs are taken apart in one way only, and what can be read in two ways is refused."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from consentry.connectors.places import MAX_URL_CHARS, Place
from consentry.kernel.errors import ImageNotFetched
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture.png",
        "//cdn.example.com/a.png",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "gopher://example.com/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https://",
        "https:///a.png",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://good.example.com\\@evil.example.com/",
        "https://good.example.com\\.evil.example.com/",
        "https://example.com /a.png",
        " https://example.com/a.png",
        "https://example.com/a.png\r\nX: y",
        "https://exam\tple.com/",
        "https://example.com\x00.evil.com/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://a.localhost/",
        "https://intranet/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://1.0.0.127.in-addr.arpa/",
        "https://site.onion/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://1.2.3.4.5/",
        "https://1.2.3.256/",
        "https://01.02.03.04/",
        "https://foo.0x7f/",
        "https://example.1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        "https://a..example.com/",
        "https://-a.example.com/",
        "https://exa%6dple.com/",
        "https://example.com:0x1bb/",
        "https://example.com:99999/",
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 127 + "com/",
        "https://example.com/" + "a" * MAX_URL_CHARS,
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_is_ambiguous_is_refused(url):
    with pytest.raises(ImageNotFetched):
        Place.of(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://cdn.example.com/a.png", "cdn.example.com", 443, b"/a.png"),
        ("HTTPS://CDN.Example.COM/A.png?x=1&y=2#frag", "cdn.example.com", 443, b"/A.png?x=1&y=2"),
        ("https://cdn.example.com.", "cdn.example.com", 443, b"/"),
        ("https://cdn.example.com:8443/", "cdn.example.com", 8443, b"/"),
        ("https://under_score.example.com/", "under_score.example.com", 443, b"/"),
        ("https://bücher.example/ü", "xn--bcher-kva.example", 443, b"/%C3%BC"),
        ("https://1.1.1.1/a", "1.1.1.1", 443, b"/a"),
        ("https://[2606:4700::1111]/a", "2606:4700::1111", 443, b"/a"),
        ("https://a.b-c.example.com/%20x/../y", "a.b-c.example.com", 443, b"/y"),
    ],
)
def test_an_ordinary_address_is_taken_apart(url, host, port, target):
    place = Place.of(url)

    assert (place.host, place.port, place.target) == (host, port, target)


@slowly
@given(st.ip_addresses(v=4), st.sampled_from("\u3002\uff0e\uff61"))
def test_another_dot_between_numbers_names_the_same_address_or_none(address, dot):
    try:
        place = Place.of(f"https://{str(address).replace('.', dot)}/")
    except ImageNotFetched:
        return
    assert place.address == address


@slowly
@given(st.ip_addresses(v=6))
def test_an_address_in_brackets_is_that_address(address):
    assert Place.of(f"https://[{address.exploded}]/").address == address


def _forms(address: IPv4Address) -> list[str]:
    a, b, c, d = address.packed
    return [
        str(int(address)),
        hex(int(address)),
        oct(int(address)).replace("0o", "0"),
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{a}.{b}.{(c << 8) | d}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{b}.{c}.{d:#x}",
    ]


@slowly
@given(
    st.ip_addresses(v=4).filter(lambda each: max(each.packed) > 7), st.integers(0, 7), st.booleans()
)
def test_a_number_in_any_other_form_is_refused_or_is_that_address(address, form, dot):
    written = _forms(address)[form] + ("." if dot else "")

    try:
        place = Place.of(f"https://{written}/")
    except ImageNotFetched:
        return
    assert place.address == ip_address(written.removesuffix("."))


@slowly
@given(st.text(max_size=60))
def test_any_text_is_a_place_or_refused(text):
    for url in (text, f"https://{text}", f"https://{text}/a", f"https://example.com/{text}"):
        try:
            place = Place.of(url)
        except ImageNotFetched:
            continue
        assert place.scheme in Place.SCHEMES
        assert place.host.isascii()
        assert not set(b"\r\n ") & set(place.target)


@slowly
@given(st.text(max_size=60))
def test_any_text_may_be_the_aim_of_a_redirect(text):
    try:
        Place.of("https://example.com/a/b").follow(text)
    except ImageNotFetched:
        return


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("c.png", "https://example.com/a/c.png"),
        ("/c.png", "https://example.com/c.png"),
        ("//other.example.com/c.png", "https://other.example.com/c.png"),
        ("http://other.example.com/c.png", "http://other.example.com/c.png"),
    ],
)
def test_a_redirect_leads_where_a_browser_would_go(location, leads_to):
    place = Place.of("https://example.com/a/b").follow(location)

    assert f"{place.origin}{place.target.decode()}" == leads_to
