# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster, and who we are there: the official client reads kubeconfig, service account and plugins.

It says little when something is missing, so what can be said beforehand is looked up in what it has read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import shutil
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import Access
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

PLUGIN_SECONDS = 20.0  # for a credential plugin, which may ask a cloud
DEFAULT = "~/.kube/config"
IN_POD = "KUBERNETES_SERVICE_HOST"  # the kubelet sets it in each container
_NAMES_SHOWN = 20


def load(
    parameters: Mapping[str, Any], folder: str, environ: Mapping[str, str] = os.environ
) -> tuple[Any, Access]:
    """The client's Configuration, and how the cluster is reached. `folder` is for the keys that it writes.

    Raises ObstacleError: no-kubeconfig, unknown-context, cluster-credentials.
    """
    try:
        from kubernetes.client import Configuration
    except ImportError as error:
        raise ObstacleError(
            "no-kubernetes-client",
            f"cannot reach a cluster: the Python library kubernetes is not installed here ({error}); "
            "try: pip install kubernetes",
            "refused",
        ) from error
    path, origin = kubeconfig_of(parameters, environ)
    configuration = Configuration()
    if not path:
        return configuration, _of_pod(parameters, configuration, environ)
    merged = _read(path, origin)
    return configuration, _of_file(parameters, configuration, merged, (path, origin), folder)


def kubeconfig_of(parameters: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, str]:
    """The kubeconfig's path and where that was said; "" in a pod without one. Raises ObstacleError without any."""
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
        "cannot tell which cluster: there is no kubeconfig, neither in kubernetes_kubeconfig of the inventory, nor in "
        f"KUBECONFIG, nor at {DEFAULT}, and this is no pod of a cluster; name one in the inventory",
        "refused",
    )


def _read(path: str, origin: str) -> Any:
    import yaml
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigMerger

    words = f"the kubeconfig {path} ({origin})"
    files = [os.path.expanduser(each) for each in path.split(os.pathsep) if each]
    if not any(os.path.exists(each) for each in files):
        raise ObstacleError("no-kubeconfig", f"cannot read {words}: there is no such file", "refused")
    try:
        merged = KubeConfigMerger(path).config
        if not isinstance(merged.value, dict):
            raise ConfigException("it is no mapping")
        _names(merged, "contexts"), _names(merged, "users")
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f"line {where.line + 1}: " if where else ""
        why = f"it is not YAML: {line}{getattr(error, 'problem', None) or error}"
        raise ObstacleError("no-kubeconfig", f"cannot read {words}: {why}", "refused") from error
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ObstacleError("no-kubeconfig", f"cannot read {words}: {why}", "refused") from error
    except (ConfigException, AttributeError, TypeError, KeyError) as error:
        why = f"it is not a kubeconfig: {error}"
        raise ObstacleError("no-kubeconfig", f"cannot read {words}: {why}", "refused") from error
    return merged


def _of_file(
    parameters: Mapping[str, Any], configuration: Any, merged: Any, file: tuple[str, str], folder: str
) -> Access:
    from kubernetes.config.kube_config import KubeConfigLoader

    path, origin = file
    context, context_from = _context(parameters, merged, file)
    entry = next(each for each in _named(merged, "contexts") if each["name"] == context).get("context") or {}
    cluster, user = str(entry.get("cluster") or ""), str(entry.get("user") or "")
    for kind, name in (("clusters", cluster), ("users", user)):
        if (name or kind == "clusters") and name not in _names(merged, kind):
            raise ObstacleError(
                "no-kubeconfig",
                f"cannot use the context {context} ({context_from}): it names {name or 'nothing'!r}, which is not "
                f"among the {kind} of the kubeconfig {path} ({origin})",
                "refused",
            )
    plugin = _bound_plugin(merged, user)
    words = f"the user {user} of the kubeconfig {path}"
    heard: list[str] = []
    try:
        with _listening(heard):
            loader = KubeConfigLoader(
                config_dict=merged, active_context=context, config_base_path=None, temp_file_path=folder
            )
            loader.load_and_set(configuration)
    except Exception as error:  # the client, its plugins and their HTTP libraries raise what they like
        raise ObstacleError(
            "cluster-credentials", f"cannot log in as {words}: {_said(error)}", "unreachable"
        ) from error
    token = str(configuration.api_key.get("BearerToken") or "")
    if plugin and not token and not configuration.cert_file:
        raise ObstacleError("cluster-credentials", _plugin_failed(plugin, words, heard), "unreachable")
    return Access(
        name=_name(parameters, context),
        server=configuration.host,
        server_from=f"the cluster {cluster} of the kubeconfig {path}, context {context} from {context_from}",
        user=f"the user {user}" if user else "",
        user_from=f"kubeconfig {path}, {origin}"
        + (f"; from the plugin `{shlex.join(plugin)}`" if plugin else ""),
        namespace=parameters["namespace"],
        token=token.partition(" ")[2],
    )


def _context(parameters: Mapping[str, Any], merged: Any, file: tuple[str, str]) -> tuple[str, str]:
    """The context's name, and where it was said."""
    path, origin = file
    known = _names(merged, "contexts")
    listed = ", ".join(known[:_NAMES_SHOWN]) + (", …" if len(known) > _NAMES_SHOWN else "") or "none"
    asked, current = parameters.get("context") or "", str(merged.value.get("current-context") or "")
    if asked:
        name, said = asked, "kubernetes_context, in the inventory"
    elif current:
        name, said = current, f"current-context of {path}"
    else:
        raise ObstacleError(
            "unknown-context",
            f"cannot tell which cluster: the kubeconfig {path} ({origin}) has no current context; "
            f"name one in the inventory (kubernetes_context): {listed}",
            "refused",
        )
    if name not in known:
        raise ObstacleError(
            "unknown-context",
            f"cannot find the context {name} ({said}) in the kubeconfig {path} ({origin}); it has {listed}",
            "refused",
        )
    return name, said


def _of_pod(parameters: Mapping[str, Any], configuration: Any, environ: Mapping[str, str]) -> Access:
    from kubernetes.config import ConfigException, load_incluster_config

    if parameters.get("context"):
        raise ObstacleError(
            "unknown-context",
            f"cannot find the context {parameters['context']} (kubernetes_context, in the inventory): "
            "this pod has no kubeconfig; leave the context out to use its service account",
            "refused",
        )
    try:
        load_incluster_config(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise ObstacleError(
            "cluster-credentials",
            f"cannot log in as the service account of this pod: {_said(error)}; "
            "is automountServiceAccountToken off?",
            "unreachable",
        ) from error
    return Access(
        name=_name(parameters, "of this pod"),
        server=configuration.host,
        server_from=f"{IN_POD}, in the environment",
        user="the service account of this pod",
        user_from="/var/run/secrets/kubernetes.io/serviceaccount",
        namespace=parameters["namespace"],
        token=str(configuration.api_key.get("BearerToken") or "").partition(" ")[2].strip(),
    )


def _name(parameters: Mapping[str, Any], context: str) -> str:
    return f"the cluster {context} (namespace {parameters['namespace']})"


def _named(merged: Any, kind: str) -> list[Mapping[str, Any]]:
    """The entries of a list of the kubeconfig, as plain mappings: merging has wrapped them."""
    return [getattr(each, "value", each) for each in merged.value.get(kind) or ()]


def _names(merged: Any, kind: str) -> list[str]:
    return [str(each["name"]) for each in _named(merged, kind)]


def _bound_plugin(merged: Any, user: str) -> Sequence[str]:
    """The command of the user's credential plugin, from now on ended by timeout(1): the client waits for ever."""
    for each in _named(merged, "users"):
        plugin = (each.get("user") or {}).get("exec") if each["name"] == user else None
        if isinstance(plugin, dict) and plugin.get("command"):
            command = [str(plugin["command"]), *map(str, plugin.get("args") or ())]
            if shutil.which("timeout"):
                plugin["args"] = ["-k", "1", f"{PLUGIN_SECONDS:g}", *command]
                plugin["command"] = "timeout"
            return command
    return []


def _plugin_failed(plugin: Sequence[str], words: str, heard: Sequence[str]) -> str:
    said = " ".join(" ".join(heard).split())
    if "returned 124" in said or "returned 137" in said:
        why = f"it did not end within {PLUGIN_SECONDS:g} s; does it wait for somebody to log in?"
    elif "returned 127" in said or "No such file or directory" in said:
        why = f"there is no command {plugin[0]} here; install it, or give its whole path"
    else:
        why = said or "it gave neither a token nor a certificate"
    return f"cannot log in as {words}: its credential plugin `{shlex.join(plugin)}` failed: {why}"


class _Listener(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


@contextlib.contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """The client says only to the root logger why a plugin failed; without a handler that would go to stderr."""
    handler = _Listener(heard)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
