"""A temporary certificate in files, recorded and put back: real files, and the interlock on the same host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _certificate_renewal,
    _temporary_changes,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

if TYPE_CHECKING:
    from tests.unit.collection.certificate.conftest import Host, Issued

Run = Callable[..., Any]


@pytest.fixture
def run(host: Host, ca_file: str) -> Run:
    def run(module: Any = _temporary_changes, check_mode: bool = False, **given: Any) -> Any:
        usual = {name: spec.get("default") for name, spec in module.ARGUMENTS.items()}
        files = {"certificate_file": f"{host.folder}/tls.crt", "key_file": f"{host.folder}/tls.key"}
        site = {"platform": "compose", "interlock_folder": f"{host.folder}/interlock", **files}
        checks = {"server_name": "localhost", "names": ["localhost"], "ca_file": ca_file}
        return module.run({**usual, **site, **checks, **given}, host.carrier(check_mode))

    return run


@pytest.fixture
def self_signed(host: Host, run: Run) -> Callable[[Issued], str]:
    """A temporary certificate in place of this one; gives the id of its record."""

    def make(before: Issued) -> str:
        (host.folder / "tls.crt").write_text(before.pem, "utf-8")
        (host.folder / "tls.key").write_text(before.key_pem, "utf-8")
        result = run(_certificate_renewal, method="self_signed", force=True, minutes=60)
        assert result.verdict == "self-signed"
        return str(result.returned["change_id"])

    return make


def kept(host: Host) -> list[dict[str, Any]]:
    document = json.loads((host.folder / "interlock/saveit/interlock.json").read_text("utf-8"))
    found: list[dict[str, Any]] = document["changes"]
    return found


def test_it_is_recorded_without_its_key_and_the_old_one_is_put_back(
    host: Host, run: Run, self_signed: Callable[[Issued], str], good: Issued
) -> None:
    id_ = self_signed(good)
    (record,) = kept(host)
    assert (record["id"], record["kind"], record["state"]) == (id_, "certificate", "made")
    assert "PRIVATE" not in json.dumps(record)
    before = host.file("tls.crt")
    assert run(step="revert", ids=[id_], check_mode=True).verdict == "planned"
    assert host.file("tls.crt") == before
    result = run(step="revert", ids=[id_])
    assert result.verdict == "put-back", result.sentence
    assert (host.file("tls.crt"), host.file("tls.key"), kept(host)) == (good.pem, good.key_pem, [])
    assert sorted(path.name for path in host.folder.iterdir()) == ["interlock", "tls.crt", "tls.key"]


def test_an_old_one_that_is_no_better_stays_away(
    host: Host, run: Run, self_signed: Callable[[Issued], str], expired: Issued
) -> None:
    id_ = self_signed(expired)
    before = host.file("tls.crt")
    result = run(step="revert", ids=[id_])
    assert (result.verdict, host.file("tls.crt"), len(kept(host))) == ("left", before, 1)
    assert "the old certificate is no better" in result.sentence


def test_where_another_one_is_in_place_by_now_nothing_is_left_of_ours(
    host: Host, run: Run, self_signed: Callable[[Issued], str], expired: Issued, good: Issued
) -> None:
    id_ = self_signed(expired)
    (host.folder / "tls.crt").write_text(good.pem, "utf-8")
    result = run(step="revert", ids=[id_])
    assert (result.verdict, host.file("tls.crt"), kept(host)) == ("over", good.pem, [])


def test_a_record_does_not_say_which_files_these_are(
    host: Host, run: Run, self_signed: Callable[[Issued], str], good: Issued
) -> None:
    id_ = self_signed(good)
    result = run(step="revert", ids=[id_], certificate_file=f"{host.folder}/other.crt")
    assert result.verdict == "left"
    assert "the inventory does not say the same certificate_file as the record" in result.sentence


def test_a_service_that_does_not_take_the_old_one_keeps_the_temporary_one(
    host: Host, run: Run, self_signed: Callable[[Issued], str], good: Issued
) -> None:
    id_ = self_signed(good)
    before = host.file("tls.crt")
    host.validation = Completed(1, "", "nginx: bad key")
    result = run(step="revert", ids=[id_])
    assert (result.verdict, host.file("tls.crt"), len(kept(host))) == ("left", before, 1)
    assert "the temporary certificate was put in place again" in result.sentence


def test_one_that_the_service_did_not_take_has_no_record(
    host: Host, self_signed: Callable[[Issued], str], expired: Issued
) -> None:
    host.validation = Completed(1, "", "nginx: bad key")
    with pytest.raises(FailedError, match=r"the old files were put back$"):
        self_signed(expired)
    assert (host.file("tls.crt"), kept(host)) == (expired.pem, [])
