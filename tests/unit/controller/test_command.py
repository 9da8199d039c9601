"""The command as a person types it: outcomes, exit codes, and what is on stdout and stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site


def test_a_healthy_service_gets_no_action(site: Site) -> None:
    site.publishes({"findings": []}, {"actions": [site.helped]})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"], found["actions"]) == ("healthy", 0, [])
    assert found["sentence"] == "alpha: nothing is wrong; nothing was touched"


def test_what_was_seen_besides_is_told_and_no_reason_to_act(site: Site) -> None:
    site.publishes({"findings": [{**site.dead, "kind": "context", "sentence": "slow backend"}]})
    found = site.json("--yes")
    assert found["outcome"] == "healthy"
    assert found["sentence"].endswith("nothing was touched (seen besides: slow backend)")


def test_with_yes_a_sick_service_recovers_and_the_record_tells_it(site: Site) -> None:
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"], found["severity"]) == ("recovered", 0, "sev2")
    assert found["verification"]["verdict"] == "recovered"
    assert list(found)[:5] == ["incident_id", "incident", "severity", "target", "outcome"]
    record = json.loads(site.run("show", "last", "--json").stdout)
    assert (record["incident_id"], record["outcome"]) == (found["incident_id"], "recovered")
    assert record["chain_intact"] is True
    assert [event["kind"] for event in record["events"]] == [
        "opened",
        "assessed",
        "planned",
        "judged",
        "closed",
    ]


def test_without_a_terminal_and_without_yes_nothing_is_touched(site: Site) -> None:
    found = site.json()
    assert (found["outcome"], found["exit_code"], found["mode"]) == ("planned", 0, "diagnose")
    assert found["actions"][0]["result"] == "possible"


def test_a_check_runs_the_remedies_in_check_mode_with_diffs(site: Site) -> None:
    planned = {**site.helped, "result": "planned", "diff": [{"before": "a", "after": "b"}]}
    only_in_check_mode = {"name": "Be checked", "ansible.builtin.assert": {"that": "ansible_check_mode"}}
    remediate = {"actions": [planned]}
    site.publishes({"findings": [site.dead], "actions": [site.kick]}, remediate)
    playbook = site.collection / "playbooks" / "frob.yml"
    text = playbook.read_text()
    only_in_check_mode["when"] = "ansible_diff_mode and ladder_mode == 'remediate'"
    playbook.write_text(text + "  - " + json.dumps(only_in_check_mode) + "\n")
    found = site.json("--check", "--yes")
    assert (found["outcome"], found["mode"], found["exit_code"]) == ("planned", "check", 0)
    assert found["actions"][0]["diff"] == [{"before": "a", "after": "b"}]
    assert "diff: alpha: kick: a -> b" in site.run("--incident", "frob", "--dry-run").stdout


def test_a_fault_that_no_remedy_helps_is_unresolved_with_the_next_step(site: Site) -> None:
    skipped = {**site.kick, "result": "skipped", "sentence": "is not for frob-slow"}
    site.publishes({"findings": [{**site.dead, "id": "frob-slow", "sentence": "slow"}], "actions": [skipped]})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("unresolved", 3)
    assert found["sentence"] == "slow. No remedy of the runbook helps. Next: Wait."
    assert site.json()["outcome"] == "planned"


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [([], "unverified"), ([{"name": "frob.ok", "value": False, "at": 1, "phase": "verify"}], "unresolved")],
)
def test_without_proof_there_is_no_recovery(site: Site, evidence: list[dict[str, Any]], outcome: str) -> None:
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": evidence}
    )
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == (outcome, 3)


@pytest.mark.parametrize(("present", "outcome"), [(True, "unresolved"), (False, "unverified")])
def test_after_a_remedy_that_failed_the_last_look_decides(site: Site, present: bool, outcome: str) -> None:
    failed = {**site.helped, "result": "failed", "sentence": "the engine said no"}
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]},
        {"findings": [{**site.dead, "present": present}], "actions": [failed]},
    )
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == (outcome, 3)
    assert "the engine said no" in found["sentence"]


def test_a_play_that_fails_on_purpose_after_publishing_is_no_defect(site: Site) -> None:
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    playbook = site.collection / "playbooks" / "frob.yml"
    fail = {
        "name": "Give up",
        "ansible.builtin.fail": {"msg": "gave up"},
        "when": "ladder_mode != 'diagnose'",
    }
    playbook.write_text(playbook.read_text() + "  - " + json.dumps(fail) + "\n")
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("unresolved", 3)
    assert "gave up" in found["sentence"]


@pytest.mark.parametrize(("outcome", "code"), [("refused", 4), ("unreachable", 5)])
def test_an_obstacle_decides(site: Site, outcome: str, code: int) -> None:
    obstacle = {"id": "no", "sentence": "must not", "kind": "obstacle", "outcome": outcome}
    site.publishes({"findings": [site.dead, obstacle], "actions": [site.kick]})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == (outcome, code)
    assert found["sentence"] == "must not (nothing was touched)"


def test_an_unreachable_host_stops_everything(site: Site) -> None:
    site.hosts("alpha", ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    site.playbook({"name": "Look", "ansible.builtin.ping": {}})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("unreachable", 5)
    assert found["sentence"].startswith("cannot reach alpha: ")


def test_several_hosts_are_all_told_of_though_set_stats_keeps_one(site: Site) -> None:
    site.hosts("alpha", "beta")
    found = site.json("--yes")
    assert (found["outcome"], found["target"]) == ("recovered", "alpha, beta")
    assert [finding["target"] for finding in found["findings"]] == ["alpha", "beta"]


def test_a_run_that_does_not_start_is_a_sentence(site: Site) -> None:
    site.playbook({"name": "Odd", "no.such.module": {}})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("unreachable", 5)
    assert "couldn't resolve module/action 'no.such.module'" in found["sentence"]


def test_a_host_that_tells_nothing_is_not_healthy(site: Site) -> None:
    site.playbook({"name": "Look", "ansible.builtin.assert": {"that": "false", "fail_msg": "oops"}})
    found = site.json("--yes")
    assert (found["outcome"], found["exit_code"]) == ("unreachable", 5)
    assert found["sentence"] == "cannot look at alpha: Look: oops (nothing was touched)"


def test_a_lacking_parameter_is_a_usage_error_with_host_and_inventory(site: Site) -> None:
    spec = {"platform": {"required": True}}
    site.playbook(
        {
            "name": "Check the arguments",
            "ansible.builtin.validate_argument_spec": {"argument_spec": spec, "provided_arguments": {}},
        }
    )
    done = site.run("--incident", "frob", "--yes", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"host alpha of the inventory {site.folder}/hosts.yml (from {site.folder}" in done.stderr
    assert "lacks platform: set it there" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--incident", "frop"], "unknown incident 'frop': did you mean 'frob'?"),
        (["--incident", ""], "--incident is empty"),
        (["--incident", "frob", "-l", ""], "--limit is empty"),
        (["--incident", "frob", "-l", "nobody"], "the limit 'nobody' matches no host of the inventory"),
        (
            ["--incident", "frob", "-i", "nope.yml"],
            "nope.yml (from option --inventory): there is no such file",
        ),
        (["--incident", "frob", "-i", "empty-folder"], "is a folder with no inventory file in it"),
        (["--incident", "frob", "-i", "empty.yml"], "is an empty file"),
        (["--incident", "frob", "-i", "comment.yml"], "has nothing in it"),
        (["--incident", "frob", "-i", "list.yml"], "must be a mapping of groups"),
        (["--incident", "frob", "-i", "broken.yml"], "is not YAML: line 4: "),
        (["--incident", "frob", "-i", "hostless.yml"], "has no hosts in it"),
        (["--incident", "frob", "-i", "hostless.yml", "-l", "x"], "has no hosts in it"),
        (["--incident", "frob", "-i", "binary.ini"], "Ansible cannot read the inventory"),
        (["--incident", "frob", "-e", "frob_cuont=1"], "did you mean 'frob_count'?"),
        (["--incident", "frob", "--severity", "sev9"], "'sev9' is not one of"),
        (["--incidnt", "frob"], "Did you mean one of: '--incident'"),
        (["--yes"], "which incident? give --incident TYPE"),
        (["show", "nope"], "no incident is recorded in the journal"),
        (["frob"], "No such command 'frob'"),
    ],
)
def test_bad_usage_is_one_sentence_exit_2_and_an_empty_stdout(
    site: Site, arguments: list[str], sentence: str
) -> None:
    (site.folder / "empty-folder").mkdir()
    site.write("empty.yml", "")
    site.write("comment.yml", "# later\n")
    site.write("list.yml", "- alpha\n")
    site.write("broken.yml", "all:\n  hosts:\n    a: [\n")
    site.write("hostless.yml", {"all": {"hosts": {}}})
    (site.folder / "binary.ini").write_bytes(b"[all\n\xff\xfe=\n")
    done = site.run(*arguments)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "outcome" not in done.stdout


def test_an_unwritable_journal_is_said_before_anything_is_done(site: Site) -> None:
    site.playbook({"name": "Touch", "ansible.builtin.copy": {"content": "x", "dest": str(site.folder / "t")}})
    done = site.run("--incident", "frob", "--yes", SAVEIT_JOURNAL="/proc/x/j.db")
    assert done.returncode == 2
    assert "cannot open the journal /proc/x/j.db (from environment variable SAVEIT_JOURNAL)" in done.stderr
    assert not (site.folder / "t").exists()


def test_extra_vars_limit_and_severity_arrive(site: Site) -> None:
    site.hosts("alpha", "beta")
    wanted = "frob_count == 5 and ladder_severity == 'sev1' and inventory_hostname == 'beta'"
    publish: dict[str, Any] = {"ansible.builtin.set_stats": {"data": {"remediation": {"findings": []}}}}
    site.playbook({"ansible.builtin.assert": {"that": wanted}}, publish)
    found = site.json("-e", "frob_count=5", "-l", "beta", "--severity", "SEV1")
    assert (found["outcome"], found["target"], found["severity"]) == ("healthy", "beta", "sev1")


def test_the_sites_own_playbook_for_the_severity_is_used_and_the_plan_says_so(site: Site) -> None:
    play = [{"ansible.builtin.import_playbook": "saveit.remediation.frob"}]
    site.write("playbooks/frob.sev2.yml", play)
    site.write("playbooks/frob.yml", play)
    done = site.run("--incident", "frob")
    assert (
        f"playbook: {site.folder}/playbooks/frob.sev2.yml: the site's playbook for frob at sev2"
        in done.stdout
    )


def test_on_a_pipe_there_are_plain_lines(site: Site) -> None:
    site.publishes(
        {"findings": [{**site.dead, "sentence": "[red]dead[/red]\x1b[2J\nnow"}], "actions": [site.kick]}
    )
    done = site.run("--incident", "frob")
    assert "finding: alpha: frob-dead: [red]dead[/red][2J now" in done.stdout
    assert "\x1b" not in done.stdout
    assert "plan: alpha: would try kick" in done.stdout
    assert done.stderr == ""


def test_what_the_ladder_tells_is_recorded_in_order_as_it_happens(site: Site) -> None:
    events = [
        {"kind": "remedy-started", "remedy": "kick", "sentence": "kicking", "at": "2026-11-23T12:00:00Z"},
        {"kind": "remedy-finished", "remedy": "kick", "sentence": "kicked"},
    ]
    site.playbook(
        *(
            {
                "name": "Tell",
                "saveit.remediation.tell": {"events": [event]},
                "when": "ladder_mode == 'remediate'",
            }
            for event in events
        )
    )
    playbook = site.collection / "playbooks" / "frob.yml"
    extra = playbook.read_text()
    site.publishes(
        {"findings": [site.dead], "actions": [site.kick]}, {"actions": [site.helped], "evidence": site.good}
    )
    tail = extra.partition("  tasks:\n")[2]
    playbook.write_text(playbook.read_text() + tail)
    assert site.run("--incident", "frob", "--yes").returncode == 0
    shown = site.run("show", "last").stdout
    assert (
        shown.index("remedy-started: kicking")
        < shown.index("remedy-finished: kicked")
        < shown.index("judged")
    )


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_the_hot_path_imports_neither_ansible_nor_rich(argument: str) -> None:
    code = (
        "import sys\n"
        "from saveit_remediate.cli.entry import run\n"
        f"code = run(['{argument}'])\n"
        "bad = {'ansible', 'ansible_runner', 'rich', 'yaml', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(f'imported {bad}' if bad or code else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_defect_is_one_sentence_and_a_traceback_only_with_v(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from saveit_remediate.cli import entry, remediate

    def boom(*_: object) -> int:
        raise ZeroDivisionError("1/0")

    monkeypatch.setattr(remediate, "remediate", boom)
    assert entry.run(["--incident", "frob"]) == 1
    assert "a defect of ours: ZeroDivisionError: 1/0; please report it" in capsys.readouterr().err
    assert entry.run(["--incident", "frob", "-v"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(site: Site, shell: str) -> None:
    done = site.run("completion", shell)
    assert done.returncode == 0, done.stderr
    assert "_SAVEIT_REMEDIATE_COMPLETE" in done.stdout


def test_runbooks_lists_and_shows(site: Site) -> None:
    assert "frob\tFrobnicator trouble\tfr\n" in site.run("runbooks").stdout
    page = site.run("runbooks", "FR").stdout
    assert "frob-dead" in page
    assert "frob_count" in page
    assert json.loads(site.run("runbooks", "--json").stdout)[0]["id"] == "frob"


def test_incidents_lists_newest_first(site: Site) -> None:
    assert "no incident is recorded" in site.run("incidents").stdout
    site.publishes({"findings": []})
    ids = [site.json()["incident_id"], site.json()["incident_id"]]
    found = json.loads(site.run("incidents", "--json").stdout)
    assert [one["incident_id"] for one in found] == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (["--help"], False),
        (["--version"], False),
        (["runbooks"], False),
        (["completion", "bash"], False),
        (["status", "-i", "nowhere"], False),
        (["incidents"], True),
    ],
)
def test_only_who_needs_the_journal_pays_for_the_database(
    site: Site, arguments: list[str], needs: bool
) -> None:
    done = site.run(*arguments, PYTHONPROFILEIMPORTTIME="1")
    assert ("sqlalchemy" in done.stderr) == needs
