"""The application of one worker."""

import logging
import sys
import time

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from app import health, metrics, mqtt, rate_limit, strain
from app.core import database, leak, pinned

logger = logging.getLogger("app.requests")
_handler = logging.StreamHandler(sys.stdout)
_handler.setFormatter(logging.Formatter("%(asctime)s - %(levelname)s - %(message)s"))
logger.addHandler(_handler)
logger.setLevel(logging.INFO)

app = FastAPI(title="Save-It.AI")
app.include_router(health.router)
app.include_router(strain.router)


@app.on_event("startup")
def startup() -> None:
    """A worker that cannot reach its database at the start ends, and is started again for ever."""
    strain.listen()
    database.prepare()
    pinned.start()
    leak.listen()
    mqtt.start_subscriber()


@app.get("/api/v1/items")
async def items() -> list:
    return database.items()


@app.get("/metrics")
async def show_metrics() -> Response:
    return Response(metrics.text(), media_type="text/plain; version=0.0.4")


@app.middleware("http")
async def limit_and_log(request: Request, call_next):
    began = time.monotonic()
    path = request.url.path
    address = request.client.host if request.client else "-"
    if not rate_limit.allows(path, address):
        response: Response = JSONResponse({"detail": "Too many requests"}, status_code=429)
    else:
        try:
            response = await call_next(request)
        except Exception:  # the outermost edge: every fault becomes a 500
            logger.exception("Unhandled error")
            response = JSONResponse({"detail": "Internal server error"}, status_code=500)
    seconds = time.monotonic() - began
    metrics.count(request.method, response.status_code, seconds)
    _log(request.method, path, response.status_code, seconds, address)
    return response


def _log(method: str, path: str, status: int, seconds: float, address: str) -> None:
    line = f"{method} {path} [{status}] {seconds * 1000:.2f}ms IP:{address}"
    if status >= 500:
        logger.error("✗ %s", line)
    elif status >= 400:
        logger.warning("⚠ %s", line)
    else:
        logger.info("✓ %s", line)
