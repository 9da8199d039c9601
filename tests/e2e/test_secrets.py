"""The lab's own secrets: containers have them in their environment, and none is written or shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Lab, Remediate

SECRETS = Path(__file__).resolve().parents[2] / ".lab" / "secrets.env"


def test_no_secret_of_the_lab_is_written_or_shown(
    lab: Lab, remediate: Remediate, environment: dict[str, str], tmp_path: Path
) -> None:
    password = SECRETS.read_text("utf-8").partition("POSTGRES_PASSWORD=")[2].partition("\n")[0]
    assert len(password) >= 16
    folder = tmp_path / "private"
    folder.mkdir()
    more = {"TMPDIR": str(folder), "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
    lab.break_("redis-stopped")
    said = [
        remediate("--incident", "redis", "--yes", "--diff", "-vvvv", env=more),
        remediate("diagnose", "--json", "-vvvv", env=more),
        remediate("show", "last", "--json"),
        remediate("journal", "export"),
    ]
    assert not [each for each in said if password in each.stdout + each.stderr]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "ansible.log" in written
    assert not [path for path in written if password.encode() in path.read_bytes()]
    assert list(folder.iterdir()) == []
    assert environment["XDG_STATE_HOME"].startswith(str(tmp_path))
