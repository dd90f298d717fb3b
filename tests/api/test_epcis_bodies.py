"""Goal: who is cut off to make room for others is cut off for good, and costs nobody else anything.

Method: the bodies of a server by themselves on a loop, with what comes of each put into the very moment that matters.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jinka.api import epcis_bodies
from jinka.api.epcis_bodies import Bodies
from jinka.api.epcis_problems import EpcisError


def test_who_made_room_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes in the moment in which a body is cut is not taken for the whole of it."""
    monkeypatch.setattr(epcis_bodies, "BODIES_MAX", 0)

    async def both() -> None:
        bodies, end = Bodies(), asyncio.get_running_loop().create_future()
        parts = iter([{"type": "http.request", "body": b" " * 80, "more_body": True}])

        async def slowly() -> Any:
            return next(parts, None) or await end

        async def at_once() -> Any:
            end.set_result({"type": "http.request", "body": b"{}", "more_body": False})
            return {"type": "http.request", "body": b" " * 30, "more_body": False}

        slow, other = bodies.begin("slow"), bodies.begin("other")
        reading = asyncio.create_task(bodies.read(slow, slowly, 100))
        await asyncio.sleep(0)
        await bodies.read(other, at_once, 100)
        with pytest.raises(EpcisError, match="others need the room"):
            await reading
        assert (slow.whole(), other.size) == (b"", 30)

    asyncio.run(both())


def test_who_is_cut_as_his_window_ends_costs_nobody_else_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both happen in one turn of the loop, which was busy for a moment."""
    monkeypatch.setattr(epcis_bodies, "BODIES_MAX", 1_000)

    async def both() -> None:
        loop, bodies = asyncio.get_running_loop(), Bodies()
        slow, other = bodies.begin("slow"), bodies.begin("other")
        never, late = loop.create_future(), loop.create_future()
        first = iter([{"type": "http.request", "body": b"x" * 800, "more_body": True}])

        async def slowly() -> Any:
            return next(first, None) or await never

        async def at_once() -> Any:
            return await late

        monkeypatch.setattr(epcis_bodies, "WINDOW_S", 0.05)
        reading = asyncio.create_task(bodies.read(slow, slowly, 900))
        await asyncio.sleep(0)
        monkeypatch.setattr(epcis_bodies, "WINDOW_S", 5.0)
        taking = asyncio.create_task(bodies.read(other, at_once, 900))
        await asyncio.sleep(0)
        assert slow.timer is not None
        end = slow.timer.when() or 0
        whole = {"type": "http.request", "body": b"y" * 500, "more_body": False}
        loop.call_at(end - 0.001, late.set_result, whole)
        while loop.time() < end + 0.01:
            pass
        with pytest.raises(EpcisError):
            await reading
        await taking
        assert other.whole() == b"y" * 500

    asyncio.run(both())
