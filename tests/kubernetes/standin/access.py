"""Who asks, by bearer token or client certificate, and what RBAC allows by the objects in the store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from standin.answers import RefusalError, names
from standin.kinds import BY_RESOURCE, Json
from standin.store import Store

RBAC = "rbac.authorization.k8s.io"
MASTERS = "system:masters"


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: Mapping[str, list[str]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True)
class Attributes:
    """What is asked for. `path`: of a request outside the API's resources."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def whole_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


# What every authenticated user may, and what everybody may, by the default bindings of a cluster.
BASIC: tuple[Json, ...] = (
    {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
     "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
)  # fmt: skip
DISCOVERY: tuple[Json, ...] = (
    {
        "verbs": ["get"],
        "nonResourceURLs": [
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/",
            "/openid/v1/jwks",
            "/openid/v1/jwks/",
        ],
    },
    {"verbs": ["get"], "nonResourceURLs": ["/.well-known", "/.well-known/*"]},
    {
        "verbs": ["get"],
        "nonResourceURLs": [
            "/api",
            "/api/*",
            "/apis",
            "/apis/*",
            "/healthz",
            "/livez",
            "/openapi",
            "/openapi/*",
            "/readyz",
            "/version",
            "/version/",
        ],
    },
)
PUBLIC: tuple[Json, ...] = (
    {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
)


class Access:
    """Tokens of this server, and its rights."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tokens: dict[str, User] = {}
        self.expired: set[str] = set()

    def issue(self, namespace: str, account: str) -> str:
        """A new token of a service account."""
        found = self.store.get("serviceaccounts", namespace, account)
        token = f"standin.{uuid.uuid4().hex}"
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={uuid.uuid4()}"]}
        uid = found["metadata"]["uid"] if found else ""
        self.tokens[token] = User(f"system:serviceaccount:{namespace}:{account}", groups, uid, extra)
        return token

    def who(self, authorization: str, certificate: Mapping[str, Any] | None) -> User:
        """The user of a request.

        Raises:
            RefusalError: 401: a token that is unknown or expired.
        """
        if certificate:
            fields = [pair for part in certificate.get("subject", ()) for pair in part]
            name = next((value for key, value in fields if key == "commonName"), "")
            groups = [value for key, value in fields if key == "organizationName"]
            return User(name, (*groups, "system:authenticated"))
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            return ANONYMOUS
        user = self.tokens.get(token.strip())
        if scheme.lower() != "bearer" or user is None or token.strip() in self.expired:
            raise RefusalError(401, "Unauthorized")
        return user

    def check(self, user: User, wanted: Attributes) -> None:
        """Raises RefusalError: 403, before it is known whether the object exists."""
        if self.allowed(user, wanted)[0]:
            return
        if wanted.path:
            raise RefusalError(
                403, f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"', details={}
            )
        full = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
        subject = f'{full} "{wanted.name}"' if wanted.name else full
        where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
        kind = BY_RESOURCE.get(full)
        details = names(kind, wanted.name) if kind else {"kind": wanted.resource}
        raise RefusalError(
            403,
            f'{subject} is forbidden: User "{user.name}" cannot {wanted.verb} resource '
            f'"{wanted.whole_resource}" '
            f'in API group "{wanted.group}" {where}',
            details=details,
        )

    def allowed(self, user: User, wanted: Attributes) -> tuple[bool, str]:
        """Whether, and the reason as an access review gives it."""
        if MASTERS in user.groups:
            return True, ""
        for binding, rule in self._rules(user, wanted.namespace):
            if _covers(rule, wanted):
                return True, _reason(binding, user)
        for rule in (*(BASIC if "system:authenticated" in user.groups else ()), *self._standard(user)):
            if _covers(rule, wanted):
                role = "system:basic-user" if "resources" in rule else "system:discovery"
                group = "system:authenticated"
                return (
                    True,
                    f'RBAC: allowed by ClusterRoleBinding "{role}" of ClusterRole "{role}" to '
                    f'Group "{group}"',
                )
        return False, ""

    def rules(self, user: User, namespace: str) -> tuple[list[Json], list[Json]]:
        """Resource rules and the others, as a SelfSubjectRulesReview lists them."""
        if MASTERS in user.groups:
            every = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
            return [*every, *BASIC], [{"verbs": ["*"], "nonResourceURLs": ["*"]}, *DISCOVERY, *PUBLIC]
        own = [rule for _binding, rule in self._rules(user, namespace)]
        resources = [rule for rule in own if "resources" in rule]
        others = [rule for rule in own if "nonResourceURLs" in rule]
        basic = BASIC if "system:authenticated" in user.groups else ()
        return [*basic, *resources], [*self._standard(user), *others]

    @staticmethod
    def _standard(user: User) -> tuple[Json, ...]:
        return (*DISCOVERY, *PUBLIC) if "system:authenticated" in user.groups else PUBLIC

    def _rules(self, user: User, namespace: str) -> Iterator[tuple[Json, Json]]:
        bindings = self.store.list(f"clusterrolebindings.{RBAC}")
        if namespace:
            bindings += self.store.list(f"rolebindings.{RBAC}", namespace)
        for binding in bindings:
            if not any(_is(subject, user, binding) for subject in binding.get("subjects") or []):
                continue
            reference = binding["roleRef"]
            where = "" if reference["kind"] == "ClusterRole" else namespace
            role = self.store.get(f"{reference['kind'].lower()}s.{RBAC}", where, reference["name"])
            for rule in (role or {}).get("rules") or []:
                yield binding, rule


def _is(subject: Json, user: User, binding: Json) -> bool:
    if subject["kind"] == "ServiceAccount":
        namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
        return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"
    return bool(subject["name"] == user.name) if subject["kind"] == "User" else subject["name"] in user.groups


def _covers(rule: Json, wanted: Attributes) -> bool:
    if not {wanted.verb, "*"} & set(rule.get("verbs", [])):
        return False
    if wanted.path:
        return any(
            url == wanted.path or (url.endswith("*") and wanted.path.startswith(url[:-1]))
            for url in rule.get("nonResourceURLs", [])
        )
    resources = {wanted.whole_resource, "*"} | ({f"*/{wanted.subresource}"} if wanted.subresource else set())
    if not {wanted.group, "*"} & set(rule.get("apiGroups", [])) or not resources & set(
        rule.get("resources", [])
    ):
        return False
    only = rule.get("resourceNames") or []
    return not only or wanted.name in only


def _reason(binding: Json, user: User) -> str:
    """As the real authorizer words it: a name within a namespace is written "name/namespace"."""
    metadata, reference = binding["metadata"], binding["roleRef"]
    subject = next(each for each in binding["subjects"] if _is(each, user, binding))
    namespace = metadata.get("namespace", "")
    name = f"{metadata['name']}/{namespace}" if namespace else metadata["name"]
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who += f"/{subject.get('namespace') or namespace}"
    return (
        f'RBAC: allowed by {binding["kind"]} "{name}" of {reference["kind"]} "{reference["name"]}" '
        f'to {subject["kind"]} "{who}"'
    )
