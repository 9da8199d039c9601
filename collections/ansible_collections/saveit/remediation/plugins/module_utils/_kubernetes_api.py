# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API: plain requests over the connection of the official client.

Of the client we take what is hard: kubeconfig, credentials, TLS, proxies and the pool of connections. Its
typed classes cost a second and hide the objects; ours are the JSON that the API has.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from functools import partial
from typing import Any, Callable, List, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _kubernetes_exec,
    _kubernetes_login,
    _kubernetes_plugin,
    _kubernetes_shell,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Completed
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import (
    Answer,
    ApiError,
    ApiObstacleError,
    not_an_api,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kinds import KINDS, Kind
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_request import Api
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_transport import Transport
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

__all__ = [
    "JSON_PATCH",
    "KINDS",
    "MERGE",
    "STRATEGIC",
    "ApiError",
    "ApiObstacleError",
    "Cluster",
    "Kind",
    "connect",
]

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"  # not for custom resources, which answer 415
PAGE = 500  # objects in one answer of a list
_MOST_PAGES = 1000
_LOGIN = _kubernetes_plugin.SECONDS + 10  # the client asks a login server without a limit


def connect(
    parameters: Mapping[str, Any],
    timeout: float | None = None,
    folder: str | None = None,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Cluster:
    """The cluster of these options of the group `target`; nothing is asked yet.

    `folder` is a private one, of one run: for the keys that the client writes, which close() removes, and for
    the token of a credential plugin. Raises ObstacleError no-kubeconfig, unknown-context (refused) and
    cluster-credentials (unreachable).
    """
    keys = tempfile.TemporaryDirectory(prefix="saveit-keys-", dir=folder)
    try:
        log_in = partial(_kubernetes_login.log_in, parameters, keys.name, shared=folder)
        configuration, access = within(_LOGIN, log_in)
        transport = Transport(configuration, access)
    except TimeoutError:
        keys.cleanup()
        said = f"cannot log in to the cluster: the user of the kubeconfig is not logged in after {_LOGIN:g} s"
        raise ObstacleError("cluster-credentials", said, "unreachable") from None
    except BaseException:  # Ctrl-C too: no key may stay on disk
        keys.cleanup()
        raise
    limit = float(timeout or parameters.get("api_timeout_seconds") or 10)
    return Cluster(transport, access, limit, now, sleep, keys.cleanup)


class Cluster(Api):
    """One namespace of a cluster.

    Every method raises ObstacleError when the API cannot be asked (cluster-unreachable, cluster-timeout,
    cluster-certificate, cluster-credentials) or does not allow it (cluster-forbidden, with the RBAC rule in
    the sentence), and ApiError when it refuses.
    """

    @property
    def namespace(self) -> str:
        """The one that all paths of namespaced kinds are in."""
        return self.access.namespace

    @property
    def name(self) -> str:
        """For sentences: "the cluster staging (namespace saveit)"."""
        return self.access.name

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object; ApiError with status 404 when it is not there."""
        path = KINDS[kind].path(self.namespace, name)
        found = self.object("GET", path, attempt=f"get {kind}/{name}")
        if not _is_object(found):
            raise not_an_api(Answer(200, "application/json", b""), self.access)
        return found

    def list(
        self,
        kind: str,
        label_selector: str = "",
        field_selector: str = "",
        keep: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    ) -> List[dict[str, Any]]:
        """All objects of a kind, page by page; `keep` takes of each object what is wanted, as it is read.

        A list that is too old to go on (410) begins again, once.
        """
        selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        query = {"limit": PAGE, **{name: value for name, value in selectors.items() if value}}
        try:
            return self._pages(kind, query, keep)
        except ApiError as error:
            if error.status != 410:
                raise
            return self._pages(kind, query, keep)

    def create(
        self, kind: str, body: Mapping[str, Any], name: str = "", subresource: str = "", dry_run: bool = False
    ) -> dict[str, Any]:
        """POST; with a name and a subresource, as in pods/x/eviction, that of an object."""
        of = name or str((body.get("metadata") or {}).get("name", ""))
        _path, what = self._place(kind, of, subresource)
        path = KINDS[kind].path(self.namespace, name, subresource)
        return self.object("POST", path, _dry(dry_run), body, attempt=f"create {what}")

    def patch(
        self,
        kind: str,
        name: str,
        body: Any,
        content_type: str = MERGE,
        subresource: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """PATCH with MERGE, JSON_PATCH or STRATEGIC."""
        path, what = self._place(kind, name, subresource)
        return self.object("PATCH", path, _dry(dry_run), body, content_type, attempt=f"change {what}")

    def replace(self, kind: str, name: str, body: Mapping[str, Any], subresource: str = "") -> dict[str, Any]:
        """PUT; with the object's resourceVersion in the body, 409 when somebody else changed it."""
        path, what = self._place(kind, name, subresource)
        return self.object("PUT", path, None, body, attempt=f"replace {what}")

    def delete(self, kind: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """DELETE; `body` are DeleteOptions, as with preconditions."""
        path, what = self._place(kind, name)
        return self.object("DELETE", path, None, body, attempt=f"delete {what}")

    def log(
        self,
        pod: str,
        container: str = "",
        tail: int = 0,
        since_seconds: float = 0,
        previous: bool = False,
        timestamps: bool = True,
        limit_bytes: int = 0,
    ) -> str:
        """The log of a pod's container; what is 0 or "" is not said. The API counts in whole seconds."""
        said = {
            "container": container,
            "tailLines": tail,
            "sinceSeconds": math.ceil(since_seconds),
            "limitBytes": limit_bytes,
            "previous": "true" if previous else "",
            "timestamps": "true" if timestamps else "",
        }
        path = KINDS["pods"].path(self.namespace, pod, "log")
        query = {name: value for name, value in said.items() if value}
        told = self.request("GET", path, query, attempt=f"read the log of pods/{pod}")
        return told if isinstance(told, str) else json.dumps(told)

    def execute(
        self, pod: str, container: str, command: Sequence[str], stdin: str = "", timeout: float = 10
    ) -> Completed:
        """Run a command in a container, and give up after `timeout` seconds with rc 124.

        The command itself may go on in the container then, so whoever can runs it under timeout(1) there.
        """
        self.calls += 1
        return _kubernetes_exec.execute(
            self._transport, self.namespace, pod, container, command, stdin, timeout
        )

    def shell(
        self, pod: str, container: str, command: Sequence[str], device: str, is_over: Callable[[], bool]
    ) -> Completed:
        """Run a shell in a container at the terminal `device`, until it ends or `is_over`."""
        self.calls += 1
        return _kubernetes_shell.shell(
            self._transport, self.namespace, pod, container, command, device, self.timeout, is_over
        )

    def may(self, verb: str, kind: str, subresource: str = "", name: str = "") -> tuple[bool, str]:
        """May we? And the reason that the server gives, which is often empty (SelfSubjectAccessReview)."""
        where = KINDS[kind]
        asked = {
            "verb": verb,
            "group": where.group,
            "resource": where.plural,
            "subresource": subresource,
            "name": name,
        }
        if where.namespaced:
            asked["namespace"] = self.namespace
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        review = self.object("POST", path, body=body, attempt="ask what we may do", reads=True)
        status = review.get("status") or {}
        return bool(status.get("allowed")), str(status.get("reason") or status.get("evaluationError") or "")

    def _pages(
        self, kind: str, query: Mapping[str, Any], keep: Callable[[dict[str, Any]], dict[str, Any]] | None
    ) -> List[dict[str, Any]]:
        where = KINDS[kind]
        path, items, token = where.path(self.namespace), [], ""
        for _page in range(_MOST_PAGES):
            asked = {**query, "continue": token} if token else query
            page = self.object("GET", path, asked, attempt=f"list {kind}")
            found = page.get("items") or []
            if not isinstance(found, list) or not all(map(_is_object, found)):
                raise not_an_api(Answer(200, "application/json", b""), self.access)
            for item in found:
                whole = {"apiVersion": where.api, "kind": where.name, **item}
                items.append(keep(whole) if keep else whole)
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                break
        return items

    def _place(self, kind: str, name: str, subresource: str = "") -> tuple[str, str]:
        what = "/".join(filter(None, [kind, name, subresource]))
        return KINDS[kind].path(self.namespace, name, subresource), what


def _is_object(item: Any) -> bool:
    """What every object of the API has: a name."""
    return isinstance(item, dict) and isinstance(item.get("metadata"), dict) and "name" in item["metadata"]


def _dry(dry_run: bool) -> Mapping[str, str] | None:
    return {"dryRun": "All"} if dry_run else None
