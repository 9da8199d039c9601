# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubeconfig: which file, which context in it, and sentences for what is wrong with it.

The official client reads and merges the files (KUBECONFIG may name several), and says little when something
is missing; so that is looked up beforehand, in what it has read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

DEFAULT = "~/.kube/config"
IN_POD = "KUBERNETES_SERVICE_HOST"  # the kubelet sets it in each container
_NAMES_SHOWN = 20


@dataclass(frozen=True)
class Kubeconfig:
    """What the client has merged: `node` is its own type, around plain data; `origin` names who gave it."""

    path: str
    origin: str
    node: Any

    @property
    def words(self) -> str:
        """As in "cannot read the kubeconfig ~/.kube/config (the default)"."""
        return f"the kubeconfig {self.path} ({self.origin})"

    def entries(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """The contexts, clusters or users, as plain data: merging has wrapped them."""
        return [getattr(each, "value", each) for each in self.node.value.get(kind) or ()]

    def names(self, kind: str) -> Sequence[str]:
        """Their names."""
        return [str(each["name"]) for each in self.entries(kind)]

    def entry(self, kind: str, name: str) -> Mapping[str, Any]:
        """The inner part of one of them: of a context cluster and user, of a user the credentials."""
        found = [each for each in self.entries(kind) if each["name"] == name]
        inner: Mapping[str, Any] = found[0].get(kind[:-1]) or {} if found else {}
        return inner


@dataclass(frozen=True)
class Context:
    """The context that is used, and who said so."""

    name: str
    origin: str
    cluster: str
    user: str


def which(parameters: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, str]:
    """The kubeconfig's path and who said so; "" in a pod without one. Raises ObstacleError without any."""
    said = parameters.get("kubeconfig") or ""
    if said:
        return said, "kubernetes_kubeconfig, in the inventory"
    if environ.get("KUBECONFIG"):
        return environ["KUBECONFIG"], "KUBECONFIG, in the environment"
    if os.path.exists(os.path.expanduser(DEFAULT)):
        return DEFAULT, "the default"
    if environ.get(IN_POD):
        return "", ""
    raise ObstacleError(
        "no-kubeconfig",
        "cannot tell which cluster: there is no kubeconfig, neither in kubernetes_kubeconfig of the "
        f"inventory, nor in KUBECONFIG, nor at {DEFAULT}, and this is no pod of a cluster; "
        "name one in the inventory",
        "refused",
    )


def read(path: str, origin: str) -> Kubeconfig:
    """Read and merge the files. Raises ObstacleError no-kubeconfig for what is none."""
    import yaml
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigMerger

    files = [os.path.expanduser(each) for each in path.split(os.pathsep) if each]
    if not any(os.path.exists(each) for each in files):
        raise _wrong(path, origin, "there is no such file")
    try:
        kubeconfig = Kubeconfig(path, origin, KubeConfigMerger(path).config)
        for kind in ("contexts", "clusters", "users"):
            kubeconfig.names(kind)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        said = f"it is not YAML: {line}{getattr(error, 'problem', None) or error}"
        raise _wrong(path, origin, said) from error
    except (OSError, UnicodeError) as error:
        raise _wrong(path, origin, getattr(error, "strerror", None) or str(error)) from error
    except (ConfigException, AttributeError, TypeError, KeyError) as error:
        raise _wrong(path, origin, f"it is not a kubeconfig: {error}") from error
    return kubeconfig


def choose(kubeconfig: Kubeconfig, asked: str) -> Context:
    """The context that was asked for, or the current one.

    Raises ObstacleError unknown-context, and no-kubeconfig when it is of no use.
    """
    known = kubeconfig.names("contexts")
    listed = ", ".join(known[:_NAMES_SHOWN]) + (", …" if len(known) > _NAMES_SHOWN else "") or "none"
    current = str(kubeconfig.node.value.get("current-context") or "")
    name = asked or current
    origin = "kubernetes_context, in the inventory" if asked else f"current-context of {kubeconfig.path}"
    if not name:
        raise ObstacleError(
            "unknown-context",
            f"cannot tell which cluster: {kubeconfig.words} has no current context; "
            f"name one in the inventory (kubernetes_context): {listed}",
            "refused",
        )
    if name not in known:
        raise ObstacleError(
            "unknown-context",
            f"cannot find the context {name} ({origin}) in {kubeconfig.words}; it has {listed}",
            "refused",
        )
    entry = kubeconfig.entry("contexts", name)
    context = Context(name, origin, str(entry.get("cluster") or ""), str(entry.get("user") or ""))
    _check(kubeconfig, context)
    return context


def _check(kubeconfig: Kubeconfig, context: Context) -> None:
    """The client takes a user that is not there for nobody, and fails late without a server."""
    attempt = f"cannot use the context {context.name} ({context.origin}) of {kubeconfig.words}"
    for kind, name in (("clusters", context.cluster), ("users", context.user)):
        if name not in kubeconfig.names(kind) and (name or kind == "clusters"):
            said = f"{attempt}: it names {name or 'nothing'!r}, which is not among its {kind}"
            raise ObstacleError("no-kubeconfig", said, "refused")
    server = str(kubeconfig.entry("clusters", context.cluster).get("server") or "")
    if not server.startswith(("http://", "https://")):
        said = f"{attempt}: the server of its cluster {context.cluster} is {server!r}, no https:// address"
        raise ObstacleError("no-kubeconfig", said, "refused")


def _wrong(path: str, origin: str, said: str) -> ObstacleError:
    return ObstacleError("no-kubeconfig", f"cannot read the kubeconfig {path} ({origin}): {said}", "refused")
