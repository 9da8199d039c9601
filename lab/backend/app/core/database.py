"""The engine with its pool, at the path that the runbook's one-liner imports."""

from sqlalchemy import create_engine, text

from app.settings import DATABASE_URL

engine = create_engine(DATABASE_URL, pool_size=10, max_overflow=20, pool_timeout=30, pool_pre_ping=True)


def check() -> None:
    """Raise unless the database answers."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def prepare() -> None:
    """Make the table, once, whichever worker comes first."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
        connection.execute(
            text("CREATE TABLE IF NOT EXISTS items (id serial PRIMARY KEY, name text NOT NULL)")
        )
        connection.execute(
            text(
                "INSERT INTO items (name) SELECT 'item ' || n FROM generate_series(1, 5) n"
                " WHERE NOT EXISTS (SELECT 1 FROM items)"
            )
        )


def items() -> list:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, name FROM items ORDER BY id LIMIT 100"))
        return [{"id": row.id, "name": row.name} for row in rows]
