# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of every module that records a temporary change on the target."""

from __future__ import annotations


class ModuleDocFragment:
    """The first part is of all of them, the second of those that make the change."""

    DOCUMENTATION = r"""
options:
  holder:
    description: Who we are, for the record; by default the user and the host.
    type: str
    default: ""
  incident:
    description: The id of the incident in the journal, for the record.
    type: str
    default: ""
  interlock_folder:
    description:
      - With O(platform=compose), the folder on the host in which it is recorded, see
        M(saveit.remediation.interlock).
    type: str
    default: ""
"""

    CHANGING = r"""
options:
  record:
    description:
      - Record the change on the target before it is made, with the old value, who made it, why, and when it
        expires; M(saveit.remediation.temporary_changes) lists it and puts it back.
      - When the record cannot be written, nothing is changed.
    type: bool
    default: true
  reason:
    description: Why, for the record.
    type: str
    default: ""
"""
