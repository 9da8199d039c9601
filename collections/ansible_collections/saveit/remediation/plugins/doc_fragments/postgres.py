# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules that talk to PostgreSQL: where the server is, and how to log in."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation that the postgres modules share."""

    DOCUMENTATION = r"""
options:
  service:
    description: The service that runs PostgreSQL, by the name that runbooks use.
    type: str
    default: postgres
  database:
    description: The database to log in to.
    type: str
    default: saveit
  login_host:
    description: Connect to this address from the controller instead of running C(psql) in the container.
    type: str
    default: ""
  login_port:
    description: The port of PostgreSQL.
    type: int
    default: 5432
  login_user:
    description:
      - The role to log in as.
      - It needs C(pg_read_all_stats) to see the state of others' sessions, and C(pg_signal_backend) to end
        them.
    type: str
    default: saveit
  login_password:
    description: The password of O(login_user), with O(login_host) only.
    type: str
    default: ""
  password_variable:
    description:
      - The variable of the container's environment that holds the password, where C(psql) needs one there.
      - The password itself stays in the container.
    type: str
    default: ""
  reserved_user:
    description:
      - The role that gets the reserved slots, tried when no other slot is left.
      - With O(login_host) it logs in with O(login_password) too; without it, C(.pgpass) may hold both.
    type: str
    default: ""
  ssl_mode:
    description: How to use TLS with O(login_host), in the words of libpq.
    type: str
    choices: [disable, allow, prefer, require, verify-ca, verify-full]
    default: prefer
  ca_file:
    description: The CA certificate to verify the server with, on the controller, with O(login_host).
    type: path
    default: ""
  timeout_seconds:
    description: How long one statement may take, together with its connection.
    type: float
    default: 4
requirements:
  - In the container, the commands C(psql), C(env) and C(timeout).
  - On the controller, the Python library C(psycopg) version 3, with O(login_host) only.
notes:
  - PostgreSQL 12 to 17. The server's messages have to be English for a refusal to be told apart.
"""
