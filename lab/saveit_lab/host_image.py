"""An image without a registry: the packages that are installed on this Debian machine.

The dependency closure of the wanted packages, their files as `dpkg -L` lists them, as a tar
stream into `docker import`.
"""

import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from typing import IO, cast

from saveit_lab import places
from saveit_lab.commands import act
from saveit_lab.errors import LabError

FIELDS = "${Package}\t${Essential}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
# A third of a gigabyte that nothing here uses: PostgreSQL's JIT, the time zones of Prometheus' web page.
LEFT_OUT = frozenset({"libllvm14", "libjs-moment-timezone", "locales"})
NOT_NEEDED = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/")
MERGED = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}


def closure(table: str, wanted: Iterable[str]) -> list[str]:
    """The wanted and the essential packages, with all that they depend on.

    `table` is what dpkg-query says with FIELDS. Of alternatives the first installed one is taken.
    """
    depends: dict[str, str] = {}
    provider: dict[str, str] = {}
    todo = list(wanted)
    for line in table.splitlines():
        name, essential, provides, needs = line.split("\t")
        depends[name] = needs
        for virtual in _names(provides.replace(",", "|")):
            provider.setdefault(virtual, name)
        if essential == "yes":
            todo.append(name)
    taken: set[str] = set()
    while todo:
        name = todo.pop()
        name = name if name in depends else provider.get(name, name)
        if name in taken or name not in depends or name in LEFT_OUT:
            continue
        taken.add(name)
        for clause in depends[name].split(","):
            installed = [each for each in _names(clause) if each in depends or each in provider]
            todo += installed[:1]
    return sorted(taken)


def make(tag: str, wanted: Sequence[str]) -> None:
    """Import the image; every path is written once, for a duplicate makes the import fail."""
    table = act("list the installed packages", "dpkg-query", "-W", "-f", FIELDS).output
    packages = closure(table, wanted)
    listing = act("list the files of the packages", "dpkg", "-L", *packages).output
    command = ["docker", "import", "-", tag]
    importing = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    with suppress(BrokenPipeError):  # the import has ended early, and says why
        _write(cast("IO[bytes]", importing.stdin), _files(listing))
    _, complaint = importing.communicate()
    if importing.returncode != 0:
        why = complaint.decode(errors="replace").strip()
        raise LabError(f"cannot import the image {tag} from this machine's packages: {why}")


def _names(clause: str) -> list[str]:
    """`a (>= 1) | b:any` names a and b."""
    return [name for name in (re.split(r"[\s(:]", each.strip())[0] for each in clause.split("|")) if name]


def _files(listing: str) -> Iterator[str]:
    """The real places of the listed files, /bin/sh as /usr/bin/sh; directories before what is in them."""
    real: dict[str, str] = {}
    paths = set()
    for path in filter(lambda line: line.startswith("/") and line != "/.", listing.splitlines()):
        folder, name = os.path.split(path)
        if folder not in real:
            real[folder] = os.path.realpath(folder)
        paths.add(os.path.join(real[folder], name))
    return (
        path
        for path in sorted(paths)
        if path.lstrip("/") not in MERGED and not path.startswith(NOT_NEEDED) and os.path.lexists(path)
    )


def _write(stream: IO[bytes], files: Iterable[str]) -> None:
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in files:
            tar.add(path, arcname=path.lstrip("/"), recursive=False)
        for name, target in MERGED.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name in ("passwd", "group"):  # written by maintainer scripts, so in no package
            _add_text(tar, f"etc/{name}", (places.IMAGE / name).read_text(encoding="utf-8"))


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, BytesIO(content))
