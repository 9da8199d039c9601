"""The edge: every error becomes one sentence on stderr and an exit code, here and nowhere else."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from saveit_remediate.cli.command import PROGRAM, cli
from saveit_remediate.errors import InterruptedRunError, RemediateError, UsageError

_REPORT_TO = "please report it with this sentence and the output of -v to the maintainers of saveit-remediate"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with the code of the README's table."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """The exit code. Nothing that a user or an environment can cause ends in a traceback."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _as_interrupt)
    try:
        code = cli.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", InterruptedRunError.exit_code)
    except click.ClickException as error:
        return _say(_click_sentence(error), UsageError.exit_code)
    except RemediateError as error:
        return _say(str(error), error.exit_code)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        from saveit_remediate.report.screen import silence_stdout

        silence_stdout()
        return 0
    except (
        Exception
    ) as error:  # a defect of ours: say so, rather than show a traceback at three in the morning
        return _defect(error, arguments)
    return int(code or 0)


def _as_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(sentence: str, code: int) -> int:
    from saveit_remediate.report.text import clean

    click.echo(f"{PROGRAM}: {clean(sentence)}", err=True)
    return code


def _click_sentence(error: click.ClickException) -> str:
    return f"{error.format_message()} ({PROGRAM} --help lists what there is)"


def _defect(error: Exception, arguments: list[str]) -> int:
    if any(word == "--verbose" or (word[:2] == "-v" and set(word[1:]) == {"v"}) for word in arguments):
        import traceback

        from saveit_remediate.redact import redact

        click.echo(redact("".join(traceback.format_exception(error))), err=True)
    return _say(f"a defect of ours: {type(error).__name__}: {error}; {_REPORT_TO}", 1)
