"""Which kubeconfig, which context, and who we are there: the values, and the sentences for what is wrong."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_login
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import token_expiry
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_kubeconfig import which
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_login import log_in
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError

SERVER = "https://192.0.2.1:6443"
GOOD = """
contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://192.0.2.1:6443"}}]
users: [{name: u, user: {token: t}}]
"""
NAMED = "kubernetes_kubeconfig, in the inventory"


@pytest.fixture
def fails(tmp_path: Path, target: Any) -> Any:
    """Log in with this text as the kubeconfig; gives the obstacle."""

    def of(text: str | bytes, context: str = "") -> ObstacleError:
        path = tmp_path / "kubeconfig"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ObstacleError) as caught:
            log_in(target(str(path), context=context), str(tmp_path), {})
        assert str(path) in str(caught.value), "it says which file"
        return caught.value

    return of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [b", "it is not YAML: line 1: expected ',' or ']'"),
        ("a: b: c", "it is not YAML: line 1: mapping values are not allowed here"),
        ("- a\n- b\n", "it is not a kubeconfig"),
        ("hello", "it is not a kubeconfig"),
        ("", "it is not a kubeconfig"),
        ("contexts: [{context: {}}]", "it is not a kubeconfig"),
        ("contexts: 5", "it is not a kubeconfig"),
        (b"\xff\xfe\x00", "cannot read the kubeconfig"),
    ],
)
def test_what_is_no_kubeconfig(text: str | bytes, words: str, fails: Any) -> None:
    error = fails(text)
    assert (error.id, error.outcome) == ("no-kubeconfig", "refused")
    assert words in str(error)
    assert NAMED in str(error)


def test_an_unknown_context_names_those_there_are(fails: Any) -> None:
    error = fails(GOOD, "prod")
    assert (error.id, error.outcome) == ("unknown-context", "refused")
    assert "cannot find the context prod (kubernetes_context, in the inventory)" in str(error)
    assert str(error).endswith("it has a, b")


def test_a_current_context_that_is_not_there_says_who_named_it(fails: Any) -> None:
    assert "the context gone (current-context of " in str(fails(f"current-context: gone\n{GOOD}"))


def test_no_context_at_all(fails: Any) -> None:
    error = fails(GOOD)
    assert error.id == "unknown-context"
    assert "has no current context; name one in the inventory (kubernetes_context): a, b" in str(error)
    assert str(fails("{}")).endswith("(kubernetes_context): none")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("clusters: [{name: c", "clusters: [{name: d"), "it names 'c', which is not among its clusters"),
        (("users: [{name: u", "users: [{name: v"), "it names 'u', which is not among its users"),
        (("{cluster: c, user: u}}, {", "{user: u}}, {"), "it names 'nothing'"),
        (("https://192.0.2.1:6443", "192.0.2.1:6443"), "is '192.0.2.1:6443', no https:// address"),
        (('server: "https://192.0.2.1:6443"', ""), "is '', no https:// address"),
    ],
)
def test_a_context_that_leads_nowhere(change: tuple[str, str], words: str, fails: Any) -> None:
    assert change[0] in GOOD
    error = fails(GOOD.replace(*change), "a")
    assert (error.id, error.outcome) == ("no-kubeconfig", "refused")
    assert words in str(error)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"tokenFile": "gone"}, "No such file or directory"),
        ({"client-certificate": "gone", "client-key": "gone"}, "File does not exist"),
        ({"client-certificate-data": "x", "client-key-data": "x"}, "cannot log in as the user sre"),
        ({"exec": {"command": "x"}}, "missing key 'apiVersion'"),
    ],
)
def test_credentials_that_cannot_be_read(
    user: Mapping[str, str], words: str, kubeconfig: Any, target: Any, tmp_path: Path
) -> None:
    with pytest.raises(ObstacleError) as caught:
        log_in(target(kubeconfig(SERVER, user)), str(tmp_path), {})
    assert (caught.value.id, caught.value.outcome) == ("cluster-credentials", "unreachable")
    assert words in str(caught.value)


def test_where_the_kubeconfig_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(
        ObstacleError, match=r"there is no kubeconfig, neither in kubernetes_kubeconfig"
    ) as caught:
        which({}, {})
    assert (caught.value.id, caught.value.outcome) == ("no-kubeconfig", "refused")
    assert which({}, {"KUBERNETES_SERVICE_HOST": "192.0.2.1"}) == ("", "")
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text("", "utf-8")
    assert which({}, {"KUBERNETES_SERVICE_HOST": "192.0.2.1"}) == ("~/.kube/config", "the default")
    assert which({"kubeconfig": ""}, {"KUBECONFIG": "/a:/b"}) == ("/a:/b", "KUBECONFIG, in the environment")
    assert which({"kubeconfig": "/c"}, {"KUBECONFIG": "/a"}) == ("/c", NAMED)


def test_a_kubeconfig_that_is_not_there(target: Any, tmp_path: Path) -> None:
    gone = f"{tmp_path}/gone"
    with pytest.raises(
        ObstacleError, match=r"gone \(KUBECONFIG, in the environment\): there is no such file"
    ):
        log_in(target(""), str(tmp_path), {"KUBECONFIG": gone})


def test_several_files_are_merged_and_their_relative_paths_are_their_own(target: Any, tmp_path: Path) -> None:
    contexts, rest = tmp_path / "contexts", tmp_path / "folder/rest"
    rest.parent.mkdir()
    content = yaml.safe_load(GOOD)
    contexts.write_text(yaml.safe_dump({"contexts": content.pop("contexts")}), "utf-8")
    content["users"][0]["user"] = {"tokenFile": "token"}
    (tmp_path / "folder/token").write_text("of-the-file", "utf-8")
    rest.write_text(yaml.safe_dump(content), "utf-8")
    both = f"{contexts}:{rest}:{tmp_path}/gone"
    configuration, access = log_in(target("", context="b"), str(tmp_path), {"KUBECONFIG": both})
    assert configuration.api_key["BearerToken"] == "Bearer of-the-file"
    assert access.name == "the cluster b (namespace rec)"
    assert access.server == SERVER


def test_a_pod_without_a_token(target: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ObstacleError, match="as the service account of this pod: Service") as caught:
        log_in(target(""), str(tmp_path), {"KUBERNETES_SERVICE_HOST": "192.0.2.1"})
    assert caught.value.id == "cluster-credentials"


def test_a_pod_has_no_contexts(target: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ObstacleError, match="this pod has no kubeconfig") as caught:
        log_in(target("", context="prod"), str(tmp_path), {"KUBERNETES_SERVICE_HOST": "192.0.2.1"})
    assert caught.value.id == "unknown-context"


def test_the_service_account_of_a_pod(
    target: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, issue: Any
) -> None:
    from kubernetes.config import incluster_config

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    (tmp_path / "token").write_text("of-the-pod", "utf-8")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(issue("CA").files[0]))
    configuration, access = log_in(target(""), str(tmp_path), {"KUBERNETES_SERVICE_HOST": "192.0.2.1"})
    assert access.server == "https://192.0.2.1:443"
    assert access.user == "the service account of this pod"
    assert configuration.api_key["BearerToken"].endswith("of-the-pod")


def plugin(script: str, folder: Path) -> Mapping[str, Any]:
    """A user whose credentials come from this shell script."""
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "args": ["a b"]}}


def credential(status: Any) -> str:
    told = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    return f"echo '{json.dumps(told)}'"


def test_a_credential_plugin_gives_a_token(kubeconfig: Any, target: Any, tmp_path: Path) -> None:
    user = plugin(credential({"token": "of-the-plugin"}), tmp_path)
    configuration, access = log_in(target(kubeconfig(SERVER, user)), str(tmp_path), {})
    assert configuration.api_key["BearerToken"] == "Bearer of-the-plugin"
    assert f"by its plugin `{tmp_path}/plugin 'a b'`" in access.user_from


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'the SSO session has expired' >&2; exit 1", "returned 1. the SSO session has expired"),
        ("exit 127", "there is no command"),
        ("echo hello", "failed to decode process output"),
        (credential({}), "missing token or clientCertificateData"),
        ("exec sleep 60", "did not end within 0.2 s; does it wait for somebody to log in?"),
    ],
)
def test_a_credential_plugin_that_fails(
    script: str,
    words: str,
    kubeconfig: Any,
    target: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_kubernetes_login, "PLUGIN_SECONDS", 0.2)
    with pytest.raises(ObstacleError) as caught:
        log_in(target(kubeconfig(SERVER, plugin(script, tmp_path))), str(tmp_path), {})
    assert (caught.value.id, caught.value.outcome) == ("cluster-credentials", "unreachable")
    assert "cannot log in as the user sre of the kubeconfig" in str(caught.value)
    assert f"its credential plugin `{tmp_path}/plugin 'a b'` failed: " in str(caught.value)
    assert words in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_credential_plugin_that_is_not_installed(kubeconfig: Any, target: Any, tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}}
    with pytest.raises(ObstacleError, match="there is no command no-such-plugin here; install it"):
        log_in(target(kubeconfig(SERVER, user)), str(tmp_path), {})


def test_the_root_logger_is_left_as_it_was(kubeconfig: Any, target: Any, tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    log_in(target(kubeconfig(SERVER)), str(tmp_path), {})
    assert logging.getLogger().handlers == before


def test_the_end_of_a_token_is_told_where_it_says_so() -> None:
    def jwt(claims: Any) -> str:
        return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"

    assert token_expiry(jwt({"exp": 1795421651})) == 1795421651
    for text in ("", "abc", "a.b.c", jwt({}), jwt([]), jwt({"exp": "soon"})):
        assert token_expiry(text) is None


def test_an_expired_token_is_told_with_its_end(
    api_server: Any, replay: Any, kubeconfig: Any, target: Any
) -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 1795421651}').decode().rstrip("=")
    api_server.reply(replay("bad-token"))
    cluster = connect(target(kubeconfig(api_server.url, {"token": f"e30.{claims}.sig"})))
    with pytest.raises(ObstacleError, match="whose token ends at 2026-11-23T08:14:11"):
        cluster.list("pods")
    cluster.close()
