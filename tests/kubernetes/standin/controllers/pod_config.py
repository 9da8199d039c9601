"""What a container needs from ConfigMaps and Secrets, and what of it is not there."""

from __future__ import annotations

from standin.controllers.pod_status import PodStatus
from standin.kinds import Json


def missing_config(status: PodStatus, container: Json) -> str:
    """The kubelet's sentence, empty when everything is there."""
    for source in container.get("envFrom", []):
        for key, resource in (("configMapRef", "configmap"), ("secretRef", "secret")):
            wanted = source.get(key)
            if wanted and not wanted.get("optional") and _get(status, resource, wanted["name"]) is None:
                return f'{resource} "{wanted["name"]}" not found'
    for variable in container.get("env", []):
        sources = variable.get("valueFrom") or {}
        for key, resource, kind in (
            ("configMapKeyRef", "configmap", "ConfigMap"),
            ("secretKeyRef", "secret", "Secret"),
        ):
            wanted = sources.get(key)
            if not wanted or wanted.get("optional"):
                continue
            found = _get(status, resource, wanted["name"])
            if found is None:
                return f'{resource} "{wanted["name"]}" not found'
            if wanted["key"] not in (found.get("data") or {}):
                return f"couldn't find key {wanted['key']} in {kind} {status.namespace}/{wanted['name']}"
    return ""


def missing_volume(status: PodStatus) -> str:
    """Why a volume cannot be set up; empty when all can."""
    for volume in status.spec.get("volumes", []):
        for key, resource, field in (("configMap", "configmap", "name"), ("secret", "secret", "secretName")):
            wanted = volume.get(key)
            if wanted and not wanted.get("optional") and _get(status, resource, wanted[field]) is None:
                what = f'{resource} "{wanted[field]}" not found'
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {what}'
    return ""


def _get(status: PodStatus, resource: str, name: str) -> Json | None:
    return status.world.store.get(f"{resource}s", status.namespace, name)
