# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: incident_types
short_description: The incident types of this collection
version_added: 0.2.0
description: Lists the roles of this collection that have a runbook, which is what makes an incident type.
author:
  - The saveit-remediate developers (@saveit)
options:
  _terms:
    description: Nothing.
"""

EXAMPLES = r"""
---
- name: Say which incident types there are
  ansible.builtin.debug:
    msg: "{{ query('saveit.remediation.incident_types') }}"
"""

RETURN = r"""
---
_raw:
  description: Their ids, sorted.
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase

ROLES = Path(__file__).resolve().parents[2] / "roles"


class LookupModule(LookupBase):  # type: ignore[misc]  # ansible-core has no types
    """The folders of roles that have a runbook."""

    def run(self, terms: Any, variables: Any = None, **kwargs: Any) -> list[str]:
        """The ids; the arguments are not used."""
        del terms, variables, kwargs
        return sorted(path.parent.parent.name for path in ROLES.glob("*/meta/runbook.yml"))
