"""Recall notices to receivers. Goal: each holder is told everything that concerns it once, in order, as it was written.

Method: a real store and recalls, the HTTP receiver of the tests of subscriptions, a kill before the acknowledgement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jinka.acquirer.callbacks import check_signature
from jinka.app.trace_notices import NoticeRoad
from jinka.app.trace_recall import Plan, RecallDesk
from jinka.node.trace_receivers import Answer, Receivers
from jinka.store import database_at
from jinka.store.trace_notices import NoticeBooks, NoticeReceiver
from jinka.store.trace_store import TraceStore
from jinka.trace.recall import RecallEvent
from tests.app.test_trace_subscriptions import LOCAL, TOKEN, Clock, Hearer, hearer
from tests.epcis_rig import facts, keep

__all__ = ["hearer"]
ITEM, SITE, SHOP = (
    "urn:epc:id:sgtin:6901234.012345.1",
    "urn:epc:id:sgln:6901234.00001.0",
    "urn:epc:id:sgln:6907777.00001.0",
)
_HOLDER = "https://id.gs1.org/414/6901234000016"


@dataclass
class Rig:
    clock: Clock
    store: TraceStore
    road: NoticeRoad

    def act(self, event: RecallEvent, **more: Any) -> None:
        self.clock.pass_s(1)
        by = "li" if event is RecallEvent.DRAFT else "wang"
        self.road.recalls.act(1, event, by=by, **more)

    def deliver(self) -> int:
        self.road.gather()
        return self.road.send("mill")

    def receive(self, url: str) -> None:
        now = self.clock.now_micros()
        self.road.books.put(
            NoticeReceiver(owner="mill", dest=url, sealed_token=b"sealed", created_micros=now)
        )


def _born(number: int, place: str) -> dict[str, Any]:
    item = ITEM[:-1] + str(number)
    return facts(epcList=[item], action="ADD", bizStep="commissioning", bizLocation={"id": place})


@pytest.fixture
def rig(where: Path | str) -> Iterator[Rig]:
    clock = Clock()
    with database_at(where) as database:
        store, desk = TraceStore(database, clock), RecallDesk(database, clock)
        keep(store, _born(1, SITE), _born(2, SHOP))
        road = NoticeRoad(
            books=NoticeBooks(database), recalls=desk, receivers=Receivers(hosts=LOCAL), clock=clock,
            owns=lambda owner, ids: {one for one in ids if owner == "mill" and "6901234" in one},
            unseal=lambda _owner, _sealed: TOKEN, let_in=lambda _: True,
        )  # fmt: skip
        names = [ITEM, ITEM[:-1] + "2"]
        desk.draft(Plan(title="glass", grade="1", kind="item", names=names), by="li")
        yield Rig(clock, store, road)


def _told(hearer: Hearer) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in hearer.heard]


def test_a_holder_is_told_its_own_and_what_changes_in_order_and_signed(rig: Rig, hearer: Hearer) -> None:
    rig.receive(hearer.url)
    assert rig.deliver() == 0  # a draft is told to nobody
    assert rig.road.books.unread() == []  # and is not looked at again before there is more of it
    rig.act(RecallEvent.APPROVE)
    assert [rig.deliver(), rig.deliver()] == [1, 0]
    rig.act(RecallEvent.ACKNOWLEDGE, holder=SITE)  # its own word is no news to it
    assert rig.deliver() == 0
    rig.act(RecallEvent.REMIND, holder=SITE)
    rig.act(RecallEvent.CANCEL, reason="a mistake")
    hearer.answer = lambda _: 500
    assert rig.deliver() == 0
    rig.clock.pass_s(9)
    hearer.answer = lambda _: 200
    assert rig.deliver() == 1
    told = _told(hearer)
    assert [(one["holder"], one["state"], one["reminders"]) for one in told] == [
        (_HOLDER, "active", 0), (_HOLDER, "cancelled", 1), (_HOLDER, "cancelled", 1),
    ]  # fmt: skip
    assert told[0]["lines"] == [{"subject": "items", "amount": "1", "unit": ""}]
    assert "召回通知" in told[0]["text"]["zh"]
    assert "text" not in told[1]
    ids = hearer.ids()
    assert (len(set(ids)), ids[1]) == (2, ids[2])
    headers, body = hearer.heard[0]
    at_s = int(headers["webhook-timestamp"])
    check_signature(TOKEN, headers["webhook-id"], at_s, body.decode(), headers["GS1-Signature"], at_s)


def test_a_kill_between_the_notice_and_its_acknowledgement_repeats_it_as_it_was(
    rig: Rig, hearer: Hearer
) -> None:
    class Killed(BaseException):
        pass

    class Cut(Receivers):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            super().post(url, headers, body)
            raise Killed

    rig.receive(hearer.url)
    rig.act(RecallEvent.APPROVE)
    whole, rig.road = rig.road, replace(rig.road, receivers=Cut(hosts=LOCAL))
    with pytest.raises(Killed):
        rig.deliver()
    rig.road = whole
    rig.act(RecallEvent.REMIND, holder=SITE)  # meanwhile
    assert rig.deliver() == 2
    assert [one["reminders"] for one in _told(hearer)] == [0, 0, 1]
    first, again, other = hearer.heard
    assert (first[1], first[0]["webhook-id"]) == (again[1], again[0]["webhook-id"])
    assert other[0]["webhook-id"] != first[0]["webhook-id"]
    assert rig.road.books.standing("mill") == (2, 0, "")


def test_who_names_a_receiver_late_is_told_what_holds_and_who_ends_it_nothing(
    rig: Rig, hearer: Hearer
) -> None:
    rig.act(RecallEvent.APPROVE)
    assert rig.deliver() == 0
    rig.receive("http://127.0.0.1:1/")
    assert rig.deliver() == 0
    assert rig.road.books.standing("mill") == (0, 1, "it refuses connections")
    rig.receive(hearer.url)  # what waits goes there at once
    assert rig.deliver() == 1
    rig.road.books.remove("mill")
    rig.act(RecallEvent.REMIND, holder=SITE)
    assert rig.deliver() == 0
    rig.receive(hearer.url)
    assert rig.deliver() == 1
    assert [one["reminders"] for one in _told(hearer)] == [0, 1]


def test_who_is_let_in_no_more_is_told_nothing(rig: Rig, hearer: Hearer) -> None:
    rig.receive(hearer.url)
    rig.act(RecallEvent.APPROVE)
    rig.road = replace(rig.road, let_in=lambda _: False)
    assert rig.deliver() == 0
    assert hearer.heard == []
