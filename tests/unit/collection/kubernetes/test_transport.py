"""How a cluster is reached, and the sentence when it is not: sockets, TLS, proxies and time."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

LIST = {"items": [{"metadata": {"name": "a"}}]}


@pytest.fixture
def reach(kubeconfig: Any, target: Any, clock: Any) -> Iterator[Callable[..., Any]]:
    """Connect to a server with these credentials."""
    connected = []

    def to(server: str, user: Any = None, timeout: float = 10, **more: Any) -> Any:
        path = kubeconfig(server, user, **more)
        connected.append(connect(target(path, api_timeout_seconds=timeout), now=clock.now, sleep=clock.sleep))
        return connected[-1]

    yield to
    for each in connected:
        each.close()


def obstacle(cluster: Any, write: bool = False) -> ObstacleError:
    with pytest.raises(ObstacleError) as caught:
        cluster.patch("deployments", "a", {}) if write else cluster.list("pods")
    return caught.value


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_refused_connection_is_tried_again_also_for_a_write(reach: Any, clock: Any) -> None:
    for write in (False, True):
        clock.slept.clear()
        cluster = reach(f"http://127.0.0.1:{free_port()}")
        error = obstacle(cluster, write)
        assert (error.id, error.outcome) == ("cluster-unreachable", "unreachable")
        assert "Connection refused: http://127.0.0.1" in str(error)
        assert "cluster eu-1 of" in str(error)
        assert (cluster.calls, clock.slept) == (3, [1, 3])


def test_a_server_that_comes_back_meanwhile_is_served(reach: Any, api_server: Any, reply: Any) -> None:
    api_server.reply(reply(LIST, cut=0), reply(LIST, cut=5), reply(LIST))
    cluster = reach(api_server.url)
    assert len(cluster.list("pods")) == 1
    assert cluster.calls == 3


@pytest.mark.parametrize("cut", [0, 5])
def test_a_connection_that_breaks_off_is_given_up_after_three_tries(
    cut: int, reach: Any, api_server: Any, reply: Any
) -> None:
    api_server.reply(reply(LIST, cut=cut))
    error = obstacle(reach(api_server.url))
    assert error.id == "cluster-unreachable"
    assert "breaks off before the end of its answer" in str(error)
    assert len(api_server.asked) == 3


def test_a_write_that_breaks_off_is_not_repeated_and_says_that_it_may_be_done(
    reach: Any, api_server: Any, reply: Any
) -> None:
    api_server.reply(reply(LIST, cut=5))
    assert "whether the change was made is not known" in str(obstacle(reach(api_server.url), write=True))
    assert len(api_server.asked) == 1


def test_a_server_that_takes_the_connection_and_says_nothing(reach: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        began = time.monotonic()
        error = obstacle(reach(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2))
    assert (error.id, error.outcome) == ("cluster-timeout", "unreachable")
    assert "does not answer within 0.2 s (kubernetes_api_timeout_seconds)" in str(error)
    assert time.monotonic() - began < 2


def test_a_server_that_sends_a_byte_now_and_then_is_no_faster(
    reach: Any, api_server: Any, reply: Any
) -> None:
    api_server.reply(reply(slow=0.05))
    began = time.monotonic()
    assert obstacle(reach(api_server.url, timeout=0.3)).id == "cluster-timeout"
    assert time.monotonic() - began < 2


def test_a_slow_write_says_that_it_may_be_done(reach: Any, api_server: Any, reply: Any) -> None:
    api_server.reply(reply(slow=0.05))
    error = obstacle(reach(api_server.url, timeout=0.2), write=True)
    assert "whether the change was made is not known" in str(error)
    assert len(api_server.asked) == 1


def test_a_name_without_an_address(reach: Any) -> None:
    error = obstacle(reach("https://no-such-host.invalid:6443"))
    assert error.id == "cluster-unreachable"
    assert "no address is known for https://no-such-host.invalid:6443" in str(error)


def test_a_port_that_speaks_no_tls(reach: Any, api_server: Any) -> None:
    error = obstacle(reach(api_server.url.replace("http:", "https:")))
    assert error.id == "cluster-unreachable"
    assert "does not speak TLS; is the port right?" in str(error)


def test_tls_with_the_ca_of_the_kubeconfig(reach: Any, api_server: Any, reply: Any, issue: Any) -> None:
    ca = issue("cluster CA")
    api_server.with_tls(issue("server", ca))
    api_server.reply(reply(LIST))
    cluster = reach(api_server.url, **{"certificate-authority-data": ca.data})
    assert len(cluster.list("pods")) == 1


def test_a_certificate_of_another_ca_is_not_trusted(reach: Any, api_server: Any, issue: Any) -> None:
    api_server.with_tls(issue("server", issue("another CA")))
    error = obstacle(reach(api_server.url, **{"certificate-authority-data": issue("cluster CA").data}))
    assert (error.id, error.outcome) == ("cluster-certificate", "unreachable")
    assert "cannot trust the cluster staging" in str(error)
    assert "certificate-authority in the kubeconfig is not the CA of this cluster" in str(error)


@pytest.mark.parametrize(
    ("issued", "words"),
    [
        ({"ends": -1}, "is to be renewed; or is the clock here wrong?"),
        ({"address": "192.0.2.1"}, "none of the names that it is for"),
    ],
)
def test_a_certificate_that_is_expired_or_of_another_server(
    issued: Any, words: str, reach: Any, api_server: Any, issue: Any
) -> None:
    ca = issue("cluster CA")
    api_server.with_tls(issue("server", ca, **issued))
    error = obstacle(reach(api_server.url, **{"certificate-authority-data": ca.data}))
    assert error.id == "cluster-certificate"
    assert words in str(error)


def test_nobody_is_warned_of_what_the_kubeconfig_asks_for(
    reach: Any, api_server: Any, reply: Any, issue: Any, recwarn: pytest.WarningsRecorder
) -> None:
    api_server.with_tls(issue("server", issue("another CA")))
    api_server.reply(reply(LIST))
    assert reach(api_server.url, **{"insecure-skip-tls-verify": True}).list("pods")
    assert not [each for each in recwarn if "InsecureRequest" in str(each.category)]


def test_a_client_certificate_is_who_we_are_and_its_key_is_removed_at_the_end(
    kubeconfig: Any, target: Any, api_server: Any, reply: Any, issue: Any, tmp_path: Path
) -> None:
    ca = issue("cluster CA")
    me = issue("sre", ca)
    api_server.with_tls(issue("server", ca), ca)
    api_server.reply(reply(LIST))
    user = {"client-certificate-data": me.data, "client-key-data": me.key_data}
    path = kubeconfig(api_server.url, user, **{"certificate-authority-data": ca.data})
    folder = tmp_path / "shared"
    folder.mkdir()
    cluster = connect(target(path), folder=str(folder))
    assert len(cluster.list("pods")) == 1
    assert "authorization" not in api_server.asked[0].headers
    keys = list(folder.iterdir())
    assert [each.stat().st_mode & 0o777 for each in keys] == [0o700]
    cluster.close()
    assert not list(folder.iterdir())


def test_a_client_certificate_that_the_server_does_not_know(reach: Any, api_server: Any, issue: Any) -> None:
    ca, other = issue("cluster CA"), issue("another CA")
    api_server.with_tls(issue("server", ca), ca)
    api_server.context.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 may close before its word has arrived
    me = issue("sre", other)
    user = {"client-certificate-data": me.data, "client-key-data": me.key_data}
    error = obstacle(reach(api_server.url, user, **{"certificate-authority-data": ca.data}))
    assert (error.id, error.outcome) == ("cluster-credentials", "unreachable")
    assert "does not take our certificate (unknown ca): the user sre" in str(error)


def test_a_proxy_of_the_kubeconfig_is_used(reach: Any, api_server: Any, reply: Any) -> None:
    api_server.reply(reply(LIST))
    proxy = api_server.url.replace("//", "//me:hu%40sh@")
    assert len(reach("http://cluster.example", **{"proxy-url": proxy}).list("pods")) == 1
    headers = api_server.asked[0].headers
    assert headers["host"] == "cluster.example"
    assert base64.b64decode(headers["proxy-authorization"].split()[1]) == b"me:hu@sh"


def test_a_proxy_that_is_down_is_named_without_its_password(reach: Any) -> None:
    proxy = f"http://me:hush@127.0.0.1:{free_port()}"
    error = obstacle(reach("https://cluster.example", **{"proxy-url": proxy}))
    assert error.id == "cluster-unreachable"
    assert "through the proxy http://127.0.0.1" in str(error)
    assert "hush" not in str(error)


def test_one_connection_serves_all_requests(reach: Any, api_server: Any, reply: Any) -> None:
    accepted = []
    take = api_server.server.get_request

    def counted() -> Any:
        accepted.append(take())
        return accepted[-1]

    api_server.server.get_request = counted
    api_server.reply(reply(LIST))
    cluster = reach(api_server.url)
    for kind in ("pods", "deployments", "events"):
        cluster.list(kind)
    assert len(api_server.asked) == 3
    assert len(accepted) == 1


def test_what_takes_too_long_is_left_behind() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.05, lambda: never.wait(60))
    never.set()
    assert within(5, lambda: "done") == "done"
    with pytest.raises(KeyError):
        within(5, lambda: os.environ["NO_SUCH_VARIABLE"])


@pytest.mark.parametrize(
    "items", [5, [None], ["x"], [{}], [{"metadata": None}], [{"metadata": {}}], {"a": 1}]
)
def test_a_list_of_what_are_no_objects_is_no_answer_of_an_api(
    reach: Any, api_server: Any, reply: Any, items: Any
) -> None:
    api_server.reply(reply({"items": items}))
    assert obstacle(reach(api_server.url)).id == "cluster-unreachable"
