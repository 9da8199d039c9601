# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the Kubernetes API and its answer, or one sentence why there is none.

The pool of connections is the one that the official client makes, with its TLS, proxy and client certificate.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any, Iterator, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_errors import Access, Answer
from ansible_collections.saveit.remediation.plugins.module_utils._redact import HIDDEN
from ansible_collections.saveit.remediation.plugins.module_utils._result import ObstacleError
from ansible_collections.saveit.remediation.plugins.module_utils._within import within

_OURS = {  # what a server says when it does not like our certificate
    "CERTIFICATE_REQUIRED", "CERTIFICATE_EXPIRED", "BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_REVOKED", "HANDSHAKE_FAILURE",
}  # fmt: skip
_NO_TLS = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")


class BrokenOffError(ObstacleError):
    """No answer, or half of one; `unsent` when the server never got the request."""

    def __init__(self, sentence: str, unsent: bool) -> None:
        super().__init__("cluster-unreachable", sentence, "unreachable")
        self.unsent = unsent


def _context(configuration: Any) -> ssl.SSLContext:
    """Without the strict checks that Python 3.13 turns on by itself, and kubectl does not make."""
    from urllib3.util.ssl_ import create_urllib3_context

    wanted = ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE
    context: ssl.SSLContext = create_urllib3_context(cert_reqs=wanted)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not configuration.ssl_ca_cert and not getattr(configuration, "ca_cert_data", None):
        context.load_default_certs()
    return context


class Transport:
    """Sends requests to one API server; `configuration` is the official client's."""

    def __init__(self, configuration: Any, access: Access) -> None:
        from kubernetes.client.rest import RESTClientObject
        from urllib3 import disable_warnings, exceptions

        if not configuration.verify_ssl:  # as the kubeconfig says; nobody reads a warning for each request
            disable_warnings(exceptions.InsecureRequestWarning)
        self.configuration, self.access = configuration, access
        self._pool = RESTClientObject(configuration).pool_manager
        self._pool.connection_pool_kw["ssl_context"] = _context(configuration)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def authorization(self) -> Mapping[str, str]:
        """The header that says who we are, renewed by the client where it ends; none with a certificate."""
        settings = self.configuration.auth_settings().values()
        return {each["key"]: each["value"] for each in settings if each["in"] == "header" and each["value"]}

    def send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        content_type: str,
        seconds: float,
        limit: float,
        reads: bool,
    ) -> Answer:
        """Send and wait for the whole answer, at most `seconds`; `limit` is what was allowed for all tries.

        Raises BrokenOffError when the connection is refused or breaks, and ObstacleError for the rest.
        """
        headers = {
            "Accept": "application/json, */*",
            "User-Agent": "saveit-remediate",
            **self.authorization(),
        }
        if body is not None:
            headers["Content-Type"] = content_type

        def ask() -> Answer:
            from urllib3 import Timeout

            response = self._pool.request(
                method, self.configuration.host + url, body=body, headers=headers,
                timeout=Timeout(total=seconds), retries=False, redirect=False, preload_content=False,
            )  # fmt: skip
            try:
                data = response.read()
            finally:
                response.release_conn()
            if self.access.token:  # some proxies repeat the request, and what is read here is shared by tasks
                data = data.replace(self.access.token.encode(), HIDDEN.encode())
            said = response.headers
            content, after, to = (said.get(name, "") for name in ("Content-Type", "Retry-After", "Location"))
            to = to if 300 <= response.status < 400 else ""
            return Answer(response.status, content, data, after, to, said.get("Date", ""))

        try:
            return within(seconds, ask)
        except Exception as error:  # urllib3, ssl and the system each have their own
            raise why(error, self.access, limit, reads) from error


def why(error: BaseException, access: Access, seconds: float, reads: bool) -> ObstacleError:
    """The obstacle for an exception of urllib3, websocket, ssl or the system."""
    from urllib3 import exceptions

    chain = list(_chain(error))
    cannot = f"cannot reach {access.name}"
    said = _system(chain) or _last(error)
    unknown = "" if reads else "; whether the change was made is not known: look again"

    def found(*kinds: type[BaseException]) -> Any:
        return next((each for each in chain if isinstance(each, kinds)), None)

    def unreachable(sentence: str) -> ObstacleError:
        return ObstacleError("cluster-unreachable", sentence, "unreachable")

    slow = found(TimeoutError, socket.timeout, exceptions.TimeoutError)
    if found(ssl.SSLCertVerificationError):
        return _untrusted(found(ssl.SSLCertVerificationError), access)
    if found(ssl.SSLError) and not slow and not found(ConnectionError):
        return _tls(found(ssl.SSLError), access)
    if found(exceptions.ProxyError):
        return unreachable(f"{cannot} through the proxy {access.proxy}: {said}")
    if found(socket.gaierror):
        return unreachable(f"{cannot}: no address is known for {access.place}: {said}; is it spelled right?")
    if found(exceptions.NewConnectionError, ConnectionRefusedError) and not found(
        TimeoutError, socket.timeout
    ):
        sentence = f"{cannot}: {said}: {access.place}; is the API server up, and the address right?"
        return BrokenOffError(sentence, unsent=True)
    if slow:
        sentence = (
            f"{access.name} does not answer within {seconds:g} s (kubernetes_api_timeout_seconds): "
            f"{access.place}; is the API server well, the network up, and the address right?{unknown}"
        )
        return ObstacleError("cluster-timeout", sentence, "unreachable")
    if found(exceptions.ProtocolError, ConnectionError):
        sentence = (
            f"{access.name} breaks off before the end of its answer: {said}: {access.place}; "
            f"is the API server being restarted?{unknown}"
        )
        return BrokenOffError(sentence, unsent=False)
    return unreachable(f"{cannot}: {said}: {access.place}{unknown}")


def _untrusted(error: ssl.SSLCertVerificationError, access: Access) -> ObstacleError:
    said = error.verify_message or str(error)
    if "expired" in said:
        hint = "the certificate of the API server is to be renewed; or is the clock here wrong?"
    elif "match" in said or "valid for" in said:
        hint = "the address is none of the names that it is for: is the server in the kubeconfig right?"
    else:
        hint = (
            "certificate-authority in the kubeconfig is not the CA of this cluster, or a proxy is in between"
        )
    sentence = f"cannot trust {access.name}: the certificate of {access.place}: {said}; {hint}"
    return ObstacleError("cluster-certificate", sentence, "unreachable")


def _tls(error: ssl.SSLError, access: Access) -> ObstacleError:
    reason = re.sub(r"^(TLSV1\d?|SSLV3)_ALERT_", "", error.reason or "")
    if reason in _OURS:
        word, who = reason.lower().replace("_", " "), access.user or "nobody"
        sentence = f"{access.name} does not take our certificate ({word}): {who} ({access.user_from})"
        return ObstacleError("cluster-credentials", sentence, "unreachable")
    cannot = f"cannot reach {access.name}"
    if reason in _NO_TLS:
        sentence = f"{cannot}: what answers at {access.place} does not speak TLS; is the port right?"
        return ObstacleError("cluster-unreachable", sentence, "unreachable")
    sentence = f"{cannot}: TLS with {access.place} fails: {error.reason or _last(error)}"
    return ObstacleError("cluster-certificate", sentence, "unreachable")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made of; bounded, as some libraries make circles."""
    left: list[BaseException] = [error]
    seen: list[BaseException] = []
    while left and len(seen) < 50:
        each = left.pop(0)
        if any(each is known for known in seen):
            continue
        seen.append(each)
        yield each
        inner = [*each.args, each.__cause__, each.__context__, getattr(each, "original_error", None)]
        left += [one for one in inner if isinstance(one, BaseException)]


def _system(chain: list[BaseException]) -> str:
    """The system's own words, where it has some."""
    return next((each.strerror for each in chain if isinstance(each, OSError) and each.strerror), "")


def _last(error: BaseException) -> str:
    """urllib3 puts its objects in front of the reason."""
    return " ".join(str(error).rpartition(">: ")[2].split()) or type(error).__name__
