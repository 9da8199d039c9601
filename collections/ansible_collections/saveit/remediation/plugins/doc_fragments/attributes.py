# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check mode, diff mode and the platform mean for our modules."""

from __future__ import annotations


class ModuleDocFragment:
    """A module extends this one, and adds how far it supports each attribute."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, in which it makes no write and says what it would do.
  diff_mode:
    description: Returns what changed, or would change in check mode, in diff mode.
  platform:
    description: The systems that it runs on.
    support: full
    platforms: posix
"""

    READS = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: It only reads, so it does the same in check mode.
  diff_mode:
    support: N/A
    details: It changes nothing.
"""
