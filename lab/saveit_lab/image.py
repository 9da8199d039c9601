"""The one image that all services run, tagged with a digest of its recipe."""

import hashlib

from saveit_lab import debian, docker, host_image, places
from saveit_lab.commands import look
from saveit_lab.errors import LabError

REPOSITORY = "saveit-lab"
CURRENT = f"{REPOSITORY}:current"  # the name in compose.yml
BASE = "debian:bookworm-slim"


def ensure() -> None:
    """Make the image unless it is there, and give it the name that compose.yml uses."""
    tag = f"{REPOSITORY}:{_digest()}"
    if not docker.docker("image", "inspect", tag).ok:
        obstacle = _from_registry(tag)
        if obstacle:
            print(f"No image from a registry ({obstacle}): taking this machine's packages.", flush=True)
            _from_host(tag, obstacle)
    docker.must("name the image", "tag", tag, CURRENT)


def packages() -> list[str]:
    lines = (places.IMAGE / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def tidy() -> None:
    """Remove the images of older recipes, which no container runs any more."""
    listed = docker.must("list the images", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY)
    for other in set(listed.output.split()) - {f"{REPOSITORY}:{_digest()}", CURRENT}:
        docker.docker("image", "rm", other)


def _digest() -> str:
    digest = hashlib.sha256()
    for path in (*sorted(places.IMAGE.iterdir()), places.LAB / "saveit_lab" / "host_image.py"):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _from_registry(tag: str) -> str:
    """What stood in the way, or nothing."""
    if not docker.docker("image", "inspect", BASE).ok:
        pulled = look("docker", "pull", "-q", BASE, timeout=20)
        if not pulled.ok:
            return f"{BASE}: {pulled.complaint}"
    print(f"Building the image on {BASE}.", flush=True)
    built = look("docker", "build", "-q", "-t", tag, str(places.IMAGE), timeout=600)
    return "" if built.ok else f"the build failed: {built.complaint}"


def _from_host(tag: str, obstacle: str) -> None:
    try:
        debian.install(packages(), "what the image is made of")
    except LabError as error:
        raise LabError(f"cannot make the image: no registry ({obstacle}), and {error}") from None
    host_image.make(tag, packages())
