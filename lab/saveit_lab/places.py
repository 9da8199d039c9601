"""Where things are. The lab can be called from any folder, so nothing here is relative."""

from pathlib import Path

LAB = Path(__file__).resolve().parents[1]
REPOSITORY = LAB.parent
IMAGE = LAB / "image"

STATE = REPOSITORY / ".lab"
CERTIFICATES = STATE / "certificates"
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
    for folder in (STATE, CERTIFICATES, DOCKER_CONFIG, FAULTY, FAULTY / "redis"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    redis = FAULTY / "redis" / "fault.conf"
    if not redis.exists():
        write(redis, "")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a whole file or nothing, so that a killed lab leaves no half of one."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.chmod(mode)
    new.replace(path)
