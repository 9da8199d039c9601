"""A process that writes to a journal until it is killed; each event that is on disk is told on stdout.

`writer.py SPOOL INCIDENT COUNT [BYTES]`, with SAVEIT_JOURNAL: no file may grow beyond BYTES.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from saveit_remediate.errors import RemediateError
from saveit_remediate.journal import open_journal


def main(spool: str, incident: str, count: str, limit: str = "") -> None:
    with closing(open_journal(os.environ["SAVEIT_JOURNAL"], "", Path(spool))) as journal:
        if limit:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        for number in range(int(count)):
            try:
                journal.append(incident, "event", {"n": number}, datetime.now(UTC))
            except RemediateError as error:
                sys.exit(str(error))
            print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
