"""The inbox beside a model. Goal: whatever comes in whatever order, it offers what the rules say.

Method: Hypothesis plays two streams: delivered in any order and again, settled, parked, released, suspended.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jinka.kit import NotFound, Refused
from jinka.store.database import open_database
from jinka.store.parcel_findings import resume, suspend
from jinka.store.parcels_taken import Inbox, TakenState
from tests.parcels import CITY, NOW, OTHER, PARENT, chain, signatory


class Exchange(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "centre.sqlite"
        shutil.copy(Exchange.empty, path)
        self.engine = open_database(path)
        self.inbox = Inbox(self.engine, PARENT)
        self.here: dict[tuple[str, int], TakenState] = {}
        self.suspended: set[str] = set()

    empty: ClassVar[Path]
    streams: ClassVar = {code: chain(5, sender=code) for code in (CITY, OTHER)}
    envelopes: ClassVar[dict[bytes, bytes]] = {}

    def teardown(self) -> None:
        self.engine.dispose()
        self.folder.cleanup()

    def _model_ready(self) -> list[tuple[str, int]]:
        found = []
        for code in sorted(self.streams):
            for number in range(1, 6):
                if (code, number) not in self.here:
                    break
                if self.here[code, number] is TakenState.WAITING and code not in self.suspended:
                    found.append((code, number))
        return found

    @rule(code=st.sampled_from([CITY, OTHER]), number=st.integers(1, 5))
    def deliver(self, code: str, number: int) -> None:
        made = self.streams[code][number - 1]
        envelope = self.envelopes.setdefault(made.digest, signatory(code).seal(made).to_bytes())
        self.inbox.take(made, envelope, b"r", NOW)
        self.here.setdefault((code, number), TakenState.WAITING)

    @rule(code=st.sampled_from([CITY, OTHER]), number=st.integers(1, 5))
    def deliver_another(self, code: str, number: int) -> None:
        if (code, number) in self.here:
            with pytest.raises(Refused):
                self.inbox.take(replace(self.streams[code][number - 1], amount_fen=9), b"e", b"r", NOW)

    @rule(state=st.sampled_from([TakenState.APPLIED, TakenState.PARKED]), pick=st.integers(0, 3))
    def settle(self, state: TakenState, pick: int) -> None:
        ready = self.inbox.ready()
        if ready:
            parcel = ready[min(pick, len(ready) - 1)]
            code, number = parcel.manifest.sender, parcel.manifest.number
            before = [self.here[code, n] for n in range(1, number)]
            if TakenState.WAITING in before:
                with pytest.raises(Refused):
                    self.inbox.settle(parcel, state, NOW)
            else:
                self.inbox.settle(parcel, state, NOW)
                self.here[code, number] = state

    @rule(code=st.sampled_from([CITY, OTHER]), number=st.integers(1, 5))
    def release(self, code: str, number: int) -> None:
        stream = self.streams[code][0].stream
        if self.here.get((code, number)) is TakenState.PARKED:
            self.inbox.release(stream, number, NOW)
            self.here[code, number] = TakenState.WAITING
        else:
            with pytest.raises((Refused, NotFound)):
                self.inbox.release(stream, number, NOW)

    @rule(code=st.sampled_from([CITY, OTHER]))
    def suspend_or_resume(self, code: str) -> None:
        if code in self.suspended:
            resume(self.engine, code, "li", "x", NOW)
        else:
            suspend(self.engine, code, "wang", "x", NOW)
        self.suspended ^= {code}

    @invariant()
    def it_offers_what_the_model_offers(self) -> None:
        ready = [(one.manifest.sender, one.manifest.number) for one in self.inbox.ready()]
        assert ready == self._model_ready()
        for gap in self.inbox.gaps():
            code = gap.stream.sender
            assert all((code, n) not in self.here for n in range(gap.first, gap.last + 1))
            assert (code, gap.last + 1) in self.here


def test_any_order_of_any_acts(empty_sqlite: Path) -> None:
    Exchange.empty = empty_sqlite
    run_state_machine_as_test(
        Exchange, settings=settings(max_examples=8, stateful_step_count=25, deadline=None)
    )
