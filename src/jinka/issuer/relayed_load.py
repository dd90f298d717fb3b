"""Loads across cities: the city where the holder pays, which asks the city whose card it is.

The own agent's money is held first, then the card's issuer is asked, which books the load against this city. Every
message may be sent again; while no answer came a load stays open here, and `settle` learns its end from there.
"""

from __future__ import annotations

from dataclasses import replace

from jinka.issuer.load_funds import CITY, LoadFunds
from jinka.issuer.online_load import Load, LoadBooks, LoadDesk, LoadOrder, LoadState, LoadStep, load_of
from jinka.kit import JinkaError, Refused

_OPEN = (LoadState.ASKED, LoadState.AUTHORISED)


class RelayedLoads:
    """Implements `LoadDesk` for ``city`` before ``home``, which may also raise when it cannot be reached."""

    def __init__(self, *, city: str, home: LoadDesk, books: LoadBooks, funds: LoadFunds) -> None:
        self._city, self._home, self._books, self._funds = city, home, books, funds

    def authorise(self, order: LoadOrder) -> bytes:
        load = self._books.get(order.id)
        if load is None:
            load = load_of(order)
            self._books.write([load])
        elif load.state not in _OPEN or load.fund != order.fund:
            raise Refused(f"it is {load.state.value[0]}", where="load", fix="present the card again")
        try:
            self._funds.hold(load, order.pin)
            mac2 = self._home.authorise(replace(order, fund=f"{CITY}:{self._city}", pin=None))
        except Refused:
            if load.state is LoadState.ASKED:
                self._funds.release(load)
                self._books.write([load.stepped(LoadStep.DECLINE)])
            raise
        if load.state is LoadState.ASKED:
            self._books.write([load.stepped(LoadStep.AUTHORISE, mac2=mac2)])
        return mac2

    def confirm(self, load_id: bytes, tac: bytes) -> None:
        self._home.confirm(load_id, tac)
        self._follow(load_id)

    def challenge(self, load_id: bytes) -> bytes:
        return self._home.challenge(load_id)

    def disprove(self, load_id: bytes, answer16: bytes) -> LoadState:
        state = self._home.disprove(load_id, answer16)
        self._follow(load_id)
        return state

    def state_of(self, load_id: bytes) -> LoadState | None:
        load = self._books.get(load_id)
        return load.state if load is not None else None

    def settle(self) -> list[Load]:
        """Ask the other city about all that is open; those that ended. What it does not answer stays open."""
        ended = []
        for state in _OPEN:
            for load in self._books.in_state(state):
                try:
                    after = self._follow(load.id)
                except JinkaError:
                    continue
                if after is not None and after.state not in _OPEN:
                    ended.append(after)
        return ended

    def _follow(self, load_id: bytes) -> Load | None:
        """Do here what was done there. What never came there is given back; a MAC2 made late reaches no card."""
        load = self._books.get(load_id)
        if load is None or load.state not in _OPEN:
            return load
        there = self._home.state_of(load_id)
        if there is LoadState.CONFIRMED:
            if load.state is LoadState.ASKED:
                load = load.stepped(LoadStep.AUTHORISE)
            self._funds.post(load)
            load = load.stepped(LoadStep.CONFIRM)
        elif there in (None, LoadState.DECLINED, LoadState.VOIDED):
            if there is None and load.state is LoadState.AUTHORISED:
                raise Refused("the other city no longer knows it", where="load", fix="ask its officers")
            self._funds.release(load)
            step = LoadStep.DECLINE if load.state is LoadState.ASKED else LoadStep.VOID
            load = load.stepped(step)
        else:
            return load
        self._books.write([load])
        return load
