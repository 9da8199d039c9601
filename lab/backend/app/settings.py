"""What the environment says. The defaults are the backend as it is deployed."""

import os

DATABASE_URL = os.environ["DATABASE_URL"]
REDIS_URL = os.environ["REDIS_URL"]
REDIS_TIMEOUT = float(os.environ.get("REDIS_TIMEOUT", "2"))
MQTT_BROKER_HOST = os.environ.get("MQTT_BROKER_HOST", "mosquitto")
MQTT_BROKER_PORT = int(os.environ.get("MQTT_BROKER_PORT", "1883"))
WORKERS = int(os.environ.get("WORKERS", "4"))

# What the runbook describes and the deployed backend does not do.
MQTT_EMBEDDED = os.environ.get("MQTT_EMBEDDED") == "1"
RATE_LIMIT_FALLBACK = os.environ.get("RATE_LIMIT_FALLBACK") == "memory"
COUNT_REQUESTS = os.environ.get("COUNT_REQUESTS") == "1"

BURST_LIMIT = 1000
BURST_WINDOW = 10  # seconds
