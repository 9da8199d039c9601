"""The session that every worker keeps `idle in transaction`, as the real one does, on purpose."""

import select
import threading
import time

from sqlalchemy import text

from app.core.database import engine
from app.saying import say


def start() -> None:
    threading.Thread(target=_keep, name="pinned session", daemon=True).start()


def _keep() -> None:
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                # Readable means that the server has closed it; asking it would end its idleness.
                select.select([connection.connection.dbapi_connection.fileno()], [], [])
                connection.invalidate()
        except Exception as error:  # any trouble with the database ends in a new attempt
            say(f"Pinned session lost: {error}".splitlines()[0])
        time.sleep(5)
