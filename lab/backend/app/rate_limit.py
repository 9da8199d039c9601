"""The rate limiter, the only user of Redis. When Redis fails, requests pass.

The calls block the worker's event loop, as the real ones do: a Redis that hangs holds up
every request of the worker for the time-out of each limited one.
"""

import time
from collections import Counter

import redis

from app.saying import say
from app.settings import BURST_LIMIT, BURST_WINDOW, RATE_LIMIT_FALLBACK, REDIS_TIMEOUT, REDIS_URL

EXEMPT = ("/health", "/api/v1/health", "/metrics")

_client = redis.Redis.from_url(REDIS_URL, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT)
_memory: Counter = Counter()


def allows(path: str, address: str) -> bool:
    if path.startswith(EXEMPT):
        return True
    key = f"burst:{address}:{int(time.time()) // BURST_WINDOW}"
    try:
        count = _client.incr(key)
        if count == 1:
            _client.expire(key, 2 * BURST_WINDOW)
    except redis.RedisError as error:
        say(f"Redis burst check failed: {error}")
        if not RATE_LIMIT_FALLBACK:
            return True
        _forget_old_windows(key.rpartition(":")[2])
        _memory[key] += 1
        count = _memory[key]
    return count <= BURST_LIMIT


def state() -> dict:
    """For the health answer of a backend that shows it."""
    try:
        _client.ping()
        _client.set("health:probe", "1", ex=60)
    except redis.RedisError as error:
        return {"status": "fallback", "fallback": "memory", "error": str(error)}
    return {"status": "healthy"}


def _forget_old_windows(now: str) -> None:
    for key in [key for key in _memory if not key.endswith(f":{now}")]:
        del _memory[key]
