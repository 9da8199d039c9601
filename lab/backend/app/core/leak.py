"""A pool that loses its connections, on demand: the fault `database-pool-leak` sends SIGUSR2 to each worker.

What is lost is the pool's count: it believes that all are in use, and the server has no session that could
be ended.
"""

import signal
import threading

from app.core.database import engine
from app.saying import say

_lost = []


def listen() -> None:
    signal.signal(signal.SIGUSR2, lambda *_: threading.Thread(target=_leak, daemon=True).start())


def _leak() -> None:
    pool = engine.pool
    while pool.checkedout() < pool.size() + pool._max_overflow:
        connection = engine.raw_connection()
        connection.dbapi_connection.close()
        _lost.append(connection)
    say(f"pool leaked: {pool.status()}")
