# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate and its key as files, read where they are; the private key stays there."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._certificate import Problem, public_key_of
from ansible_collections.saveit.remediation.plugins.module_utils._certificate_pair import (
    Pair,
    Stored,
    judge_pair,
)
from ansible_collections.saveit.remediation.plugins.module_utils._place import Place
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, ObstacleError


def look(parameters: Mapping[str, Any], carrier: Carrier, names: Sequence[str]) -> Stored:
    """The files that the service reads, or why there is no data about them.

    Raises ObstacleError when neither an endpoint nor a file is given.
    """
    file = parameters["certificate_file"]
    if not file:
        if parameters["endpoint"]:
            return Stored("", why_none="no certificate file is known (certificate_file, in the inventory)")
        raise ObstacleError(
            "not-configured",
            "cannot check a certificate: neither an endpoint nor a file is given "
            "(certificate_endpoint, certificate_file, in the inventory)",
            "refused",
        )
    try:
        place = Place(parameters, carrier, parameters["files_service"])
    except FailedError as error:
        return Stored(file, why_none=str(error))
    pair = read_pair(place, (file, parameters["key_file"]), names, parameters, carrier.now())
    return Stored(file, pair, missed="a reload was missed")


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
    try:
        text = place.read(certificate_file)
    except FailedError as error:
        return Pair(problems=(Problem("unreadable", str(error)),))
    key = (key_file, lambda: _public_key(place, key_file)) if key_file else None
    return judge_pair(text, certificate_file, key, names, parameters, now)


def _public_key(place: Place, key_file: str) -> str:
    """By openssl where the key is, so that it does not leave; read only where there is no openssl."""
    done = place.run(["openssl", "pkey", "-in", key_file, "-passin", "pass:", "-pubout"])
    if done.rc == 0:
        return public_key_of(done.stdout, key_file)
    if done.rc in (126, 127):
        return public_key_of(place.read(key_file), key_file)
    raise FailedError(f"cannot read {key_file} on {place.name}: {done.said[:200]}")
