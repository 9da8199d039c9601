"""Which faults are in force, and the configuration that they left behind."""

from saveit_lab import faults, places, record
from saveit_lab.errors import LabError
from saveit_lab.fault import Fault
from saveit_lab.waiting import until

PATIENCE = 60  # seconds until a fault has to be seen


def services() -> set[str]:
    """The services that a fault was brought upon since the last repair."""
    return {faults.find(name).service for name in record.load().faults}


def bring(fault: Fault) -> None:
    """Return when the fault is in force, as seen from outside."""
    record.add_fault(fault.name)  # before the damage, so that repair knows of a half-done one
    fault.inject()
    if not until(fault.holds, PATIENCE):
        raise LabError(
            f"cannot bring about {fault.name}: it is not seen within {PATIENCE} s; run `lab repair`"
        )


def clear() -> None:
    for file in places.FAULTY.glob("*/*.conf"):
        if file.read_text(encoding="utf-8"):
            places.write(file, "")
    record.clear_faults()
