#!/bin/sh
# PostgreSQL as the official image starts it: POSTGRES_USER becomes the superuser. Where that is not
# `saveit`, `saveit` becomes an ordinary role that owns the database.
set -e
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

mkdir -p "$PGDATA" /var/run/postgresql
chown postgres:postgres /var/lib/postgresql/data "$PGDATA" /var/run/postgresql

if [ ! -s "$PGDATA/lab-complete" ]; then
  rm -rf "${PGDATA:?}"/*
  echo "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  as_postgres initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=/tmp/password \
    --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  single() { as_postgres postgres --single -D "$PGDATA" postgres > /dev/null; }
  if [ "$POSTGRES_USER" != saveit ]; then
    echo "CREATE ROLE saveit LOGIN PASSWORD '$POSTGRES_PASSWORD'" | single
  fi
  echo "CREATE DATABASE $POSTGRES_DB OWNER saveit" | single
  echo yes > "$PGDATA/lab-complete"
fi

# The fault `database-wrong-password` marked a change of the password; it lasts for as long as the fault.
if [ -e "$PGDATA/lab-password" ] && [ ! -s /etc/saveit-faulty/fault.conf ]; then
  echo "ALTER ROLE saveit PASSWORD '$POSTGRES_PASSWORD'" |
    as_postgres postgres --single -D "$PGDATA" postgres > /dev/null
  rm "$PGDATA/lab-password"
fi

exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$PGDATA" \
  -c config_file=/etc/saveit/postgresql.conf -c data_directory="$PGDATA" \
  -c hba_file="$PGDATA/pg_hba.conf" -c ident_file="$PGDATA/pg_ident.conf"
