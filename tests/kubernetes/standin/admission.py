"""What is refused between validation and storing: by a quota, and what is not played."""

from __future__ import annotations

from collections.abc import Mapping

from standin.answers import RefusalError, names, not_played
from standin.kinds import Json, Kind
from standin.quantity import amount, written
from standin.world import World


def admit(world: World, kind: Kind, body: Json) -> None:
    """Raises RefusalError: 403, exceeded quota; 501 for what is not played."""
    _check_played(kind, body)
    if kind.resource == "pods":
        _check_quotas(world, kind, body)


def admit_update(kind: Kind, after: Json) -> None:
    """As `admit`; a quota does not meet an update."""
    _check_played(kind, after)


def _check_played(kind: Kind, body: Json) -> None:
    """What would be taken and would then not happen as on a real cluster."""
    spec = body.get("spec") or {}
    if kind.group == "apps" and spec.get("minReadySeconds"):
        raise not_played(f"minReadySeconds of a {kind.kind}")
    if spec.get("volumeClaimTemplates"):
        raise not_played("volumeClaimTemplates")
    pod = spec if kind.resource == "pods" else (spec.get("template") or {}).get("spec") or {}
    if any("persistentVolumeClaim" in volume for volume in pod.get("volumes", [])):
        raise not_played("a volume of a PersistentVolumeClaim")


def demands(pod: Json) -> dict[str, float]:
    """What a pod counts for in a quota and on a node, by the resource's name."""
    found: dict[str, float] = {"pods": 1.0}
    for container in pod["spec"].get("containers", []):
        resources = container.get("resources", {})
        for kind in ("requests", "limits"):
            for name, value in (resources.get(kind) or {}).items():
                for key in (f"{kind}.{name}", *([name] if kind == "requests" else [])):
                    found[key] = found.get(key, 0.0) + amount(value)
    return found


def used(pods: list[Json], hard: Mapping[str, str]) -> dict[str, float]:
    """What the pods that have not ended use of a quota."""
    total = dict.fromkeys(hard, 0.0)
    for pod in pods:
        if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for name, value in demands(pod).items():
            if name in total:
                total[name] += value
    return total


def _check_quotas(world: World, kind: Kind, pod: Json) -> None:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    for quota in world.store.list("resourcequotas", namespace):
        hard = quota.get("spec", {}).get("hard", {})
        present, wanted = used(world.store.peek("pods", namespace), hard), demands(pod)
        quota_name = quota["metadata"]["name"]
        missing = [
            each
            for each in hard
            if each.partition(".")[0] in ("requests", "limits", "cpu", "memory") and each not in wanted
        ]
        if missing:
            listed = ",".join(
                f"{each} for: {','.join(c['name'] for c in pod['spec']['containers'])}"
                for each in sorted(missing)
            )
            raise _refused(kind, name, f"failed quota: {quota_name}: must specify {listed}")
        over = sorted(each for each in hard if present[each] + wanted.get(each, 0) > amount(hard[each]))
        if over:
            asked = ",".join(f"{each}={written(each, wanted.get(each, 0))}" for each in over)
            has = ",".join(f"{each}={written(each, present[each])}" for each in over)
            limit = ",".join(f"{each}={hard[each]}" for each in over)
            why = f"exceeded quota: {quota_name}, requested: {asked}, used: {has}, limited: {limit}"
            raise _refused(kind, name, why)


def _refused(kind: Kind, name: str, why: str) -> RefusalError:
    return RefusalError(403, f'{kind.resource} "{name}" is forbidden: {why}', details=names(kind, name))
