"""Run pebble, an ACME server that makes a new authority at every start, and tell whom the lab trusts now.

It forgets its accounts, too, so its client has to: where the issuer says that the account does not exist,
certbot 2.1 on Python 3.11 ends with an AttributeError (https://github.com/certbot/certbot/issues/9539).
"""

import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

CERTIFICATES = Path("/etc/nginx/certs")
ACCOUNTS = CERTIFICATES / "accounts"  # of certbot, mounted there
ROOT = "https://localhost:15000/roots/0"
PATIENCE = 20  # seconds


def main() -> int:
    forget_accounts()
    server = subprocess.Popen(["pebble", "-config", "/etc/saveit/pebble.json"], env=os.environ)
    trust(fetch_root(server))
    return server.wait()


def forget_accounts() -> None:
    for left in ACCOUNTS.iterdir():
        shutil.rmtree(left)


def fetch_root(server: "subprocess.Popen[bytes]") -> bytes:
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.crt"))
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(ROOT, timeout=2, context=context) as answer:
                return bytes(answer.read())
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)


def trust(root: bytes) -> None:
    new = CERTIFICATES / "trusted.crt.new"
    new.write_bytes((CERTIFICATES / "ca.crt").read_bytes() + root)
    new.chmod(0o644)
    new.replace(CERTIFICATES / "trusted.crt")


if __name__ == "__main__":
    sys.exit(main())
