"""What can be done to any service's container from outside."""

from saveit_lab import docker


def stop(service: str) -> None:
    docker.must(f"stop {service}", "stop", "--time", "3", docker.container(service))


def kill(service: str) -> None:
    docker.must(f"kill {service}", "kill", docker.container(service))


def pause(service: str) -> None:
    docker.must(f"pause {service}", "pause", docker.container(service))


def send(service: str, signal: str) -> None:
    """A signal to the main process of the container."""
    docker.must(f"send SIG{signal} to {service}", "kill", "--signal", signal, docker.container(service))


def restart(service: str) -> None:
    docker.must(f"restart {service}", "restart", "--time", "3", docker.container(service))


def is_in(service: str, state: str) -> bool:
    return docker.state(service) == state
