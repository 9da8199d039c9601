"""The subresource log: what a container wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from standin.answers import bad_request, invalid, not_found
from standin.kinds import Json
from standin.pod_validation import invalid_value
from standin.requests import Request, Target
from standin.validation import NOT_NEGATIVE
from standin.world import Run, World


def log(world: World, request: Request, target: Target) -> str:
    """The text of the answer.

    Raises:
        RefusalError: 404 without the pod, 400 for a container that has not started, 422 for a bad option.
    """
    query = request.query
    pod = world.store.get("pods", target.namespace, target.name)
    if pod is None:
        raise not_found(target.kind, target.name)
    _check_options(target.name, query)
    container = container_of(pod, query.get("container", ""))
    run = _run(world, pod, container, previous=request.switch("previous"))
    lines = run.lines
    if "sinceSeconds" in query:
        lines = _since(lines, datetime.now(UTC) - timedelta(seconds=int(query["sinceSeconds"])))
    if "sinceTime" in query:
        lines = _since(lines, datetime.fromisoformat(query["sinceTime"]))
    if "tailLines" in query:
        lines = lines[len(lines) - min(len(lines), int(query["tailLines"])) :]
    stamped = request.switch("timestamps")
    text = "".join(f"{_nanoseconds(at)} {line}\n" if stamped else f"{line}\n" for at, line in lines)
    return (
        text.encode()[: int(query["limitBytes"])].decode(errors="ignore") if "limitBytes" in query else text
    )


def container_of(pod: Json, asked: str) -> str:
    """The name of the container that is meant."""
    name = pod["metadata"]["name"]
    spec = pod["spec"]
    main = [each["name"] for each in spec["containers"]]
    others = [each["name"] for key in ("initContainers", "ephemeralContainers") for each in spec.get(key, [])]
    if asked and asked not in (*main, *others):
        raise bad_request(f"container {asked} is not valid for pod {name}")
    if not asked and len(main) > 1:
        raise bad_request(
            f"a container name must be specified for pod {name}, choose one of: [{' '.join(main)}]"
        )
    return asked or str(main[0])


def _check_options(name: str, query: dict[str, str]) -> None:
    for option, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        if option not in query:
            continue
        try:
            value = int(query[option])
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{query[option]}": invalid syntax') from None
        if value < least:
            said = NOT_NEGATIVE if least == 0 else "must be greater than 0"
            raise invalid("PodLogOptions", name, "", "PodLogOptions", [invalid_value(option, value, said)])


def _run(world: World, pod: Json, container: str, *, previous: bool) -> Run:
    name = pod["metadata"]["name"]
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {name} does not have a host assigned")
    runs = world.runs.get((pod["metadata"]["uid"], container), [])
    statuses = [
        status
        for key in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for status in pod.get("status", {}).get(key, [])
    ]
    state: Json = next((each["state"] for each in statuses if each["name"] == container), {})
    if previous:  # between two lives the last one is already the previous one
        earlier = runs if "waiting" in state else runs[:-1]
        if not earlier:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        return earlier[-1]
    if not runs:
        reason = state.get("waiting", {}).get("reason", "ContainerCreating")
        why = {
            "ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image",
        }.get(reason, reason)  # fmt: skip
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')
    return runs[-1]


def _since(lines: list[tuple[datetime, str]], moment: datetime) -> list[tuple[datetime, str]]:
    return [row for row in lines if row[0] >= moment]


def _nanoseconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "977Z"
