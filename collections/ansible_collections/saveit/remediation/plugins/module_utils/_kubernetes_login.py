# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in to a cluster. The official client does it: kubeconfig, service account and credential plugins."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import time
from typing import Any, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_kubeconfig
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import Access
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kubeconfig import (
    IN_POD,
    Context,
    Kubeconfig,
)
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_plugin import Plugin
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError


def log_in(
    parameters: Mapping[str, Any],
    folder: str,
    environ: Mapping[str, str] | None = None,
    shared: str | None = None,
) -> tuple[Any, Access]:
    """The client's Configuration, and how the cluster is reached.

    `folder` is for the keys that the client writes, `shared` for a token that all tasks of a run may use.

    Raises ObstacleError: no-kubeconfig, unknown-context (refused), cluster-credentials (unreachable).
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
    path, origin = _kubernetes_kubeconfig.which(parameters, os.environ if environ is None else environ)
    configuration = Configuration()
    if not path:
        return configuration, _of_pod(parameters, configuration)
    kubeconfig = _kubernetes_kubeconfig.read(path, origin)
    context = _kubernetes_kubeconfig.choose(kubeconfig, parameters.get("context") or "")
    plugin = Plugin(kubeconfig, context.user, shared)
    return configuration, _of_file(parameters, configuration, kubeconfig, context, plugin, folder)


def _of_file(
    parameters: Mapping[str, Any],
    configuration: Any,
    kubeconfig: Kubeconfig,
    context: Context,
    plugin: Plugin,
    folder: str,
) -> Access:
    from kubernetes.config.kube_config import KubeConfigLoader

    plugin.prepare(time.time())
    words = f"the user {context.user} of {kubeconfig.words}"
    heard: list[str] = []
    try:
        with _listening(heard):
            loader = KubeConfigLoader(
                config_dict=kubeconfig.node,
                active_context=context.name,
                config_base_path=None,
                temp_file_path=folder,
            )
            loader.load_and_set(configuration)
    except Exception as error:  # the client, its plugins and their HTTP libraries raise what they like
        said = f"cannot log in as {words}: {_said(error)}"
        raise ObstacleError("cluster-credentials", said, "unreachable") from error
    if plugin.command and not _token(configuration) and not configuration.cert_file:
        raise ObstacleError("cluster-credentials", plugin.failed(words, heard), "unreachable")
    plugin.keep(_token(configuration), getattr(loader, "expiry", None))
    _use_proxy(configuration, kubeconfig.entry("clusters", context.cluster).get("proxy-url"))
    by = f"; by its plugin `{shlex.join(plugin.command)}`" if plugin.command else ""
    return Access(
        name=_name(parameters, context.name),
        server=configuration.host,
        server_from=f"cluster {context.cluster} of {kubeconfig.path}, by the context {context.name}, "
        f"{context.origin}",
        user=f"the user {context.user}" if context.user else "",
        user_from=f"{kubeconfig.path}, {kubeconfig.origin}{by}",
        namespace=parameters["namespace"],
        proxy=_without_password(getattr(configuration, "proxy", None)),
        token=_token(configuration),
    )


def _of_pod(parameters: Mapping[str, Any], configuration: Any) -> Access:
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
            "does it have automountServiceAccountToken: false?",
            "unreachable",
        ) from error
    return Access(
        name=_name(parameters, "of this pod"),
        server=configuration.host,
        server_from=f"{IN_POD}, in the environment",
        user="the service account of this pod",
        user_from="/var/run/secrets/kubernetes.io/serviceaccount",
        namespace=parameters["namespace"],
        token=_token(configuration),
    )


def _name(parameters: Mapping[str, Any], context: str) -> str:
    return f"the cluster {context} (namespace {parameters['namespace']})"


def _token(configuration: Any) -> str:
    """What comes after "Bearer "; "" with a client certificate."""
    keys = configuration.api_key
    return str(keys.get("BearerToken") or keys.get("authorization") or "").partition(" ")[2].strip()


def _use_proxy(configuration: Any, said: str | None) -> None:
    """The client leaves out `proxy-url` before version 37, and always the user and password of a proxy."""
    from urllib3 import make_headers

    proxy = said or getattr(configuration, "proxy", None)
    if proxy:
        configuration.proxy = proxy
        parts = urlsplit(proxy)
        if parts.username and not configuration.proxy_headers:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            configuration.proxy_headers = make_headers(proxy_basic_auth=login)


def _without_password(proxy: str | None) -> str:
    return re.sub(r"//[^/@]*@", "//", proxy or "")


class _Listener(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


@contextlib.contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Only the root logger hears why a plugin failed; without a handler that would go to standard error."""
    handler = _Listener(heard)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
