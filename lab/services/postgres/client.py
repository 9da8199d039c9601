"""Another client of the database, that takes what it should leave: sessions, or a lock."""

import os
import sys
import time

import psycopg2

OTHERS = """
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND state = 'idle' AND application_name <> 'lab-report'
    ORDER BY backend_start
"""
held = []


def connect(name: str):
    """Over TCP, as another host's client would."""
    connection = psycopg2.connect(
        host="127.0.0.1",
        dbname=os.environ["POSTGRES_DB"],
        user="saveit",
        password=os.environ["POSTGRES_PASSWORD"],
        application_name=name,
    )
    connection.autocommit = True
    return connection


def fill() -> None:
    while True:
        try:
            held.append(connect("lab-report"))
        except psycopg2.OperationalError:
            return


def take_slots() -> None:
    """All that are free, and those of half of the others' pooled sessions."""
    fill()
    with held[0].cursor() as cursor:
        cursor.execute(OTHERS)
        pids = [row[0] for row in cursor.fetchall()]
        for pid in pids[: (len(pids) + 1) // 2]:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    for _ in range(20):
        fill()
        time.sleep(0.05)


def take_lock() -> None:
    connection = connect("lab-migration")
    connection.autocommit = False
    connection.cursor().execute("LOCK TABLE items IN ACCESS EXCLUSIVE MODE")
    held.append(connection)


{"slots": take_slots, "locks": take_lock}[sys.argv[1]]()
while True:
    time.sleep(3600)
