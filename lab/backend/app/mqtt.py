"""The subscriber, and the broker when it is embedded."""

import subprocess
import threading
import time

import paho.mqtt.client as mqtt

from app.metrics import MESSAGES
from app.saying import say
from app.settings import MQTT_BROKER_HOST, MQTT_BROKER_PORT

BROKER = "/etc/saveit/start.sh"  # ends as the broker itself
LONGEST_PAUSE = 300  # seconds


def start_broker() -> subprocess.Popen:
    """A process of its own beside the web server: it can die while HTTP still answers."""
    return subprocess.Popen(["sh", BROKER])


def start_subscriber() -> None:
    threading.Thread(target=_subscribe_for_ever, name="mqtt subscriber", daemon=True).start()


def broker_answers() -> bool:
    """Whether the broker accepts a connection, in MQTT and not just in TCP."""
    accepted = threading.Event()
    client = mqtt.Client()
    client.on_connect = lambda _client, _data, _flags, code: code == 0 and accepted.set()
    try:
        client.connect(MQTT_BROKER_HOST, MQTT_BROKER_PORT)
    except OSError:
        return False
    client.loop_start()
    answered = accepted.wait(1)
    client.disconnect()
    client.loop_stop()
    return answered


def _subscribe_for_ever() -> None:
    failures = 0
    while True:
        began = time.monotonic()
        try:
            _subscribe()
        except OSError as error:
            say(f"MQTT Subscriber error: {error}")
        failures = 1 if time.monotonic() - began > 10 else failures + 1
        pause = min(2**failures, LONGEST_PAUSE)
        say(f"MQTT Subscriber reconnecting in {pause} seconds...")
        time.sleep(pause)


def _subscribe() -> None:
    """Return or raise when the connection is lost."""
    client = mqtt.Client()
    client.on_connect = lambda client, _data, _flags, _code: client.subscribe("saveit/#")
    client.on_message = lambda _client, _data, _message: MESSAGES.inc()
    client.connect(MQTT_BROKER_HOST, MQTT_BROKER_PORT, keepalive=15)
    code = mqtt.MQTT_ERR_SUCCESS
    while code == mqtt.MQTT_ERR_SUCCESS:
        code = client.loop(timeout=1)
    raise ConnectionError(mqtt.error_string(code))
