# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The revision before: which pod template it had, and the patch that brings it back. Pure.

As `kubectl rollout undo` does it: the template of the second newest ReplicaSet, or ControllerRevision, see
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-back-a-deployment.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_world import (
    replicasets_of,
    revision_of,
)

HASH = "pod-template-hash"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class Revision(NamedTuple):
    """Its number, and the pod template that it had."""

    number: int
    template: Mapping[str, Any]


def before(workload: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Revision | None:
    """The revision before the newest one; None when there is none.

    `history` has ReplicaSets for a Deployment, else ControllerRevisions, and may have those of others too.
    """
    if workload.get("kind") == "Deployment":
        sets = replicasets_of(workload, history)
        return (
            Revision(revision_of(sets[1]), _unhashed(sets[1]["spec"]["template"])) if len(sets) > 1 else None
        )
    uid = workload["metadata"].get("uid")
    mine = [
        each
        for each in history
        if any(o.get("uid") == uid for o in each["metadata"].get("ownerReferences") or ())
    ]
    mine.sort(key=lambda each: int(each.get("revision") or 0), reverse=True)
    if len(mine) < 2:
        return None
    template = dict(mine[1]["data"]["spec"]["template"])
    template.pop("$patch", None)
    return Revision(int(mine[1].get("revision") or 0), template)


def _unhashed(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template as the Deployment had it: the hash is the controller's own label."""
    meta = dict(template.get("metadata") or {})
    meta["labels"] = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {key: value for key, value in meta.items() if key != "creationTimestamp"}}


def merge_patch(now: Any, wanted: Any) -> Any:
    """What makes `wanted` of `now` (RFC 7386): a list is replaced whole, a key that is not wanted is null."""
    if not isinstance(now, dict) or not isinstance(wanted, dict):
        return wanted
    patch = {key: None for key in now if key not in wanted}
    for key, value in wanted.items():
        if key not in now:
            patch[key] = value
        elif now[key] != value:
            patch[key] = merge_patch(now[key], value)
    return patch


def has(now: Any, patch: Any) -> bool:
    """Is it as this merge patch makes it?"""
    if not isinstance(patch, dict):
        return bool(now == patch)
    if not isinstance(now, dict):
        return False
    return all(key not in now if value is None else has(now.get(key), value) for key, value in patch.items())


def differences(now: Any, wanted: Any, path: str = "spec.template") -> list[tuple[str, str, str]]:
    """Each place where they differ, with both values in one line: for a person, so lists are walked too."""
    if isinstance(now, dict) and isinstance(wanted, dict):
        keys = [*now, *(key for key in wanted if key not in now)]
        return [one for key in keys for one in differences(now.get(key), wanted.get(key), f"{path}.{key}")]
    if isinstance(now, list) and isinstance(wanted, list) and len(now) == len(wanted):
        return [
            one for n, pair in enumerate(zip(now, wanted)) for one in differences(*pair, path=f"{path}[{n}]")
        ]
    return [] if now == wanted else [(path, _word(now), _word(wanted))]


def _word(value: Any) -> str:
    return "(none)" if value is None else value if isinstance(value, str) else json.dumps(value)
