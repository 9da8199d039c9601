# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the logic of a module on a world that may answer anything."""

from __future__ import annotations

import os
import traceback
from typing import Any, Callable, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result

# What Python raises for data of another shape than its API promises.
_SHAPE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


def attempt(
    run: Callable[[Mapping[str, Any], Carrier], Result], parameters: Mapping[str, Any], carrier: Carrier
) -> Result:
    """What `run` returns. Raises FailedError, also for an answer that nobody can make sense of."""
    try:
        return run(parameters, carrier)
    except _SHAPE as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(last.filename)}, line {last.lineno}"
        raise FailedError(
            f"cannot make sense of what was answered for {carrier.host}: {type(error).__name__}: {error} "
            f"({place}); look at it by hand, and report this sentence, as it may be a defect of ours"
        ) from error
