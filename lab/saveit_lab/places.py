"""Where things are. The lab can be called from any folder, so nothing here is relative."""

from pathlib import Path

LAB = Path(__file__).resolve().parents[1]
REPOSITORY = LAB.parent
IMAGE = LAB / "image"

STATE = REPOSITORY / ".lab"
BROKER = STATE / "broker"  # certificate and key of the MQTT broker, by an authority of their own
CERTIFICATES = STATE / "certificates"
ACCOUNTS = CERTIFICATES / "accounts"  # of the client of the ACME server
DOCKER_CONFIG = STATE / "docker-config"
ENGINE_LOG = STATE / "dockerd.log"
ENGINE_PID = STATE / "dockerd.pid"
FAULTY = STATE / "faulty"  # configuration that faults add to a service, mounted in its container
LOCK = STATE / "lock"
RECORD = STATE / "record.json"
SECRETS = STATE / "secrets.env"
SSH = STATE / "ssh"


def prepare() -> None:
    """Make the folders. Containers read some of them as another user, whatever the umask is."""
    faulty = [FAULTY / service for service in ("backend", "mosquitto", "postgres", "redis")]
    for folder in (STATE, BROKER, CERTIFICATES, ACCOUNTS, DOCKER_CONFIG, FAULTY, *faulty):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    for service in ("postgres", "redis"):
        if not (FAULTY / service / "fault.conf").exists():
            write(FAULTY / service / "fault.conf", "")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a whole file or nothing, so that a killed lab leaves no half of one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)
