# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is in the namespace, listed once for all who look at the same time."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import (
    ApiError,
    ApiObstacleError,
    no_such_kind,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import ADD_ONS, KINDS
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_prune import prune
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_shared import Missing, shared
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

__all__ = ["Missing", "snapshot"]

_NEVER_WRITTEN = ("secrets",)  # to a file


def snapshot(
    parameters: Mapping[str, Any],
    carrier: Carrier,
    kinds: Sequence[str],
    required: Sequence[str] | None = None,
) -> Mapping[str, List[Dict[str, Any]]]:
    """The objects of each kind, pruned (see _kubernetes_prune). A kind that cannot be had is `Missing`.

    With `not_before` (seconds since the epoch) and the carrier's shared folder, lists that another task of
    this run took at that time or later are taken over. Raises ObstacleError when the API cannot be asked, for
    a `required` kind (all, unless said) that cannot be had, and no-namespace when there is
    nothing of what is required, nor that.
    """
    seen = {kind: _list(parameters, carrier, kind) for kind in kinds}
    needed = kinds if required is None else required
    for kind in needed:
        found = seen[kind]
        if isinstance(found, Missing):
            id_ = "cluster-forbidden" if found.status == 403 else "no-such-kind"
            raise ApiObstacleError(id_, found.sentence, "refused", found.status)
    listed = [kind for kind in kinds if KINDS[kind].namespaced and not isinstance(seen[kind], Missing)]
    if needed and listed and not any(seen[kind] for kind in listed):
        _check_namespace(parameters, carrier)
    return seen


def _check_namespace(parameters: Mapping[str, Any], carrier: Carrier) -> None:
    """The list of an absent namespace is empty, and no error. Who may not ask does without."""
    found = _list(parameters, carrier, "namespaces")
    if isinstance(found, Missing) and found.status == 404:
        raise ObstacleError("no-namespace", found.sentence, "refused")


def _list(parameters: Mapping[str, Any], carrier: Carrier, kind: str) -> List[Dict[str, Any]]:
    if kind in _NEVER_WRITTEN:
        return _fetch(parameters, carrier, kind)
    return shared(parameters, carrier, kind, lambda: _fetch(parameters, carrier, kind))


def _fetch(parameters: Mapping[str, Any], carrier: Carrier, kind: str) -> List[Dict[str, Any]]:
    cluster = carrier.cluster(parameters)
    try:
        if kind == "namespaces":
            return [prune(cluster.get(kind, cluster.namespace))]
        return cluster.list(kind, keep=prune)
    except ApiError as error:
        if error.status != 404:
            raise
        if kind == "namespaces":
            sentence = (
                f"there is nothing in {cluster.name}: it has no namespace {cluster.namespace} "
                "(kubernetes_namespace, in the inventory)"
            )
        else:
            sentence = no_such_kind(KINDS[kind], cluster.access)
        return Missing(kind, 404, sentence)
    except ApiObstacleError as error:
        is_down = error.status == 503 and KINDS[kind].group in ADD_ONS
        if error.status != 403 and not is_down:
            raise
        return Missing(kind, error.status, str(error))
