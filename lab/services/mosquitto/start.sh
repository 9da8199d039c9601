#!/bin/sh
# The broker, with its own configuration or that of the fault in force. Its key is root's, and the broker is not root.
set -e
install -D -o mosquitto -g mosquitto -m 400 /etc/broker/tls.key /run/mosquitto/tls.key
configuration=/etc/saveit-faulty-broker/fault.conf
[ -s "$configuration" ] || configuration=/etc/saveit/mosquitto.conf
exec mosquitto -c "$configuration"
