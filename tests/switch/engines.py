"""The switch's tests over each engine: ask for ``engine``, and each `World` of the test has its journal there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jinka.store import SwitchJournal, database_at
from tests.keys.ground import service
from tests.switch.ground import Kept, World

ENGINES = ("sqlite", "postgres")


@contextmanager
def journals_on(place: Callable[[], Path | str]) -> Iterator[None]:
    """Each `World` of the block has a journal in a database of its own."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        def make() -> Kept:
            database = stack.enter_context(database_at(place()))
            return Kept(lambda worker: SwitchJournal(database, _SEALER, worker=worker))

        patch.setattr(World, "make_journal", make)
        yield


@pytest.fixture(params=["memory", *ENGINES])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine that the test's journals are on."""
    if request.param == "memory":
        yield request.param
        return
    with journals_on(request.getfixturevalue(f"fresh_{request.param}")):
        yield request.param


_SEALER = service()
