# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""incident_host: `add_host` with the variables of another host, see the module of the same name."""

from __future__ import annotations

import time
from typing import Any, Mapping

from ansible.errors import AnsibleError
from ansible.plugins.action.add_host import ActionModule as AddHost

# What Ansible itself says of a host or a play: true for the host that it is of, and for no other.
OF_ANSIBLE = frozenset(
    {
        "ansible_check_mode", "ansible_config_file", "ansible_diff_mode", "ansible_facts", "ansible_forks",
        "ansible_inventory_sources", "ansible_limit", "ansible_play_batch", "ansible_play_hosts",
        "ansible_play_hosts_all", "ansible_play_name", "ansible_play_role_names", "ansible_playbook_python",
        "ansible_role_name", "ansible_role_names", "ansible_run_tags", "ansible_skip_tags",
        "ansible_verbosity", "ansible_version", "group_names", "groups", "hostvars", "inventory_dir",
        "inventory_file", "inventory_hostname", "inventory_hostname_short", "omit", "play_hosts",
        "playbook_dir", "role_name", "role_names", "role_path", "role_uuid",
    }
)  # fmt: skip
ARGUMENTS = {
    "host": {"type": "str", "required": True},
    "incident": {"type": "str", "required": True},
    "group": {"type": "str", "default": "remediation_looks"},
}


class ActionModule(AddHost):  # type: ignore[misc]  # ansible-core has no types
    """Add `incident@host`: the same connection and variables, in a group of its own."""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As add_host; raises AnsibleActionFail for arguments that it does not know."""
        _checked, given = self.validate_argument_spec(argument_spec=ARGUMENTS)
        host, hostvars = given["host"], (task_vars or {})["hostvars"]
        theirs = hostvars[host]
        variables = {name: _value(theirs, name) for name in theirs if name not in OF_ANSIBLE}
        self._task.args = {
            **{name: value for name, value in variables.items() if value is not None},
            "ansible_host": variables.get("ansible_host") or host,
            "incident_host_of": host,
            "incident_host_began": time.time(),
            "incident_host_type": given["incident"],
            "name": f"{given['incident']}@{host}",
            "groups": [given["group"]],
        }
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, "changed": False}  # a host of this run is no change of anything


def _value(variables: Mapping[str, Any], name: str) -> Any:
    """One variable, templated; None for one that cannot be, which whoever needs it will miss by name."""
    try:
        return variables[name]
    except AnsibleError:
        return None
