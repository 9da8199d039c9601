"""A pool that loses its connections, on demand: the fault `database-pool-leak` sends SIGUSR2 to each worker.

What is lost is the pool's count: it believes that all are in use, and the server has no session that could
be ended.
"""

import signal
import threading
import time

from sqlalchemy.exc import OperationalError

from app.core.database import engine
from app.saying import say

_lost = []


def listen() -> None:
    signal.signal(signal.SIGUSR2, lambda *_: threading.Thread(target=_leak, daemon=True).start())


def _leak() -> None:
    pool = engine.pool
    while pool.checkedout() < pool.size() + pool._max_overflow:
        try:
            connection = engine.raw_connection()
        except OperationalError:  # the server is slow to see that the ones before have ended: no slot is left
            time.sleep(0.2)
            continue
        connection.dbapi_connection.close()
        _lost.append(connection)
    say(f"pool leaked: {pool.status()}")
