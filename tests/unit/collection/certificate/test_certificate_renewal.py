"""certificate_renewal on real files in a folder, with a client that is a script and an engine on paper."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import parse_pem
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_renewal import ARGUMENTS, run
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Host, Issue, Issued

MEMORY = "tls.crt.renewal.json"
Renew = Callable[..., Result]
COPY = "import shutil; shutil.copy('next.crt', 'new.crt'); shutil.copy('next.key', 'new.key')"


@pytest.fixture
def renew(host: Host, ca_file: str) -> Renew:
    """Runs the module; `client` is what the site's client does, in Python, where the files are."""

    def renew(check_mode: bool = False, client: str = COPY, **given: Any) -> Result:
        folder = host.folder
        script = f"import os; os.chdir({str(folder)!r}); open('asked', 'a').write('x'); {client}"
        parameters = {
            **{name: spec.get("default") for name, spec in ARGUMENTS.items()},
            "record": False,
            "platform": "compose",
            "project": "saveit",
            "service_names": {},
            "docker_command": ["docker"],
            "command": [sys.executable, "-c", script],
            "certificate_file": str(folder / "tls.crt"),
            "key_file": str(folder / "tls.key"),
            "new_certificate_file": str(folder / "new.crt"),
            "new_key_file": str(folder / "new.key"),
            "names": ["localhost"],
            "ca_file": ca_file,
            **given,
        }
        return run(parameters, host.carrier(check_mode))

    return renew


@pytest.fixture
def stored(host: Host, expired: Issued) -> Issued:
    """An expired certificate in place."""
    (host.folder / "tls.crt").write_text(expired.pem, "utf-8")
    (host.folder / "tls.key").write_text(expired.key_pem, "utf-8")
    (host.folder / "tls.key").chmod(0o640)
    return expired


@pytest.fixture
def issuer(host: Host) -> Callable[..., None]:
    """Says what the client gets the next time."""

    def gives(certificate: Issued | str, key: Issued | str = "") -> None:
        pem = certificate if isinstance(certificate, str) else certificate.pem
        key = key or (certificate if not isinstance(certificate, str) else "no key")
        (host.folder / "next.crt").write_text(pem, "utf-8")
        (host.folder / "next.key").write_text(key if isinstance(key, str) else key.key_pem, "utf-8")

    return gives


def in_place(host: Host) -> tuple[str, str]:
    return host.file("tls.crt"), host.file("tls.key")


def asked(host: Host) -> int:
    return len(host.file("asked")) if (host.folder / "asked").exists() else 0


def remembered(host: Host) -> str:
    return str(json.loads(host.file(MEMORY))["result"])


def test_a_new_certificate_is_put_in_place_and_the_old_one_kept(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    result = renew()
    assert (result.verdict, result.changed) == ("renewed", True)
    assert in_place(host) == (good.pem, good.key_pem)
    kept_certificate, kept_key = result.returned["kept"]
    assert (host.file(kept_certificate), host.file(kept_key)) == (stored.pem, stored.key_pem)
    assert stat.S_IMODE((host.folder / "tls.key").stat().st_mode) == 0o640
    assert not [name for name in host.files() if name.endswith(".new")]
    assert (host.signals, remembered(host)) == (1, "renewed")
    assert result.sentence.startswith("nginx has a new certificate, good for 90.0 days, in ")
    assert "saveit-nginx reloaded" in result.sentence


def test_check_mode_asks_nobody_and_writes_nothing(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    before = host.files()
    result = renew(check_mode=True)
    assert (result.verdict, result.changed) == ("planned", True)
    assert (host.files(), host.signals, asked(host)) == (before, 0, 0)
    assert not {"cp", "mv", "rm", "tee", "chmod", "chown"} & set(host.ran)
    assert result.sentence.startswith("would run `")
    assert result.diff is not None
    assert "PRIVATE KEY" not in str(result.as_return())


def test_a_good_certificate_is_not_renewed(
    host: Host, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    (host.folder / "tls.crt").write_text(good.pem, "utf-8")
    (host.folder / "tls.key").write_text(good.key_pem, "utf-8")
    result = renew()
    assert (result.verdict, result.changed, asked(host)) == ("unchanged", False, 0)
    assert result.sentence.endswith("tls.crt is good for 90.0 days, more than 30")
    assert renew(renew_before_days=89).verdict == "unchanged"


def test_a_good_certificate_is_renewed_by_force_and_only_once(
    host: Host, make: Issue, authority: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    (host.folder / "tls.crt").write_text(good.pem, "utf-8")
    (host.folder / "tls.key").write_text(good.key_pem, "utf-8")
    longer = make("localhost", authority, ["localhost"], ends=91)
    issuer(longer)
    assert renew(force=True).verdict == "renewed"
    assert in_place(host)[0] == longer.pem
    again = renew(force=True)
    assert (again.verdict, asked(host)) == ("unchanged", 1)
    assert "the issuer is not asked again before" in again.sentence


def test_a_short_time_left_is_renewed(
    host: Host, make: Issue, authority: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    soon = make("localhost", authority, ["localhost"], ends=29)
    (host.folder / "tls.crt").write_text(soon.pem, "utf-8")
    (host.folder / "tls.key").write_text(soon.key_pem, "utf-8")
    issuer(good)
    assert renew().verdict == "renewed"
    assert in_place(host)[0] == good.pem


@pytest.mark.parametrize("client", ["raise SystemExit(1)", COPY])
def test_the_issuer_is_asked_once_in_the_back_off_however_it_ended(
    host: Host, stored: Issued, expired: Issued, issuer: Callable[..., None], renew: Renew, client: str
) -> None:
    issuer(expired)
    with pytest.raises(FailedError):
        renew(client=client)
    assert remembered(host).startswith("failed: ")
    for later in (0, 59 * 60):
        host.ahead += later
        result = renew(client=client)
        assert (result.verdict, result.changed, asked(host)) == ("unchanged", False, 1)
        assert "a renewal was attempted at" in result.sentence
    host.ahead += 2 * 60
    with pytest.raises(FailedError):
        renew(client=client)
    assert asked(host) == 2


def test_an_attempt_that_never_ended_counts(host: Host, stored: Issued, renew: Renew) -> None:
    """The tool was killed while the client ran: the note was written before."""
    note = "import json, sys; print(json.load(open('tls.crt.renewal.json'))['result'], file=sys.stderr)"
    with pytest.raises(FailedError, match=r"failed with exit code 1: not finished$"):
        renew(client=f"{note}; raise SystemExit(1)")


def test_a_note_from_the_future_is_of_a_wrong_clock(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    note = {"attempted_at": host.time + 86_400, "result": "failed"}
    (host.folder / MEMORY).write_text(json.dumps(note), "utf-8")
    assert renew().verdict == "renewed"


@pytest.mark.parametrize("text", ["", "{}", "[]", "garbage", '{"attempted_at": "x", "result": ""}'])
def test_a_damaged_note_stops_it(host: Host, stored: Issued, renew: Renew, text: str) -> None:
    (host.folder / MEMORY).write_text(text, "utf-8")
    with pytest.raises(FailedError, match="is damaged; delete it"):
        renew()
    assert asked(host) == 0


def untouched(host: Host, stored: Issued) -> None:
    assert in_place(host) == (stored.pem, stored.key_pem)
    assert not [name for name in host.files() if name.endswith(".new")]
    assert host.signals == 0


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("raise SystemExit(1)", "failed with exit code 1: it said nothing"),
        ("import sys; sys.exit('no account\\nat all')", "failed with exit code 1: no account at all"),
        ('raise AttributeError("can\'t set attribute")', "certbot hides the issuer's answer behind this"),
        ("import time; time.sleep(60)", "did not end within 0.5 s, and was ended"),
        ("pass", "cannot copy "),
    ],
)
def test_a_client_that_fails_or_hangs_changes_nothing(
    host: Host, stored: Issued, renew: Renew, client: str, said: str
) -> None:
    with pytest.raises(FailedError) as caught:
        renew(client=client, command_timeout_seconds=0.5 if "sleep" in client else 10)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    untouched(host, stored)


def test_a_client_that_is_not_there_changes_nothing(host: Host, stored: Issued, renew: Renew) -> None:
    with pytest.raises(FailedError, match=r"`/nowhere/certbot` on the host failed with exit code 127: "):
        renew(command=["/nowhere/certbot"])
    untouched(host, stored)


def test_of_a_client_that_talks_much_the_last_words_are_told(
    host: Host, stored: Issued, renew: Renew
) -> None:
    with pytest.raises(FailedError, match=r"exit code 1: … word word") as caught:
        renew(client="import sys; sys.exit('begin ' + 'word ' * 900 + 'refused')")
    assert str(caught.value).endswith("word refused")
    assert len(str(caught.value)) < 600


def test_what_the_client_says_is_redacted(host: Host, stored: Issued, renew: Renew) -> None:
    with pytest.raises(FailedError) as caught:
        renew(client="import sys; sys.exit('https://me:hunter2@ca.lab refused')")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in host.file(MEMORY)


def test_what_is_no_certificate_is_not_put_in_place(
    host: Host, stored: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer("<html>502 Bad Gateway</html>")
    with pytest.raises(FailedError, match="holds no certificate in PEM form; the old files were not touched"):
        renew()
    untouched(host, stored)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ends": -1, "begins": -2}, "it expired"),
        ({"begins": 1}, "it is valid only from"),
        ({"names": ["other.lab"]}, "it is not for localhost but for other.lab"),
        ({"by": None}, "it is self-signed"),
    ],
)
def test_a_new_certificate_that_is_not_good_is_not_put_in_place(
    host: Host,
    stored: Issued,
    make: Issue,
    authority: Issued,
    issuer: Callable[..., None],
    renew: Renew,
    given: dict[str, Any],
    said: str,
) -> None:
    issuer(make("localhost", **{"by": authority, "names": ["localhost"], **given}))
    with pytest.raises(FailedError, match="the new certificate is not put in place: ") as caught:
        renew()
    assert said in str(caught.value)
    untouched(host, stored)


def test_a_new_certificate_by_a_clock_that_is_a_little_ahead_is_taken(
    host: Host, stored: Issued, make: Issue, authority: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(make("localhost", authority, ["localhost"], begins=1 / 1440))
    assert renew().verdict == "renewed"


def test_a_new_certificate_with_the_key_of_another_is_not_put_in_place(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good, stored)
    with pytest.raises(FailedError, match="belongs to another certificate"):
        renew()
    untouched(host, stored)


def test_one_that_is_no_better_is_not_put_in_place(
    host: Host, make: Issue, authority: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    soon, sooner = (make("localhost", authority, ["localhost"], ends=days) for days in (10, 9))
    (host.folder / "tls.crt").write_text(soon.pem, "utf-8")
    (host.folder / "tls.key").write_text(soon.key_pem, "utf-8")
    issuer(sooner)
    with pytest.raises(FailedError, match="it does not expire later than the old one"):
        renew()
    untouched(host, soon)


def test_a_short_one_from_the_issuer_is_taken_and_told(
    host: Host, stored: Issued, make: Issue, authority: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(make("localhost", authority, ["localhost"], ends=6))
    assert renew().sentence.endswith("but it expires in 6.0 days, less than the 30 days that are wanted")


def test_the_old_files_come_back_when_the_server_cannot_use_the_new_ones(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    host.validation = Completed(1, "", "nginx: [emerg] cannot load")
    with pytest.raises(FailedError, match=r"nginx: \[emerg\] cannot load; the old files were put back$"):
        renew()
    untouched(host, stored)
    assert remembered(host).startswith("failed: saveit-nginx is not reloaded")


def test_where_there_was_no_file_none_is_left_after_a_failure(
    host: Host, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    host.validation = Completed(1, "", "no")
    with pytest.raises(FailedError, match="the old files were put back"):
        renew()
    assert not {"tls.crt", "tls.key"} & set(host.files())


def test_a_server_that_waits_for_a_good_pair_is_started_with_it(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    host.state = "restarting"
    assert "saveit-nginx started" in renew().sentence
    assert [verb for verb in host.ran if verb in ("kill", "start", "restart")] == ["restart"]


def test_a_symbolic_link_is_left_to_the_client(host: Host, expired: Issued, renew: Renew) -> None:
    (host.folder / "real.crt").write_text(expired.pem, "utf-8")
    (host.folder / "tls.crt").symlink_to(host.folder / "real.crt")
    result = renew()
    assert (result.verdict, asked(host)) == ("unchanged", 0)
    assert "is a symbolic link" in result.sentence


def test_without_a_client_nothing_is_renewed_and_it_says_what_is_missing(host: Host, renew: Renew) -> None:
    result = renew(command=[], new_key_file="")
    assert (result.verdict, host.ran) == ("unchanged", [])
    assert result.sentence == "not renewed: the inventory does not say command, new_key_file"
    assert renew(method="self_signed", names=[]).sentence.endswith("does not say server_name")


def test_a_temporary_certificate_is_made_without_asking_the_issuer(
    host: Host, stored: Issued, renew: Renew
) -> None:
    result = renew(method="self_signed", names=["localhost", "127.0.0.1"])
    assert (result.verdict, asked(host)) == ("self-signed", 0)
    assert "of which browsers warn" in result.sentence
    (made,) = parse_pem(host.file("tls.crt"), "x")
    assert (made.self_signed, made.names) == (True, ("localhost", "127.0.0.1"))
    assert 6.9 < made.days_left(host.time) < 7.1
    assert stat.S_IMODE((host.folder / "tls.key").stat().st_mode) == 0o640
    assert MEMORY not in host.files()
    assert host.signals == 1


def test_a_temporary_certificate_is_no_remedy_while_a_better_one_is_served(
    host: Host, stored: Issued, good: Issued, make: Issue, renew: Renew, serve: Callable[..., str]
) -> None:
    """The files are damaged, and the server still has the good ones in memory."""
    for served in (good, make("localhost", names=["localhost"])):
        result = renew(method="self_signed", endpoint=serve(served), server_name="localhost")
        assert (result.verdict, result.changed) == ("unchanged", False)
        assert "browsers would warn of a temporary certificate" in result.sentence
    untouched(host, stored)


def test_a_temporary_certificate_is_planned_in_check_mode(host: Host, stored: Issued, renew: Renew) -> None:
    before = host.files()
    result = renew(check_mode=True, method="self_signed")
    assert (result.verdict, host.files(), host.signals) == ("planned", before, 0)
    assert result.diff is not None
    assert result.diff["after"] == "a certificate that browsers warn of for localhost, with its key\n"


def test_a_temporary_certificate_is_replaced_by_a_real_one(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew
) -> None:
    issuer(good)
    renew(method="self_signed", self_signed_days=365)
    assert renew().verdict == "renewed"
    assert in_place(host) == (good.pem, good.key_pem)


def test_it_waits_until_the_endpoint_serves_the_new_one(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew,
    serve: Callable[..., str],
) -> None:  # fmt: skip
    issuer(good)
    served = renew(endpoint=serve(good), server_name="localhost")
    assert "not served yet" not in served.sentence
    assert host.ahead == 0


def test_it_does_not_wait_for_ever_until_the_endpoint_serves_the_new_one(
    host: Host, stored: Issued, good: Issued, issuer: Callable[..., None], renew: Renew,
    serve: Callable[..., str],
) -> None:  # fmt: skip
    issuer(good)
    result = renew(endpoint=serve(stored), server_name="localhost", serve_timeout_seconds=1.0)
    assert result.verdict == "renewed"
    assert "it is not served yet" in result.sentence
    assert 0 < host.ahead <= 1.5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"renew_before_days": -1.0}, "renew_before_days -1: it has to be from 0 to 3650"),
        ({"command_timeout_seconds": 0.0}, r"command_timeout_seconds 0: .* \(certificate_renewal_timeout_s"),
        ({"backoff_minutes": float("nan")}, "backoff_minutes nan: "),
        ({"self_signed_days": 0}, "self_signed_days 0: it has to be from 1 to 397"),
        ({"timeout_seconds": float("inf")}, "timeout_seconds inf: "),
    ],
)
def test_a_number_out_of_its_range_is_refused_before_anything_is_done(
    host: Host, stored: Issued, renew: Renew, given: dict[str, float], said: str
) -> None:
    with pytest.raises(FailedError, match=f"^cannot work with {said}"):
        renew(**given)
    assert host.ran == []
