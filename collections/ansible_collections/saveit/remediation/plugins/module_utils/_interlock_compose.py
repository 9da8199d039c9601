# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interlock document of a compose project: a file on the host, compared and swapped under flock(1).

A managed host has a shell, coreutils or busybox, and flock, and no Python. The script is constant, and what
differs are its arguments.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError

ABSENT = "absent"
_PROJECT = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]*")
_SECONDS = 15.0  # to wait for whoever holds the lock, and to write

# The lock is that of the folder itself, so there is no lock file that could be somebody else's. The folder of
# the project is not sticky, as several users replace one file in it; the one around it is, so that it stays.
# The first line of the answer is the time of the host, the second what was found, or done.
SCRIPT = r"""
set -u; umask 000
verb=$1 folder=$2 project=$3 expected=$4 file=interlock.json
no() { echo "$1" >&2; exit 3; }
if [ -z "$folder" ]; then
  folder=/var/lib/saveit-remediate
  if ! [ -e "$folder" ] && { [ -e /var/tmp/saveit-remediate ] || ! [ -w /var/lib ]; }; then
    folder=/var/tmp/saveit-remediate
  fi
fi
for each in "$folder" "$folder/$project" "$folder/$project/$file"; do
  [ -L "$each" ] && no "$each is a symbolic link"
done
if [ "$verb" = save ] && ! [ -d "$folder/$project" ]; then
  mkdir -p -m 1777 "$folder" 2>/dev/null; [ -d "$folder" ] || no "cannot make the folder $folder"
  mkdir -m 777 "$folder/$project" 2>/dev/null; [ -d "$folder/$project" ] || no "cannot write in $folder"
fi
date +%s
if ! [ -e "$folder/$project" ]; then echo absent; exit 0; fi
cd -P "$folder/$project" 2>/dev/null || no "cannot open the folder $folder/$project"
exec 9<. || no "cannot open the folder $folder/$project"
flock -x 9 || no "cannot lock the folder $folder/$project"
[ -L "$file" ] && no "$folder/$project/$file is a symbolic link"
found=absent
if [ -e "$file" ]; then
  [ -f "$file" ] && [ -r "$file" ] || no "cannot read $folder/$project/$file"
  found=$(sha256sum <"$file") || no "cannot read $folder/$project/$file"
  found=${found%% *}
fi
if [ "$verb" = load ]; then
  echo "$found"
  [ "$found" = absent ] || cat "$file"
  exit
fi
[ "$found" = "$expected" ] || { echo conflict; exit 0; }
rm -f new.json
(set -C; cat >new.json) && { sync new.json 2>/dev/null || sync; } && mv -f new.json "$file" || {
  rm -f new.json; no "cannot write $folder/$project/$file"
}
echo saved
"""


def load(parameters: Mapping[str, Any], carrier: Carrier) -> tuple[str | None, str, float]:
    """The text of the document, None when there is none; its version; and the time of the host.

    Raises ObstacleError interlock-unreadable, and FailedError for a project that is no name.
    """
    done = _script(parameters, carrier, "load", "")
    now, _newline, rest = done.stdout.partition("\n")
    version, _newline, text = rest.partition("\n")
    if done.rc != 0 or not now.isdigit() or not version:
        raise _obstacle("read", done, carrier)
    if version == ABSENT:
        return None, version, float(now)
    if hashlib.sha256(text.encode()).hexdigest() != version:
        raise _obstacle("read", Completed(1, "", "what arrived is not what the file has"), carrier)
    return text, version, float(now)


def save(parameters: Mapping[str, Any], carrier: Carrier, text: str, version: str) -> bool:
    """Replace the document of this version; False when it is not there any more."""
    done = _script(parameters, carrier, "save", version, text)
    word = done.stdout.partition("\n")[2].strip()
    if done.rc != 0 or word not in ("saved", "conflict"):
        raise _obstacle("write", done, carrier)
    return word == "saved"


def name_of(parameters: Mapping[str, Any]) -> str:
    """What the document is about, for sentences."""
    return str(parameters["project"])


def _script(
    parameters: Mapping[str, Any], carrier: Carrier, verb: str, version: str, text: str = ""
) -> Completed:
    project = parameters["project"]
    if not _PROJECT.fullmatch(project):
        raise FailedError(f"the compose project {project!r} (compose_project) is no name that compose gives")
    arguments = [verb, parameters["interlock_folder"], project, version]
    return carrier.command(["sh", "-c", SCRIPT, "interlock", *arguments], text, _SECONDS)


def _obstacle(verb: str, done: Completed, carrier: Carrier) -> ObstacleError:
    why = f"no answer within {_SECONDS:g} s" if done.timed_out else done.said or f"exit code {done.rc}"
    return ObstacleError(
        "interlock-unreadable",
        f"cannot {verb} the interlock on {carrier.host}: {why}; without it nobody knows who else is at work. "
        "interlock_folder says where it is; it needs sh, flock and sha256sum there",
        "refused",
    )
