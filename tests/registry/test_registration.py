"""The life of a registration. Goal: nothing is granted by one person, nothing twice, and nothing without what it rests
on. Method: every act in every state by every officer against the table; then each rule by its breach.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools

import pytest

from jinka.kit import Refused, Usage
from jinka.registry import (
    STEPS,
    Act,
    Deed,
    Kind,
    Registration,
    State,
    Terms,
    check_application,
    check_parent,
    checked_value,
)
from jinka.registry.words import ACTS, KINDS, STATES

ON = dt.date(2026, 6, 1)
OVER = dt.date(2031, 1, 1)
FIRST, SECOND, THIRD = "li-si", "wang-wu", "zhao-liu"
ROAD = {
    State.APPLIED: (),
    State.REVIEWED: (Act.REVIEW,),
    State.GRANTED: (Act.REVIEW, Act.GRANT),
    State.REFUSED: (Act.REFUSE,),
    State.SUSPENDED: (Act.REVIEW, Act.GRANT, Act.SUSPEND),
    State.EXPIRED: (Act.REVIEW, Act.GRANT, Act.EXPIRE),
    State.WITHDRAWN: (Act.REVIEW, Act.GRANT, Act.WITHDRAW),
    State.APPEALED: (Act.REFUSE, Act.APPEAL),
    State.DISMISSED: (Act.REFUSE, Act.APPEAL, Act.DISMISS),
}
ALLOWED = {
    State.APPLIED: {Act.REVIEW, Act.REFUSE, Act.WITHDRAW},
    State.REVIEWED: {Act.GRANT, Act.REFUSE, Act.WITHDRAW},
    State.GRANTED: {Act.SUSPEND, Act.EXPIRE, Act.WITHDRAW},
    State.SUSPENDED: {Act.RESUME, Act.EXPIRE, Act.WITHDRAW},
    State.REFUSED: {Act.APPEAL},
    State.WITHDRAWN: {Act.APPEAL},
    State.APPEALED: {Act.ALLOW, Act.DISMISS},
}


def _deed(act: Act, officer: str = SECOND, at: int = 1) -> Deed:
    return Deed(act=act, officer=officer, at_micros=at, reason="because")


def _make(
    kind: Kind = Kind.RID,
    value: str = "A000000333",
    *,
    holder: str = "org.a",
    under: str = "",
    number: int = 1,
) -> Registration:
    return Registration(
        number=number,
        kind=kind,
        value=checked_value(kind, value, today=ON),
        holder=holder,
        under=under,
        valid_from=dt.date(2026, 1, 1),
        valid_to=dt.date(2030, 12, 31),
        deeds=(_deed(Act.APPLY, FIRST),),
    )


def _in(state: State, registration: Registration | None = None) -> Registration:
    found = registration or _make()
    for act in ROAD[state]:
        officer = THIRD if act is Act.DISMISS else SECOND
        found = found.done(_deed(act, officer), OVER if act is Act.EXPIRE else ON)
    return found


@pytest.mark.parametrize(("state", "act"), [*itertools.product(State, Act)])
def test_only_what_the_table_allows(state: State, act: Act) -> None:
    before = _in(state)
    assert before.state is state
    if act in ALLOWED.get(state, set()):
        after = before.done(_deed(act, THIRD), OVER)
        assert after.state is next(step.target for step in STEPS if step.act is act)
        assert after.deeds[:-1] == before.deeds
    else:
        with pytest.raises(Refused):
            before.done(_deed(act, THIRD), OVER)


@pytest.mark.parametrize("act", [Act.REVIEW, Act.GRANT, Act.REFUSE])
def test_who_applied_does_not_decide(act: Act) -> None:
    before = _in(State.REVIEWED if act is Act.GRANT else State.APPLIED)
    with pytest.raises(Refused, match="second officer"):
        before.done(_deed(act, FIRST), ON)
    before.done(_deed(act, SECOND), ON)


def test_who_suspended_does_not_resume() -> None:
    suspended = _in(State.GRANTED).done(_deed(Act.SUSPEND, FIRST), ON)
    with pytest.raises(Refused, match="second officer"):
        suspended.done(_deed(Act.RESUME, FIRST), ON)
    again = suspended.done(_deed(Act.RESUME, SECOND), ON).done(_deed(Act.SUSPEND, SECOND), ON)
    with pytest.raises(Refused, match="second officer"):  # the last one who did it counts
        again.done(_deed(Act.RESUME, SECOND), ON)
    assert again.done(_deed(Act.RESUME, FIRST), ON).in_force(ON)


@pytest.mark.parametrize("officer", ["", "Li-si", "li si", "li-si ", "李四", "l", "li-si\n", "x" * 33])
def test_an_officer_has_one_way_to_be_written(officer: str) -> None:
    with pytest.raises(Usage):
        _deed(Act.REVIEW, officer)


@pytest.mark.parametrize("act", [Act.REFUSE, Act.SUSPEND, Act.RESUME, Act.WITHDRAW])
def test_some_acts_need_a_reason(act: Act) -> None:
    with pytest.raises(Usage):
        Deed(act=act, officer=FIRST, at_micros=1, reason=" ")
    with pytest.raises(Usage):
        Deed(act=act, officer=FIRST, at_micros=1, reason="a\nb")


def test_in_force_is_granted_and_in_its_time() -> None:
    for state in State:
        assert _in(state).in_force(ON) is (state is State.GRANTED)
    granted = _in(State.GRANTED)
    days = ((2025, 12, 31), (2026, 1, 1), (2030, 12, 31), (2031, 1, 1))
    assert [granted.in_force(dt.date(*day)) for day in days] == [False, True, True, False]


def test_nothing_expires_before_its_time_and_no_clock_goes_back() -> None:
    with pytest.raises(Refused, match="valid until"):
        _in(State.GRANTED).done(_deed(Act.EXPIRE), dt.date(2030, 12, 31))
    with pytest.raises(Refused, match="clock"):
        _in(State.GRANTED).done(_deed(Act.SUSPEND, at=0), ON)


@pytest.mark.parametrize(
    ("kind", "one", "other", "overlap"),
    [
        (Kind.ISSUER_NUMBER, "621462", "62146201", True),
        (Kind.ISSUER_NUMBER, "62146201", "62146202", False),
        (Kind.CARD_RANGE, "5180000001000000-5180000001999999", "5180000001999999-5180000002999999", True),
        (Kind.CARD_RANGE, "5180000001000000-5180000001999999", "5180000002000000-5180000002999999", False),
        (
            Kind.CARD_RANGE,
            "5180000001000000-5180000001999999",
            "5180000001500000000-5180000001500000999",
            True,
        ),
        (Kind.TAG_OWNER, "6901234", "690123456", True),
        (Kind.TAG_OWNER, "6901234", "6901235", False),
        (Kind.RID, "A000000333", "a000000333", True),
        (Kind.AID, "F04A494E4B414944", "F04A494E4B4149", False),
    ],
)
def test_numbers_do_not_overlap(kind: Kind, one: str, other: str, overlap: bool) -> None:
    parents = [_in(State.GRANTED, _make(Kind.ISSUER_NUMBER, "518000"))]
    there, new = _make(kind, one), _make(kind, other, number=2)
    if overlap:
        with pytest.raises(Refused, match="overlaps"):
            check_application(new, [there], parents, ON)
        return
    low, high = there.reach
    assert new.reach[0] > high or new.reach[1] < low
    check_application(new, [], parents, ON)


def test_what_was_given_once_is_given_to_nobody_else() -> None:
    same, other = _make(number=2), _make(holder="org.b", number=3)
    for state in State:
        there = _in(state)
        over = state in (State.EXPIRED, State.WITHDRAWN)
        never = state in (State.REFUSED, State.DISMISSED)  # a refusal that was upheld
        assert there.bars(other) is not never
        assert there.bars(same) is not (never or over)
    taken = _in(State.WITHDRAWN).done(_deed(Act.APPEAL), ON)
    assert taken.bars(same)
    assert taken.done(_deed(Act.DISMISS, THIRD), ON).bars(other)
    never_granted = _make().done(_deed(Act.WITHDRAW), ON)
    assert not never_granted.bars(other)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (_make(Kind.AID, "A000000333010101"), _make()),
        (
            _make(Kind.CARD_RANGE, "5180000001000000-5180000001999999"),
            _make(Kind.ISSUER_NUMBER, "51800000"),
        ),
        (_make(Kind.TERMINAL, "440300000001", under="44030001"), _make(Kind.CENTRE, "44030001")),
        (_make(Kind.PSAM, "44030001440300000001", under="44030001"), _make(Kind.CENTRE, "44030001")),
    ],
)
def test_nothing_rests_on_what_is_not_in_force(child: Registration, parent: Registration) -> None:
    check_parent(child, [_in(State.GRANTED, parent)], ON)
    for state in State:
        if state is not State.GRANTED:
            with pytest.raises(Refused, match="in force"):
                check_parent(child, [_in(state, parent)], ON)
    with pytest.raises(Refused, match="in force"):
        check_parent(child, [_in(State.GRANTED, parent)], OVER)
    with pytest.raises(Refused, match="in force"):
        check_parent(child, [], ON)
    with pytest.raises(Refused, match="in force"):
        check_parent(child, [_in(State.GRANTED, _make(Kind.RID, "A000000334"))], ON)


def test_another_holders_number_is_no_ground() -> None:
    parent = _in(State.GRANTED, _make(holder="org.b"))
    with pytest.raises(Refused, match="another holder"):
        check_parent(_make(Kind.AID, "A000000333010101"), [parent], ON)


def test_a_range_that_leaves_its_issuer_number() -> None:
    parent = _in(State.GRANTED, _make(Kind.ISSUER_NUMBER, "51800000"))
    with pytest.raises(Refused, match="in force"):
        check_parent(_make(Kind.CARD_RANGE, "5180000001000000-5180000101999999"), [parent], ON)


def test_a_proprietary_application_rests_on_nothing() -> None:
    check_application(_make(Kind.AID, "F04A494E4B414944"), [], [], ON)


def test_wrong_applications() -> None:
    with pytest.raises(Usage):
        check_application(_make(holder="a b"), [], [], ON)
    with pytest.raises(Usage):
        check_application(_make(under="44030001"), [], [], ON)
    with pytest.raises(Usage):
        check_application(_make(), [], [], OVER)
    with pytest.raises(Refused):
        check_application(_make(Kind.TERMINAL, "440300000001"), [], [], ON)  # under no centre


def test_a_citizen_is_not_shown() -> None:
    citizen = _make(Kind.CITIZEN, "11010519491231002X")
    assert "19491231" not in citizen.masked + repr(citizen)


def test_officers_read_both_languages() -> None:
    assert (set(KINDS), set(STATES), set(ACTS)) == (set(Kind), set(State), set(Act))
    assert all(
        en.isascii() and not zh.isascii() for words in (KINDS, STATES, ACTS) for en, zh in words.values()
    )


def test_an_appeal_is_decided_by_others_and_in_time() -> None:
    refused = _in(State.REFUSED)
    with pytest.raises(Refused, match="60 days"):
        refused.done(_deed(Act.APPEAL, at=1 + 61 * 86_400_000_000), ON)
    appealed = refused.done(_deed(Act.APPEAL, FIRST, at=60 * 86_400_000_000), ON)
    for officer in (FIRST, SECOND):
        for act in (Act.ALLOW, Act.DISMISS):
            with pytest.raises(Refused, match="second officer"):
                appealed.done(_deed(act, officer, at=appealed.deeds[-1].at_micros), ON)
    late = appealed.deeds[-1].at_micros
    again = appealed.done(_deed(Act.ALLOW, THIRD, at=late), ON)
    assert again.state is State.REVIEWED
    assert again.done(_deed(Act.GRANT, SECOND, at=late), ON).in_force(ON)


def test_a_grant_needs_terms_documents_and_a_reason() -> None:
    terms = Terms.of({"item": ["card"]})
    draft = dataclasses.replace(_make(Kind.MAKER_LICENCE, "xk09-008-00001"), terms=terms)
    check_application(draft, [], [], ON)
    assert draft.value == "XK09-008-00001"
    for wrong in (dataclasses.replace(draft, terms=None), dataclasses.replace(_make(), terms=terms)):
        with pytest.raises(Usage, match="terms"):
            check_application(wrong, [], [], ON)
    with pytest.raises(Refused, match="no document"):
        draft.done(_deed(Act.REVIEW), ON)
    reviewed = draft.done(dataclasses.replace(_deed(Act.REVIEW), documents=("ab" * 32,)), ON)
    with pytest.raises(Usage, match="no reason"):
        reviewed.done(Deed(act=Act.GRANT, officer=SECOND, at_micros=1), ON)
    assert reviewed.done(_deed(Act.GRANT), ON).in_force(ON)
    with pytest.raises(Usage, match="digests"):
        dataclasses.replace(_deed(Act.REVIEW), documents=("AB" * 32,))
