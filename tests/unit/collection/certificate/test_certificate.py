"""Certificates as values, and the judgement on one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import (
    CLOCK,
    DAY,
    Certificate,
    chain_problem,
    covers,
    judge,
    parse_der,
    parse_pem,
    public_key_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Issue, Issued

NOW = 1_000_000.0
PLAIN = Certificate("CN=a.lab", "CN=CA", ("a.lab",), 0, NOW + 90 * DAY, "f", "k", self_signed=False)


def until(seconds: float) -> Certificate:
    return dataclasses.replace(PLAIN, not_after=NOW + seconds)


def parsed(*issued: Issued) -> list[Certificate]:
    return parse_pem("".join(each.pem for each in issued), "x")


def test_a_certificate_is_read(make: Issue, authority: Issued) -> None:
    issued = make("a.lab", authority, ["a.lab", "*.b.lab", "10.0.0.1", "::1"], begins=-1, ends=2)
    (certificate,) = parsed(issued)
    assert certificate.names == ("a.lab", "*.b.lab", "10.0.0.1", "::1")
    assert (certificate.subject, certificate.issuer) == ("CN=a.lab", "CN=Root")
    assert certificate.not_after == issued.certificate.not_valid_after_utc.timestamp()
    assert certificate.days_left(certificate.not_after - DAY / 2) == 0.5
    assert certificate.days_left(certificate.not_after + DAY) == -1
    assert not certificate.self_signed
    der = issued.certificate.public_bytes(serialization.Encoding.DER)
    assert parse_der(der, "x").fingerprint == certificate.fingerprint


def test_a_chain_is_read_in_its_order_with_text_in_between(good: Issued, authority: Issued) -> None:
    chain = parse_pem(f"subject=localhost\n{good.pem}\nissuer\n{authority.pem}", "x")
    assert [each.subject for each in chain] == ["CN=localhost", "CN=Root"]
    assert [each.self_signed for each in chain] == [False, True]


def test_a_certificate_without_names_has_none(make: Issue, authority: Issued) -> None:
    (certificate,) = parsed(make("a.lab", authority))
    (problem,) = judge(certificate, certificate.not_before, ["a.lab"], 1)
    assert problem.sentence == "it is not for a.lab but for no name at all"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "/tls.crt holds no certificate in PEM form"),
        ("\x00\x01\udcff garbage", "/tls.crt holds no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nMIIB", "/tls.crt holds no certificate in PEM form"),
        (
            "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
            "/tls.crt holds a certificate that cannot be read: ",
        ),
        (
            "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
            "/tls.crt holds a certificate that cannot be read: ",
        ),
    ],
)
def test_what_is_no_certificate_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(FailedError) as caught:
        parse_pem(text, "/tls.crt")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_damaged_answer_is_said_in_a_sentence() -> None:
    with pytest.raises(FailedError, match=r"^a:443 sent a certificate that cannot be read: "):
        parse_der(b"\x30\x03abc", "a:443")


def test_a_key_matches_the_certificate_made_for_it_and_no_other(good: Issued, expired: Issued) -> None:
    public = good.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (certificate,) = parsed(good)
    assert public_key_of(good.key_pem, "k") == certificate.public_key
    assert public_key_of(public.decode(), "k") == certificate.public_key
    assert public_key_of(expired.key_pem, "k") != certificate.public_key


def test_a_key_that_cannot_be_used_is_not_told(good: Issued) -> None:
    locked = good.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    ).decode()
    with pytest.raises(FailedError, match=r"^/k is a key with a passphrase$"):
        public_key_of(locked, "/k")
    for text in ("secret", good.key_pem[:90] + "\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(FailedError, match=r"^/k is not a key in PEM form$"):
            public_key_of(text, "/k")


@pytest.mark.parametrize(
    ("seconds", "problems"),
    [
        (31 * DAY, []),
        (30 * DAY, []),
        (30 * DAY - 1, [("expiring", "it expires in 30.0 days, less than the 30 days that are wanted")]),
        (3 * 3600, [("expiring", "it expires in 3.0 hours, less than the 30 days that are wanted")]),
        (60, [("expiring", "it expires in 1 minutes, less than the 30 days that are wanted")]),
        (0, [("expiring", "it expires in 0 minutes, less than the 30 days that are wanted")]),
        (-60, [("expired", "it expired 1 minutes ago, at 1970-01-12T13:45:40Z")]),
        (-1.5 * DAY, [("expired", "it expired 1.5 days ago, at 1970-01-11T01:46:40Z")]),
    ],
)
def test_dates_are_judged(seconds: float, problems: list[tuple[str, str]]) -> None:
    found = judge(until(seconds), NOW, ["a.lab"], 30)
    assert [(each.word, each.sentence) for each in found] == problems


@pytest.mark.parametrize(("ahead", "clocks"), [(CLOCK - 1, True), (CLOCK, False), (2 * DAY, False)])
def test_a_certificate_that_is_not_valid_yet_may_be_a_matter_of_clocks(ahead: float, clocks: bool) -> None:
    (problem,) = judge(dataclasses.replace(PLAIN, not_before=NOW + ahead), NOW, [], 30)
    assert problem.word == "not-yet-valid"
    assert ("clocks" in problem.sentence) is clocks


def test_names_are_judged() -> None:
    (problem,) = judge(PLAIN, NOW, ["a.lab", "b.lab", "c.lab"], 30)
    assert (problem.word, problem.sentence) == ("wrong-name", "it is not for b.lab, c.lab but for a.lab")


@pytest.mark.parametrize(
    ("names", "wanted", "is_for"),
    [
        (["a.lab"], "a.lab", True),
        (["A.Lab"], "a.lAB.", True),
        (["*.lab"], "a.lab", True),
        (["*.lab"], "lab", False),
        (["*.lab"], "a.b.lab", False),
        (["b.lab"], "a.lab", False),
        (["localhost"], "localhost", True),
        (["*."], "localhost", False),
        (["127.0.0.1"], "127.0.0.1", True),
        (["*.0.0.1"], "127.0.0.1", False),
        (["0:0:0:0:0:0:0:1"], "[::1]", True),
        ([], "a.lab", False),
    ],
)
def test_a_certificate_covers_a_name(names: list[str], wanted: str, is_for: bool) -> None:
    assert covers(names, wanted) is is_for


def test_a_chain_leads_to_an_authority(
    make: Issue, good: Issued, authority: Issued, intermediate: Issued
) -> None:
    below = make("localhost", intermediate, ["localhost"])
    now = parsed(good)[0].not_before + 1
    roots = parsed(authority)
    assert chain_problem(parsed(good), roots, now) == ""
    assert chain_problem(parsed(good, authority), roots, now) == ""
    assert chain_problem(parsed(below, intermediate), roots, now) == ""
    assert chain_problem(parsed(below, good, intermediate), roots, now) == ""
    assert chain_problem(parsed(authority), roots, now) == ""


def test_a_chain_that_leads_nowhere_says_why(make: Issue, authority: Issued, intermediate: Issued) -> None:
    stranger = make("Stranger", authority=True)
    alone = make("localhost")
    below = make("localhost", intermediate)
    old = make("Old", authority, authority=True, begins=-9, ends=-5)
    namesake = make("Root", authority=True)
    roots = parsed(authority)
    now = parsed(below)[0].not_before + 100
    for chain, said in (
        ([alone], "it is self-signed, and is none of the authorities that are trusted"),
        ([make("a", stranger), stranger], "it leads to CN=Stranger, which is not trusted"),
        ([below], "the certificate of its issuer (CN=Intermediate) is neither sent with it nor trusted"),
        ([make("a", old), old], "the certificate of its issuer (CN=Old) is not valid now"),
        ([make("a", namesake)], "the certificate of its issuer (CN=Root) is neither sent with it"),
    ):
        assert chain_problem(parsed(*chain), roots, now).startswith(said)
