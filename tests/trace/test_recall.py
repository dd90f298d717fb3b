"""A recall as a table of steps. Goal: nothing happens that the tables do not allow, and the sums are the holders' own.

Method: a chain of a few events gives the scope; then every act, allowed and not.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from jinka.app.trace_notices import message_of
from jinka.codec.epcis import Event
from jinka.kit import JinkaError, NotFound, Refused, Usage
from jinka.reports import Language
from jinka.reports.trace_recall import notice_text
from jinka.trace.recall import (
    ITEMS,
    MORE_OF,
    SOLD_ITEMS,
    SOLD_OF,
    Act,
    Cause,
    CauseKind,
    Fate,
    Grade,
    NoticeState,
    Outcome,
    Recall,
    RecallEvent,
    RecallState,
    Scope,
    draft,
)
from jinka.trace.recall_scope import FoundScope, Part, scope_of
from jinka.trace.spread import Seed, spread_forward
from tests.trace.chains import (
    HOUR_US,
    MemoryLinks,
    case,
    item,
    lot,
    made,
    packed,
    parts,
    place,
    seen,
    unpacked,
)

BATCH = [item(n) for n in range(6)]
CHAIN = [
    made(1, [], BATCH, lot="A", where=1, used=parts((lot("W", "099999"), 30))),
    packed(2, case(1), *BATCH[:3], where=1),
    seen(3, "shipping", 1, case(1), to=2),
    seen(4, "receiving", 2, case(1)),
    seen(5, "shipping", 1, *BATCH[3:5], to=3),
    unpacked(6, case(1), BATCH[0], where=2),
    seen(7, "retail_selling", 2, BATCH[0]),
    made(8, [BATCH[5]], [item(90, "022222")], where=1),
    seen(1, "receiving", 1, quantities=parts((lot("W", "099999"), 100))),
]
X, Y, Z = place(1), place(2), place(3)


def _scope(events: list[Event], *names: str) -> tuple[FoundScope, MemoryLinks]:
    links = MemoryLinks(events)
    found = spread_forward(links, [Seed(links.number(name)) for name in names])
    return scope_of(links, found, as_of_us=9 * HOUR_US), links


def _lines(scope: Scope) -> dict[str, dict[str, int]]:
    return {each.holder: {line.subject: int(line.amount) for line in each.lines} for each in scope.holders}


def test_the_scope_says_who_has_what_now() -> None:
    found, links = _scope(CHAIN, lot("A"))
    assert _lines(found.scope) == {X: {ITEMS: 1}, Y: {ITEMS: 2, SOLD_ITEMS: 1}, Z: {ITEMS: 2}}
    assert links.named(thing.node for thing in found.things if thing.part is Part.CARRIER) == {case(1)}
    assert found.scope.things == 8  # the lot, its six items, and what was made of one
    assert found.scope.unplaced == 0
    assert found.scope.digest == _scope(CHAIN, lot("A"))[0].scope.digest
    assert found.scope.digest != _scope(CHAIN, item(1))[0].scope.digest


def test_the_rest_of_a_lot_that_was_used_is_weighed() -> None:
    found, _ = _scope(CHAIN, lot("W", "099999"))
    assert _lines(found.scope)[X] == {ITEMS: 1, lot("W", "099999"): 70}


@pytest.mark.parametrize(
    ("end", "lines"),
    [
        ("retail_selling", {Y: {SOLD_ITEMS: 2}}),
        ("dispensing", {Y: {SOLD_ITEMS: 2}}),
        ("destroying", {}),
        ("decommissioning", {Y: {ITEMS: 2}}),  # the number of the case is given up: what lay in it still is
    ],
)
def test_what_lies_in_a_case_ends_with_it(end: str, lines: dict[str, dict[str, int]]) -> None:
    events = [
        made(1, [], BATCH[:3], lot="A", where=1),
        packed(2, case(1), *BATCH[:3], where=1),
        packed(3, case(9), case(1), where=1),
        seen(4, "receiving", 2, case(9)),
        unpacked(5, case(1), BATCH[2], where=2),
        seen(6, end, 2, case(9)),
        seen(7, "retail_selling", 3, BATCH[2]),
    ]
    assert _lines(_scope(events, lot("A"))[0].scope) == {**lines, Z: {SOLD_ITEMS: 1}}


def test_a_number_that_was_given_anew_is_another_item() -> None:
    events = [
        seen(1, "commissioning", 1, item(1), lot="A"),
        packed(2, case(1), item(1), where=1),
        unpacked(3, case(1), where=1),
        seen(4, "decommissioning", 1, item(1)),
        seen(5, "commissioning", 1, item(1), lot="B"),
        packed(6, case(2), item(1), where=1),
        seen(7, "receiving", 2, case(2)),
        made(8, [item(1)], [item(9, "022222")], where=3),
    ]
    found, links = _scope(events, lot("A"))
    assert _lines(found.scope) == {}
    assert links.named(t.node for t in found.things) == {lot("A"), item(1)}
    assert _lines(_scope(events, lot("B"))[0].scope) == {Z: {ITEMS: 1}}
    assert _lines(_scope(events, lot("A"), lot("B"))[0].scope) == {Z: {ITEMS: 1}}
    assert _lines(_scope(events, lot("B"), lot("A"))[0].scope) == {Z: {ITEMS: 1}}
    assert _lines(_scope([*events[:4], *events[6:]], lot("A"))[0].scope) == {Z: {ITEMS: 1}}  # not made anew


def test_who_sold_a_lot_by_quantity_hears_of_it() -> None:
    some = parts((lot("A"), 50))
    events = [
        seen(0, "commissioning", 1, quantities=parts((lot("A"), 100)), add=True),
        seen(1, "shipping", 1, quantities=parts((lot("A"), 100)), to=2),
        seen(2, "receiving", 2, quantities=parts((lot("A"), 100))),
        seen(3, "retail_selling", 2, quantities=some),
        seen(4, "destroying", 2, quantities=some),
    ]
    assert _lines(_scope(events, lot("A"))[0].scope) == {Y: {SOLD_OF + lot("A"): 50}}


def test_where_a_lot_was_seen_and_nobody_said_how_much_is_told_as_unknown() -> None:
    bare = parts((lot("A"), None))
    events = [
        seen(0, "commissioning", 1, quantities=parts((lot("A"), 100)), add=True),
        seen(1, "shipping", 1, quantities=bare, to=2),
        seen(2, "receiving", 2, quantities=bare),
        seen(3, "inspecting", 3, quantities=parts((lot("A"), 5))),
        seen(3, "inspecting", 1, quantities=parts((lot("A"), 5))),
    ]
    found, _ = _scope(events, lot("A"))
    assert _lines(found.scope) == {X: {lot("A"): 100}, Y: {lot("A"): 0}, Z: {lot("A"): 0}}
    lines = {each.holder: each.lines for each in found.scope.holders}
    assert [lines[holder][0].unknown for holder in (X, Y, Z)] == [False, True, True]
    recall = draft(
        number=1, title="glass", grade=Grade.FIRST, cause=Cause(kind=CauseKind.LOT, names=(lot("A"),)),
        scope=found.scope, at_us=1, by="li",
    ).after(_act(RecallEvent.APPROVE, 2))  # fmt: skip
    assert recall.notices[Y].open_lines() == lines[Y]
    nothing = (Outcome(subject=lot("A"), fate=Fate.SOLD, amount=Decimal(0)),)
    assert recall.after(_act(RecallEvent.REPORT, 3, holder=Y, outcomes=nothing)).notices[Y].open_lines() == ()
    with pytest.raises(Refused, match="an amount of 0"):
        recall.after(_act(RecallEvent.REPORT, 3, holder=X, outcomes=nothing))


def test_what_nobody_measured_is_asked_for_beside_what_somebody_did() -> None:
    some, bare = parts((lot("A"), 40)), parts((lot("A"), None))
    begun = seen(0, "commissioning", 1, quantities=parts((lot("A"), 100)), add=True)
    twice = [
        begun,
        seen(1, "shipping", 1, quantities=some, to=2),
        seen(2, "receiving", 2, quantities=some),
        seen(3, "shipping", 1, quantities=bare, to=2),
        seen(4, "receiving", 2, quantities=bare),
    ]
    more, sold = MORE_OF + lot("A"), SOLD_OF + lot("A")
    assert _lines(_scope(twice, lot("A"))[0].scope) == {X: {lot("A"): 60}, Y: {lot("A"): 40, more: 0}}
    sale = seen(5, "retail_selling", 1, quantities=bare)
    assert _lines(_scope([begun, sale], lot("A"))[0].scope) == {X: {lot("A"): 100, sold: 0}}
    both = [begun, seen(4, "retail_selling", 1, quantities=some), sale]
    lines = {lot("A"): 60, sold: 40, MORE_OF + sold: 0}
    found = _scope(both, lot("A"))[0].scope
    assert _lines(found) == {X: lines}
    recall = draft(
        number=1, title="glass", grade=Grade.FIRST, cause=Cause(kind=CauseKind.LOT, names=(lot("A"),)),
        scope=found, at_us=1, by="li",
    ).after(_act(RecallEvent.APPROVE, 2))  # fmt: skip
    measured = _outcomes((lot("A"), Fate.RETURNED, 60), (sold, Fate.SOLD, 40))
    told = recall.after(_act(RecallEvent.REPORT, 3, holder=X, outcomes=measured))
    assert [line.subject for line in told.notices[X].open_lines()] == [MORE_OF + sold]
    for language, words in ((Language.EN, "more of "), (Language.ZH, "另有")):
        assert words in notice_text(recall, recall.notices[X], language=language)
    rest = Outcome(subject=MORE_OF + sold, fate=Fate.SOLD, amount=Decimal(0))
    told = recall.after(_act(RecallEvent.REPORT, 3, holder=X, outcomes=(*measured, rest)))
    assert told.notices[X].state is NoticeState.SETTLED


def test_a_lot_that_was_made_without_an_amount_is_followed_by_what_moved() -> None:
    some = parts((lot("A"), 60))
    events = [
        made(0, [], [], gave=parts((lot("A"), None)), where=1),
        seen(1, "shipping", 1, quantities=some, to=2),
        seen(2, "receiving", 2, quantities=some),
    ]
    assert _lines(_scope(events, lot("A"))[0].scope) == {X: {lot("A"): 0}, Y: {lot("A"): 60}}
    still = [made(0, [item(1)], [], gave=parts((lot("A"), 5)), where=1)]
    assert _lines(_scope(still, lot("A"))[0].scope) == {X: {lot("A"): 5}}  # its maker has it


def _drafted(*, drill: bool = False) -> Recall:
    scope = _scope(CHAIN, lot("A"))[0].scope
    return draft(
        number=1, title="glass", grade=Grade.FIRST, cause=Cause(kind=CauseKind.LOT, names=(lot("A"),)),
        scope=scope, at_us=1, by="li", drill=drill,
    )  # fmt: skip


def _act(event: RecallEvent, at: int, by: str = "wang", **more: object) -> Act:
    return Act(event=event, at_us=at, by=by, **more)  # type: ignore[arg-type]


def _outcomes(*pairs: tuple[str, Fate, int]) -> tuple[Outcome, ...]:
    return tuple(Outcome(subject=s, fate=f, amount=Decimal(n)) for s, f, n in pairs)


E = RecallEvent
X_DONE = _outcomes((ITEMS, Fate.RETURNED, 1))
Y_DONE = _outcomes((ITEMS, Fate.DESTROYED, 2), (SOLD_ITEMS, Fate.SOLD, 1))
Z_DONE = _outcomes((ITEMS, Fate.MISSING, 2))


def test_a_recall_from_its_draft_to_its_end() -> None:
    recall = _drafted()
    assert not recall.holds_back
    recall = recall.after(_act(E.APPROVE, 2))
    assert recall.holds_back
    assert {holder: each.state for holder, each in recall.notices.items()} == dict.fromkeys(
        (X, Y, Z), NoticeState.ISSUED
    )
    recall = recall.after(_act(E.ACKNOWLEDGE, 3, Y, holder=Y))
    assert recall.notices[Y].acknowledged_us == 3
    recall = recall.after(_act(E.REPORT, 4, Y, holder=Y, outcomes=_outcomes((ITEMS, Fate.QUARANTINED, 2))))
    assert recall.notices[Y].state is NoticeState.REPORTED
    assert [line.subject for line in recall.notices[Y].open_lines()] == [SOLD_ITEMS]
    for at, (holder, outcomes) in enumerate(((Y, Y_DONE), (X, X_DONE)), 5):
        recall = recall.after(_act(E.REPORT, at, holder, holder=holder, outcomes=outcomes))
        assert recall.notices[holder].state is NoticeState.SETTLED
    with pytest.raises(Refused, match="1 holder has not accounted"):
        recall.after(_act(E.CLOSE, 9, reason="done"))
    recall = recall.after(_act(E.REMIND, 9, holder=Z)).after(_act(E.REPORT, 10, Z, holder=Z, outcomes=Z_DONE))
    assert recall.notices[Z].reminders == 1
    recall = recall.after(_act(E.CLOSE, 11, reason="done"))
    assert recall.state is RecallState.CLOSED
    assert not recall.holds_back


def test_a_wider_scope_brings_new_notices_and_opens_settled_ones_again() -> None:
    recall = _drafted().after(_act(E.APPROVE, 2))
    recall = recall.after(_act(E.REPORT, 3, X, holder=X, outcomes=X_DONE))
    assert recall.notices[X].state is NoticeState.SETTLED
    late = [*CHAIN, seen(9, "receiving", 9, BATCH[3]), seen(9, "receiving", 1, BATCH[4])]
    recall = recall.after(_act(E.WIDEN, 5, scope=_scope(late, lot("A"))[0].scope))
    assert recall.notices[place(9)].state is NoticeState.ISSUED
    assert recall.notices[place(9)].issued_us == 5
    assert recall.notices[X].state is NoticeState.REPORTED  # one more item lies there
    assert recall.notices[Z].state is NoticeState.SETTLED  # nothing is there any more
    assert recall.notices[Y].issued_us == 2


def test_a_report_of_what_was_there_settles_nothing_that_came_later() -> None:
    some = parts((lot("A"), 40))
    events = [
        made(1, [], BATCH[:2], lot="A", where=1),
        seen(2, "receiving", 2, *BATCH[:2]),
        seen(1, "commissioning", 3, quantities=some, add=True),
    ]
    done = [seen(3, "destroying", 2, *BATCH[:2]), seen(3, "destroying", 3, quantities=some)]
    other = [
        made(4, [], BATCH[2:4], lot="A", where=1),
        seen(5, "receiving", 2, *BATCH[2:4]),
        seen(5, "receiving", 3, quantities=some),
    ]
    recall = draft(
        number=1, title="glass", grade=Grade.FIRST, cause=Cause(kind=CauseKind.LOT, names=(lot("A"),)),
        scope=_scope(events, lot("A"))[0].scope, at_us=1, by="li",
    ).after(_act(E.APPROVE, 2))  # fmt: skip
    told = {Y: _outcomes((ITEMS, Fate.DESTROYED, 2)), Z: _outcomes((lot("A"), Fate.DESTROYED, 40))}
    for holder, outcomes in told.items():
        recall = recall.after(_act(E.REPORT, 3, holder=holder, outcomes=outcomes))
    same = recall.after(_act(E.WIDEN, 4, scope=_scope(events, lot("A"))[0].scope))
    wider = recall.after(_act(E.WIDEN, 4, scope=_scope([*events, *done, *other], lot("A"))[0].scope))
    for holder, outcomes in told.items():
        assert same.notices[holder].state is NoticeState.SETTLED
        assert message_of(same, holder) == message_of(recall, holder)
        again = wider.notices[holder]
        assert again.state is NoticeState.REPORTED
        assert (
            again.open_lines() == again.scope.lines == recall.notices[holder].scope.lines
        )  # as much of others
        assert message_of(wider, holder) != message_of(recall, holder)
        wider = wider.after(_act(E.REPORT, 5, holder=holder, outcomes=outcomes))
        assert wider.notices[holder].state is NoticeState.SETTLED


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (_act(E.APPROVE, 2, by="li"), Refused, "second officer"),
        (_act(E.APPROVE, 0), Refused, "before the last one"),
        (_act(E.APPROVE, 2, by=""), Usage, "nobody"),
        (_act(E.CLOSE, 2, reason="x"), Refused, "drafted cannot be closed"),
        (_act(E.REPORT, 2, holder=X), Refused, "drafted cannot be reported"),
        (_act(E.CANCEL, 2), Usage, "no reason"),
        (_act(E.DRAFT, 2), Refused, "drafted cannot be drafted"),
    ],
)
def test_what_a_draft_refuses(act: Act, error: type[JinkaError], says: str) -> None:
    with pytest.raises(error, match=says):
        _drafted().after(act)


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (_act(E.ACKNOWLEDGE, 3, holder=place(77)), NotFound, "does not concern"),
        (_act(E.REPORT, 3, holder=X, outcomes=_outcomes((ITEMS, Fate.SOLD, 0))), Refused, "amount of 0"),
        (_act(E.REPORT, 3, holder=X, outcomes=_outcomes((ITEMS, Fate.SOLD, -1))), Refused, "amount of -1"),
        (
            _act(E.REPORT, 3, holder=X, outcomes=_outcomes(("soap", Fate.SOLD, 1))),
            Refused,
            "says nothing of it",
        ),
        (
            _act(E.REPORT, 3, holder=X, outcomes=(Outcome(fate=Fate.SOLD, amount=Decimal("0.5")),)),
            Refused,
            "items are whole",
        ),
        (
            _act(E.REPORT, 3, holder=X, outcomes=(Outcome(fate=Fate.SOLD, amount=Decimal("NaN")),)),
            Refused,
            "amount of NaN",
        ),
        (
            _act(E.REPORT, 3, holder=X, outcomes=(Outcome(fate=Fate.SOLD, amount=Decimal("1E+400")),)),
            Refused,
            "amount of 1E",
        ),
        (_act(E.APPROVE, 3), Refused, "active cannot be approved"),
    ],
)
def test_what_a_recall_under_way_refuses(act: Act, error: type[JinkaError], says: str) -> None:
    with pytest.raises(error, match=says):
        _drafted().after(_act(E.APPROVE, 2)).after(act)


def test_a_drill_holds_nothing_back_and_a_settled_notice_is_not_reminded() -> None:
    recall = _drafted(drill=True).after(_act(E.APPROVE, 2))
    assert not recall.holds_back
    recall = recall.after(_act(E.REPORT, 3, holder=X, outcomes=X_DONE))
    with pytest.raises(Refused, match="settled cannot be reminded"):
        recall.after(_act(E.REMIND, 4, holder=X))
    closed = recall.after(_act(E.CLOSE, 5, reason="open: the drill is over"))
    assert closed.state is RecallState.CLOSED
