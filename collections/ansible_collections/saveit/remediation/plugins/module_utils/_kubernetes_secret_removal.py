# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete a secret so that it can come back: a copy stays beside it, and nothing secret leaves the cluster."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_certificate_secret as secrets,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import ApiError, Cluster
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError


class ChangedError(Exception):
    """Somebody else works on the secret."""


def name_of_copy(secret: Mapping[str, Any], now: float) -> str:
    """What `save` will call the copy."""
    return str(secrets.saved_copy(secret, now)["metadata"]["name"])


def save(cluster: Cluster, secret: Mapping[str, Any], now: float) -> str:
    """Copy it; returns the name of the copy. Raises what the API says."""
    copy = secrets.saved_copy(secret, now)
    cluster.create("secrets", copy)
    return str(copy["metadata"]["name"])


def delete(cluster: Cluster, secret: Mapping[str, Any], saved: str) -> None:
    """Delete it as it was read. Raises ChangedError when it is not that any more, and what the API says."""
    metadata = secret["metadata"]
    name = metadata["name"]
    only = {key: metadata[key] for key in ("uid", "resourceVersion")}
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": only}
    try:
        cluster.delete("secrets", name, options)
    except ApiError as error:
        if error.status not in (404, 409):
            raise
        raise ChangedError(
            f"the secret {name} changed while it was saved: somebody works on it, so it was not deleted "
            f"({saved} is a copy of what it was)"
        ) from error
    except ObstacleError as error:
        said = f"{error}; {saved} is a copy of the secret {name}: {secrets.how_to_put_back(saved, name)}"
        raise ObstacleError(error.id, said, error.outcome) from error


def put_back(cluster: Cluster, secret: Mapping[str, Any], saved: str) -> str:
    """Create it again unless there is one; returns what became of it, in words, and raises nothing."""
    name = secret["metadata"]["name"]
    how = secrets.how_to_put_back(saved, name)
    try:
        cluster.create("secrets", secrets.as_it_was(secret))
    except ApiError as error:
        if error.status == 409:
            return f"there is a secret {name} again, which was left alone; {how}"
        return f"the secret {name} was not put back: {error}; {how}"
    except FailedError as error:
        return f"the secret {name} was not put back: {error}; {how}"
    return f"the secret {name} was put back as it was ({saved} is a copy)"
