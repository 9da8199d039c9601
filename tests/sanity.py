"""Run `ansible-test sanity` on the collection: offline, from any clone, with no trace in the home folder.

    python tests/sanity.py [--python EXECUTABLE] [more arguments of ansible-test sanity]

`--python` names the interpreter whose ansible-core is to be used, by default this one.
The exit code is that of ansible-test, or 124 when it took too long.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLLECTION = Path("ansible_collections/saveit/remediation")
STATE = ROOT / ".ansible" / "sanity"
LIMIT_SECONDS = 900
RUBBISH = shutil.ignore_patterns("__pycache__", "*.pyc", "output", "*.tar.gz", ".*_cache", ".ansible")
# ansible-test makes virtual environments without pip, and would download a script that puts it there.
GET_PIP = 'import ensurepip\n\nensurepip.bootstrap(default_pip=True)\nprint("pip comes from ensurepip")\n'


def main() -> int:
    parser = argparse.ArgumentParser(description="Run ansible-test sanity on the collection.")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has ansible-core")
    options, more = parser.parse_known_args()
    version = _core_version(options.python)
    with tempfile.TemporaryDirectory(prefix="saveit-sanity-") as folder:
        copy = Path(folder) / COLLECTION
        _copy_collection(copy)
        code, output = _ansible_test(options.python, copy, STATE / version, more)
    ran = len(set(re.findall(r"^Running sanity test ['\"]([\w-]+)['\"]", output, re.MULTILINE)))
    skipped = sorted(set(re.findall(r"Skipping sanity test (.+?)(?: because|\.$)", output, re.MULTILINE)))
    word = {0: "passed", 124: f"ended after {LIMIT_SECONDS} s"}.get(code, "FAILED")
    beside = f"; skipped: {', '.join(skipped)}" if skipped else ""
    print(f"sanity: {ran} tests on ansible-core {version}: {word}{beside}")
    return code


def _core_version(python: str) -> str:
    """Raises CalledProcessError when this interpreter has no ansible-core."""
    command = [python, "-c", "from ansible.release import __version__; print(__version__)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _copy_collection(to: Path) -> None:
    """What git knows of the collection, as it is on disk; outside of git everything but rubbish."""
    source = ROOT / "collections" / COLLECTION
    listed = subprocess.run(
        ["git", "-C", str(source), "ls-files", "-z", "--cached", "--", "."],
        check=False,
        capture_output=True,
        text=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (source / name).is_file()]
    if listed.returncode != 0 or not names:
        shutil.copytree(source, to, ignore=RUBBISH)
        return
    for name in names:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, to / name)


def _home(python: str, state: Path) -> Path:
    """A home folder like the real one, but with an `.ansible` of its own, in which get-pip has a stand-in."""
    home = state / "home"
    home.mkdir(parents=True, exist_ok=True)
    for entry in Path.home().iterdir():
        link = home / entry.name
        if entry.name != ".ansible" and not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(entry)
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    where = "import ansible_test, pathlib; print(pathlib.Path(ansible_test.__file__).parent)"
    found = subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip()
    source = (Path(found) / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    for version in re.findall(r"\bpip='([\d.]+)'", source):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")
    return home


def _search_path(state: Path) -> list[str]:
    """PATH without the folders whose pythons do not run, and before it one with those of pyenv that do.

    ansible-test takes every python3.N that it finds, and pyenv has shims of versions that are not active.
    """
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    sound = [folder for folder in folders if all(map(_runs, _pythons(Path(folder))))]
    real = state / "bin"
    shutil.rmtree(real, ignore_errors=True)
    real.mkdir(parents=True)
    for folder in sorted(Path.home().glob(".pyenv/versions/3.*/bin")):
        for executable in _pythons(folder):
            link = real / executable.name
            if not link.is_symlink() and _runs(executable):
                link.symlink_to(executable)
    return [str(real), *sound]


def _pythons(folder: Path) -> list[Path]:
    return [path for path in folder.glob("python3.*") if re.fullmatch(r"python3\.\d+", path.name)]


def _runs(executable: Path) -> bool:
    if not os.access(executable, os.X_OK):
        return True
    return subprocess.run([str(executable), "-c", ""], check=False, capture_output=True).returncode == 0


def _ansible_test(python: str, folder: Path, state: Path, more: list[str]) -> tuple[int, str]:
    """Run it with a time limit, and show what it says."""
    tool = Path(python).with_name("ansible-test")
    path = os.pathsep.join([str(tool.parent), *_search_path(state)])
    environment = {**os.environ, "HOME": str(_home(python, state)), "PATH": path}
    environment.pop("ANSIBLE_COLLECTIONS_PATH", None)
    with subprocess.Popen(
        [str(tool), "sanity", "--local", "--color", "no", *more],
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _nothing = process.communicate(timeout=LIMIT_SECONDS)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _nothing = process.communicate()
            code = 124
    print(output, end="")
    return code, output


if __name__ == "__main__":
    sys.exit(main())
