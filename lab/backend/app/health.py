"""The health endpoints with the blind spots of the real ones.

They are coroutines that call the database without awaiting, as the real ones do: a database that
hangs stops the worker's event loop, and after some probes /health/live hangs too.
"""

import os
import time
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from app import mqtt, rate_limit, trouble
from app.core import database
from app.saying import say
from app.settings import MQTT_BROKER_PORT, MQTT_EMBEDDED, RATE_LIMIT_FALLBACK

VERSION = "1.0.0"
router = APIRouter()


@router.get("/api/v1/health")
async def health() -> dict:
    """Always 200."""
    components: dict[str, Any] = {
        "api": {"status": "healthy"},
        "database": _database(),
        "mqtt_broker": _broker(),
    }
    if RATE_LIMIT_FALLBACK:
        components["redis"] = rate_limit.state()
    sick = components["database"]["status"] != "healthy"
    sick = sick or (RATE_LIMIT_FALLBACK and components["redis"]["status"] != "healthy")
    sick = sick or (MQTT_EMBEDDED and components["mqtt_broker"]["status"] != "running")
    return {
        "status": "degraded" if sick else "healthy",
        "timestamp": datetime.now(UTC).isoformat(),
        "version": VERSION,
        "components": components,
    }


@router.get("/api/v1/health/ready")
async def ready(response: Response) -> dict:
    state = _database()
    if trouble.not_ready:
        state = {"status": "unhealthy", "error": "a start-up task has not ended"}
    if state["status"] == "healthy":
        return {"status": "ready"}
    say(f"Readiness check failed: {state['error']}")
    response.status_code = 503
    return {"status": "not_ready"}


@router.get("/api/v1/health/live")
async def live() -> dict:
    return {"status": "alive"}


@router.get("/health/deep")
async def deep() -> dict:
    state = _database()
    return {
        "status": "healthy" if state["status"] == "healthy" else "degraded",
        "components": {"database": state, "resources": _resources()},
    }


@router.get("/health/database")
async def database_health(response: Response) -> dict:
    began = time.monotonic()
    state = _database()
    state["latency_ms"] = round((time.monotonic() - began) * 1000, 2)
    state["pool"] = database.engine.pool.status()
    if state["status"] != "healthy":
        response.status_code = 503
    return state


@router.get("/health/resources")
async def resources() -> dict:
    return {"status": "healthy", **_resources()}


def _database() -> dict:
    try:
        database.check()
    except SQLAlchemyError as error:
        return {"status": "unhealthy", "error": str(getattr(error, "orig", error)).strip()}
    return {"status": "healthy"}


def _broker() -> dict:
    """The deployed backend asks a broker that it does not have: always "stopped"."""
    running = MQTT_EMBEDDED and mqtt.broker_answers()
    return {
        "status": "running" if running else "stopped",
        "port": MQTT_BROKER_PORT,
        "connected_clients": 1 if running else 0,
    }


def _resources() -> dict:
    """The memory of the host, not of the container."""
    with open("/proc/meminfo", encoding="ascii") as file:
        amounts = {line.split(":")[0]: int(line.split()[1]) for line in file}
    total, available = amounts["MemTotal"], amounts["MemAvailable"]
    return {
        "memory_percent": round(100 * (total - available) / total, 1),
        "cpu_load": os.getloadavg()[0],
    }
