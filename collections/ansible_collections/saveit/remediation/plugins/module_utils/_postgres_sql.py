# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SQL that we say to PostgreSQL 12 to 17, the same through `psql` and through a connection of our own.

Each text is one statement with one JSON document as its answer. What a person chose (users, limits) goes
in as one JSON literal, whose quoting nothing in it can end, and psql replaces no variable inside a quoted
literal.
Views and columns: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
"""

from __future__ import annotations

import json
from typing import Any, Mapping

# `reserved_connections` exists from PostgreSQL 16 on; the second argument makes an unknown setting null.
# A role without pg_read_all_stats sees neither state nor backend_type of others' sessions: both are null.
# `seconds` is since state_change. query_start says when the last query began, which is not idleness.
_SESSIONS = """
  SELECT
    s.pid, s.datname AS database, s.usename AS "user", s.application_name AS application,
    coalesce(host(s.client_addr), s.client_hostname, 'local') AS client, s.state, s.backend_type,
    s.state_change, s.backend_start,
    round(greatest(extract(epoch FROM clock_timestamp() - s.state_change), 0)::numeric, 3) AS seconds,
    round(greatest(extract(epoch FROM clock_timestamp() - s.query_start), 0)::numeric, 3) AS query_seconds,
    s.wait_event_type = 'Lock' AS waiting,
    CASE WHEN s.wait_event_type = 'Lock' THEN pg_blocking_pids(s.pid) ELSE '{}' END AS blocked_by,
    CASE WHEN s.state = 'active' THEN left(s.query, 2000) END AS query
  FROM pg_stat_activity s
  WHERE s.pid <> pg_backend_pid()
    AND (s.backend_type = 'client backend' OR (s.backend_type IS NULL AND s.datname IS NOT NULL))
"""

_ABOUT = """
  json_build_object(
    'version', current_setting('server_version_num')::integer,
    'max_connections', current_setting('max_connections')::integer,
    'superuser_reserved', current_setting('superuser_reserved_connections')::integer,
    'reserved', coalesce(current_setting('reserved_connections', true), '0')::integer,
    'in_recovery', pg_is_in_recovery(),
    'read_only', current_setting('transaction_read_only') = 'on',
    'user', current_user,
    'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    'may_signal', pg_has_role(current_user, 'pg_signal_backend', 'USAGE'),
    'may_read', pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
  )
"""

INFO = f"""
WITH sessions AS MATERIALIZED ({_SESSIONS})
SELECT json_build_object(
  'about', {_ABOUT},
  'sessions', coalesce((SELECT json_agg(row_to_json(s)) FROM sessions s), '[]'),
  'milliseconds', round(extract(epoch FROM clock_timestamp() - statement_timestamp())::numeric * 1000, 3)
);
"""  # noqa: S608 - parts of our own

# Decides and acts in one statement. What is chosen was read when the statement began; so each session is
# read once more in the moment before it is ended, and let live when it is not in the very same state since
# the very same time.
# Superusers' sessions can be ended by superusers only; others by a member of the session's role, or of
# pg_signal_backend. Asking for one that we may not end would fail the whole statement, so those are not
# chosen.
_CLEANUP = f"""
WITH given AS MATERIALIZED (SELECT $saveit$__GIVEN__$saveit$::jsonb AS _),
sessions AS MATERIALIZED ({_SESSIONS}),
slots AS MATERIALIZED (
  SELECT count(*) AS used, CASE
    WHEN jsonb_typeof(_ -> 'target_used_percent') = 'number' THEN greatest(0, count(*) - floor(
      current_setting('max_connections')::numeric * (_ ->> 'target_used_percent')::numeric / 100))
    ELSE count(*) END AS to_free
  FROM given LEFT JOIN sessions ON true GROUP BY _
),
candidates AS MATERIALIZED (
  SELECT s.*, me.rolsuper OR (NOT them.rolsuper AND (
      pg_has_role(current_user, 'pg_signal_backend', 'USAGE') OR pg_has_role(current_user, them.oid, 'USAGE')
    )) AS may_end
  FROM given, sessions s
    JOIN pg_roles them ON them.rolname = s."user"
    JOIN pg_roles me ON me.rolname = current_user
  WHERE s.database = current_database()
    AND s.backend_type = 'client backend'
    AND NOT _ -> 'exclude_users' ? s."user"
    AND NOT _ -> 'exclude_applications' ? s.application
    AND NOT s.application = _ ->> 'own_application'
    AND (
      (s.state = 'idle' AND s.seconds >= (_ ->> 'idle_minutes')::numeric * 60)
      OR (
        s.state IN ('idle in transaction', 'idle in transaction (aborted)')
        AND jsonb_typeof(_ -> 'idle_in_transaction_minutes') = 'number'
        AND s.seconds >= (_ ->> 'idle_in_transaction_minutes')::numeric * 60
      )
    )
    AND (
      NOT (_ ->> 'only_blocking')::boolean
      OR EXISTS (SELECT FROM sessions w WHERE w.waiting AND s.pid = ANY (w.blocked_by))
    )
),
chosen AS MATERIALIZED (
  SELECT * FROM candidates WHERE may_end ORDER BY state_change LIMIT (SELECT to_free FROM slots)
),
ended AS MATERIALIZED (
  __END__
)
SELECT json_build_object(
  'about', {_ABOUT},
  'sessions', coalesce((SELECT json_agg(row_to_json(s)) FROM sessions s), '[]'),
  'to_free', (SELECT to_free FROM slots),
  'not_permitted',
  coalesce((SELECT json_agg(pid ORDER BY state_change) FROM candidates WHERE NOT may_end), '[]'),
  'chosen', coalesce((SELECT json_agg(json_build_object('pid', pid, 'ended', ended) ORDER BY state_change)
    FROM ended), '[]')
);
"""  # noqa: S608 - parts of our own

_SHOW = "SELECT pid, state_change, NULL::boolean AS ended FROM chosen"
_TERMINATE = """
  SELECT c.pid, c.state_change, pg_terminate_backend(c.pid) AS ended
  FROM chosen c
    CROSS JOIN LATERAL (SELECT pg_stat_clear_snapshot() AS cleared, c.pid AS pid OFFSET 0) fresh
    CROSS JOIN LATERAL (SELECT * FROM pg_stat_get_activity(fresh.pid) OFFSET 0) again
  WHERE again.state = c.state AND again.state_change = c.state_change
    AND again.backend_start = c.backend_start
"""


def cleanup(given: Mapping[str, Any], terminates: bool) -> str:
    """The statement that chooses sessions and, when it `terminates`, ends them; without, it has no such
    word."""
    # In JSON `$` can be written \u0024, so that no text of a person can end the dollar-quoted literal.
    literal = json.dumps(given).replace("$", "\\u0024")
    return _CLEANUP.replace("__GIVEN__", literal).replace("__END__", _TERMINATE if terminates else _SHOW)
