# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module file's main(): parameters in, Result out, errors told once."""

from __future__ import annotations

import time
from typing import Any, Callable, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.saveit.remediation.plugins.module_utils._attempt import attempt
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import (
    Carrier,
    Completed,
    ConnectOnce,
)
from ansible_collections.saveit.remediation.plugins.module_utils._redact import known_secrets, redact_data
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError, Result


def run_module(arguments: Mapping[str, Any], run: Callable[[Mapping[str, Any], Carrier], Result]) -> None:
    """Run `run` as a module on the host itself."""
    module = AnsibleModule(argument_spec=dict(arguments), supports_check_mode=True)

    def execute(command: Sequence[str], stdin: str) -> Completed:
        return Completed(*module.run_command(list(command), data=stdin, binary_data=True))

    cluster = ConnectOnce()
    secrets = known_secrets(arguments, module.params)
    carrier = Carrier(
        execute=execute,
        now=time.time,
        sleep=time.sleep,
        check_mode=module.check_mode,
        cluster=cluster,
        secrets=secrets,
    )

    def told(values: Mapping[str, Any]) -> Any:
        return redact_data(values, [*secrets, *cluster.secrets])

    try:
        result = attempt(run, module.params, carrier)
    except FailedError as error:
        module.fail_json(**told(error.as_return()), observed_at=carrier.now())
    finally:
        cluster.close()
    module.exit_json(**{**told(result.as_return()), **result.kept}, observed_at=carrier.now())
