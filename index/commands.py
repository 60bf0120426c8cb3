"""What every command line of Byline shares: errors in one line, JSON on stdout alone, progress on stderr.

`sys.exit` codes: 0 done, 2 the user can mend it, 1 our fault, 130 interrupted, 141 nobody reads the output any more.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from index.errors import BylineError

logger = logging.getLogger(__name__)


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and leave the process with its exit code; the last statement of a `__main__`.

    A `BylineError` or a wrong option becomes one line on stderr. So does an error nobody foresaw; `python -X dev`
    shows its traceback.

    Args:
        app: the commands.
        arguments: what follows the program's name; from the process where left out.
    """
    sys.exit(_exit_code(app, arguments))


def _exit_code(app: typer.Typer, arguments: Sequence[str] | None) -> int:
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except BylineError as exc:
        return _complain(str(exc), exc.exit_code)
    except typer.TyperException as exc:
        return _complain(exc.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("Interrupted.", 130)
    except BrokenPipeError:
        # `... | head` closed its end; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as exc:
        if sys.flags.dev_mode:
            raise
        logger.debug("unforeseen error", exc_info=exc)
        return _complain(
            f"Unexpected {type(exc).__name__}: {exc} (a fault of Byline; `python -X dev -m ...` shows where)", 1
        )
    if code == 130:  # what Typer makes of Ctrl-C
        return _complain("Interrupted.", 130)
    return code if isinstance(code, int) else 0


def _complain(message: str, code: int) -> int:
    sys.stderr.write(" ".join(message.split()) + "\n")
    return code


def write_json(value: dict[str, Any]) -> None:
    """Write one JSON object, and nothing else, on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


class _Rate(ProgressColumn):
    """How many are done in a second, of late."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while work goes on; yields `on_progress(done, total)`.

    Nothing is drawn where stderr is not a terminal.
    """
    console = Console(stderr=True)
    left = (MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *left,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(description, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
