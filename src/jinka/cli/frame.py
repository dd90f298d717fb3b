"""What every command shares: where data and messages go, what an error looks like, and the exit codes.

A command is a function that returns its exit code (None means 0) and is wrapped in `command`. Nothing is animated
unless standard error is a terminal, and nothing is coloured when NO_COLOR is set (Rich sees to the latter).
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from jinka.kit import JinkaError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from jinka.app import Progress

EXIT_CODES = {
    0: "ok",
    1: "failure",
    2: "usage",
    3: "not found",
    4: "refused by a rule",
    6: "findings present",
    130: "interrupted",
    141: "output closed",
}
Json = Annotated[bool, typer.Option("--json", help="Print the data as JSON.")]
_ALWAYS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON, which is what it does anyway.")]
INTERRUPTED = 130
PIPE_CLOSED = 141

P = ParamSpec("P")


class _PipeClosed(Exception):
    """The reader of standard output went away (`jinka day | head`)."""


class _Settings:
    """What the options before the command say; one process runs one command."""

    debug = False


settings = _Settings()


def say(message: str) -> None:
    """Print a message for the person, on standard error."""
    typer.echo(message, err=True)


def put(text: str) -> None:
    """Print data, on standard output."""
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise _PipeClosed from None


def put_json(value: Any) -> None:
    """Print data as JSON, on standard output."""
    put(json.dumps(value, ensure_ascii=False, indent=2))


def put_either(value: Any, text: str, *, as_json: bool) -> None:
    """Print ``value`` as JSON where that was asked for, else the text that says the same."""
    if as_json:
        put_json(value)
    else:
        put(text)


def put_files(paths: Iterable[object], *, as_json: bool) -> None:
    """Print which files were written: a line for each, or a list."""
    names = [str(path) for path in paths]
    put_either(names, "\n".join(names), as_json=as_json)


def put_table(renderable: RenderableType) -> None:
    """Print what a person reads, on standard output; without colours when it is not a terminal."""
    drawn = console(sys.stdout)
    with drawn.capture() as captured:
        drawn.print(renderable)
    put(captured.get())


def console(stream: IO[str]) -> Console:
    """Return a Rich console on ``stream``; wide when nobody looks, so that no line of a table is lost."""
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else 120, highlight=False)


def command(function: Callable[P, int | None]) -> Callable[P, None]:
    """Turn a function into a command: its result becomes the exit code, its errors one line each."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        raise typer.Exit(_exit_code(lambda: function(*args, **kwargs)))

    return run


def json_command(function: Callable[P, Any]) -> Callable[P, None]:
    """Turn a function into a command that prints what it returns as JSON.

    There is no other form, but the command takes ``--json``, as every command does that prints data.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        kwargs.pop("as_json")
        raise typer.Exit(_exit_code(lambda: put_json(function(*args, **kwargs))))

    own = inspect.signature(function, eval_str=True)
    option = inspect.Parameter(
        "as_json", inspect.Parameter.KEYWORD_ONLY, default=True, annotation=_ALWAYS_JSON
    )
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    return run


def _exit_code(call: Callable[[], int | None]) -> int:
    try:
        return call() or 0
    except JinkaError as error:
        _explain(f"jinka: error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("jinka: interrupted")
        return INTERRUPTED
    except _PipeClosed:
        # Python flushes standard output once more at exit; let that go nowhere instead of into a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (
        Exception
    ) as error:  # the last line of defence: a person gets one sentence, --debug gets the traceback
        fix = "" if settings.debug else " (run jinka --debug ... for the traceback)"
        said = next(
            iter(str(error).splitlines()), ""
        )  # a database adds its statement and a link in further lines
        _explain(f"jinka: error: {type(error).__name__}: {said}{fix}")
        return 1


def _explain(message: str) -> None:
    if settings.debug:
        traceback.print_exc()
    say(message)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show steps on standard error: a bar on a terminal, otherwise one line for each finished step."""
    if sys.stderr.isatty():
        from jinka.cli.progress import bars

        with bars(console(sys.stderr)) as shown:
            yield shown
    else:
        yield Lines()


class Lines:
    """One line for each step that is finished."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def step(self, name: str, done: int, total: int) -> None:
        if done == total and total and name not in self._said:
            self._said.add(name)
            say(f"{name}: {total:,}" if total > 1 else name)
