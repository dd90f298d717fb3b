"""Progress as bars, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """One bar for each step, in the order in which the steps begin."""

    def __init__(self, drawn: Progress) -> None:
        self._drawn = drawn
        self._tasks: dict[str, TaskID] = {}

    def step(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._drawn.add_task(name, total=total or None)
        self._drawn.update(self._tasks[name], completed=done, total=total or None)


@contextmanager
def bars(console: Console) -> Iterator[Bars]:
    """Draw bars on ``console`` while the context is open, and leave them there."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as drawn:
        yield Bars(drawn)
