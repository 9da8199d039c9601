"""All faults. A new one is an entry in the file of its incident type, and a function that does the damage."""

from saveit_lab import (
    application_faults,
    certificate_faults,
    database_faults,
    mqtt_faults,
    redis_faults,
    resource_faults,
)
from saveit_lab.errors import LabError
from saveit_lab.fault import Fault

TABLE: tuple[Fault, ...] = (
    *redis_faults.FAULTS,
    *application_faults.FAULTS,
    *database_faults.FAULTS,
    *resource_faults.FAULTS,
    *certificate_faults.FAULTS,
    *mqtt_faults.FAULTS,
)


def find(name: str) -> Fault:
    for fault in TABLE:
        if fault.name == name:
            return fault
    raise LabError(f"cannot break {name!r}: there is no such fault; see `lab faults`")
