#!/bin/sh
# Redis as its own user, which therefore cannot write where it must not.
set -e
chown redis:redis /data
exec setpriv --reuid=redis --regid=redis --clear-groups redis-server /etc/saveit/redis.conf
