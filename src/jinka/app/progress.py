"""How a long job tells that it is alive, without knowing who looks on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of every step; the CLI draws it, a test records it, a service may log it."""

    def step(self, name: str, done: int, total: int) -> None:
        """``done`` of ``total`` of the stage ``name`` are finished; ``total`` 0 means it is not known.

        Call it first with ``done`` 0, then at most some hundred times, and last with ``done == total``.
        """
        ...


class Silent:
    """Nobody looks on."""

    def step(self, name: str, done: int, total: int) -> None:
        """Take note of nothing."""
