# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate and its key as they are kept somewhere, judged; of the key only its public half is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import (
    Certificate,
    Problem,
    chain_problem,
    judge,
    parse_der,
    parse_pem,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    Evidence,
    FailedError,
    Finding,
)
from ansible_collections.saveit.remediation.plugins.module_utils._tls import load_authorities


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and its key; `problems` is empty when a server can use them."""

    chain: tuple[Certificate, ...] = ()
    key_matches: bool | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def certificate(self) -> Certificate | None:
        """The server's own certificate, when it could be read."""
        return self.chain[0] if self.chain else None

    @property
    def words(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        return tuple(each.word for each in self.problems)

    def told(self, now: float) -> str:
        """For a diff: what the certificate says, and nothing of the key."""
        if not self.certificate:
            return "".join(f"{each.sentence}\n" for each in self.problems)
        shown = self.certificate.as_return(now)
        return "".join(f"{name}: {value}\n" for name, value in shown.items())


@dataclass(frozen=True)
class Stored:
    """What a platform keeps for the edge to serve: `where` is the file or the secret, in words.

    Without a pair `why_none` says why there is no data; `missed` is why a good pair may not be served;
    `aside` is no fault, and said in any case. `findings`, `evidence` and `returned` are the platform's own.
    """

    where: str
    pair: Pair | None = None
    why_none: str = ""
    missed: str = ""
    aside: Finding | None = None
    findings: Sequence[Finding] = ()
    evidence: Sequence[Evidence] = ()
    returned: Mapping[str, Any] = field(default_factory=dict)


def judge_pair(
    pem: str,
    where: str,
    key: tuple[str, Callable[[], str]] | None,
    names: Sequence[str],
    parameters: Mapping[str, Any],
    now: float,
) -> Pair:
    """Judge a certificate by its text; `key` is where its key is, and what reads its public half's digest.

    What is damaged is a problem, not an error. Raises FailedError for a file of authorities that is none.
    """
    roots = authorities(parameters["ca_file"])
    try:
        chain = tuple(parse_pem(pem, where))
    except FailedError as error:
        return Pair(problems=(Problem("unreadable", str(error)),))
    problems = judge(chain[0], now, names, parameters["renew_before_days"])
    distrust = chain_problem(chain, roots, now) if roots else ""
    if distrust:
        problems.append(Problem("untrusted", distrust))
    if key is None:
        return Pair(chain, None, tuple(problems))
    mixed = _why_another_key(key, chain[0])
    if mixed:
        problems.insert(0, Problem("key-mismatch", mixed))
    return Pair(chain, not mixed, tuple(problems))


def authorities(ca_file: str) -> list[Certificate]:
    """The certificates that are trusted: of this file, or of this system; none when it does not tell.

    Raises FailedError for a file that is none.
    """
    found = load_authorities(ca_file).get_ca_certs(binary_form=True)
    return [parse_der(each, ca_file or "this system") for each in found]


def _why_another_key(key: tuple[str, Callable[[], str]], certificate: Certificate) -> str:
    where, public_key = key
    try:
        matches = public_key() == certificate.public_key
    except FailedError as error:
        return f"its key cannot be used: {error}"
    return "" if matches else f"the key in {where} belongs to another certificate"
