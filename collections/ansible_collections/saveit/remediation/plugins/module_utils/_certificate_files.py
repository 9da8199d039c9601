# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate and its key as files, read where they are; the private key stays there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._certificate import (
    Certificate,
    Problem,
    chain_problem,
    judge,
    parse_der,
    parse_pem,
    public_key_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._tls import load_authorities


@dataclass(frozen=True)
class Pair:
    """A certificate file and its key file; `problems` is empty when a server can use them."""

    chain: tuple[Certificate, ...] = ()
    key_matches: bool | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def certificate(self) -> Certificate | None:
        """The server's own certificate, when the file could be read."""
        return self.chain[0] if self.chain else None

    @property
    def words(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        return tuple(each.word for each in self.problems)


def read_pair(
    place: Place,
    files: tuple[str, str],
    names: Sequence[str],
    parameters: Mapping[str, Any],
    now: float,
) -> Pair:
    """Read and judge; a file that is missing or damaged is a problem, not an error.

    Raises FailedError for a file of authorities that is none.
    """
    certificate_file, key_file = files
    roots = authorities(parameters["ca_file"])
    try:
        text = place.read(certificate_file)
        chain = tuple(parse_pem(text, certificate_file))
    except FailedError as error:
        return Pair(problems=(Problem("unreadable", str(error)),))
    problems = judge(chain[0], now, names, parameters["renew_before_days"])
    distrust = chain_problem(chain, roots, now) if roots else ""
    if distrust:
        problems.append(Problem("untrusted", distrust))
    matches = None
    if key_file:
        try:
            matches = _public_key(place, key_file) == chain[0].public_key
        except FailedError as error:
            problems.insert(0, Problem("key-mismatch", f"its key cannot be used: {error}"))
            matches = False
        else:
            if not matches:
                mixed = f"the key in {key_file} belongs to another certificate"
                problems.insert(0, Problem("key-mismatch", mixed))
    return Pair(chain, matches, tuple(problems))


def authorities(ca_file: str) -> list[Certificate]:
    """The certificates that are trusted: of this file, or of this system; none when it does not tell.

    Raises FailedError for a file that is none.
    """
    found = load_authorities(ca_file).get_ca_certs(binary_form=True)
    return [parse_der(each, ca_file or "this system") for each in found]


def _public_key(place: Place, key_file: str) -> str:
    """By openssl where the key is, so that it does not leave; read only where there is no openssl."""
    done = place.run(["openssl", "pkey", "-in", key_file, "-passin", "pass:", "-pubout"])
    if done.rc == 0:
        return public_key_of(done.stdout, key_file)
    if done.rc in (126, 127):
        return public_key_of(place.read(key_file), key_file)
    raise FailedError(f"cannot read {key_file} on {place.name}: {done.said[:200]}")
