"""The judgement of one card: each case is a little story, and random stories have the fault that was put in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing.judge import CardJudgement, Opening, Tap, judge_card
from jinka.clearing.reasons import Reason, Remark

OPENING = Opening(counter=10, online=3, balance=10_000)
FINE = Remark(0)


def story(*moves: int) -> list[Tap]:
    """Taps of a card from amounts: positive ones are purchases, negative ones loads; ids are positions."""
    counter, online, balance = OPENING.counter, OPENING.online, OPENING.balance
    taps = []
    for place, move in enumerate(moves):
        balance -= move
        if move < 0:
            taps.append(Tap(place, True, online, -move, balance))
            online += 1
        else:
            taps.append(Tap(place, False, counter, move, balance))
            counter += 1
    return taps


def judge(taps: list[Tap]) -> CardJudgement:
    return judge_card(OPENING, taps, gap_max=64)


def remarks(taps: list[Tap]) -> dict[int, Remark]:
    """The remarks that were made, by place in the story."""
    return {key: verdict.remarks for key, verdict in judge(taps).verdicts.items() if verdict.remarks}


def test_a_perfect_chain_has_no_remark() -> None:
    judgement = judge(story(0, 200, -5_000, 300, 400))
    assert all(v.remarks == FINE and v.reason is Reason.ACCEPTED for v in judgement.verdicts.values())
    assert (judgement.missing_count, judgement.missing_minor, judgement.nowhere_minor) == (0, 0, 0)


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_lost_purchase_is_a_gap_before_the_next_and_the_hole_has_its_price(lost: int) -> None:
    taps = story(200, 300, 400, 500, 600)
    price = taps.pop(lost).amount
    judgement = judge(taps)
    assert remarks(taps) == {lost + 1: Remark.COUNTER_GAP}
    assert (judgement.missing_count, judgement.missing_minor) == (1, price)


def test_a_gap_around_a_load_explains_the_balance_of_the_load() -> None:
    taps = story(200, 300, -5_000, 400)
    del taps[1]
    assert remarks(taps) == {3: Remark.COUNTER_GAP}


def test_a_lost_load_is_a_gap_of_the_loads() -> None:
    taps = story(200, -5_000, 300, -5_000, 400)
    del taps[1]
    assert remarks(taps) == {3: Remark.COUNTER_GAP}
    assert judge(taps).missing_minor == -5_000


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("change", [-777, 1, 4_999])
def test_a_changed_balance_is_one_finding_on_the_record_that_is_off(place: int, change: int) -> None:
    taps = story(0, 200, -5_000, 300, 400)
    taps[place] = replace(taps[place], balance=taps[place].balance + change)
    assert remarks(taps) == {place: Remark.BALANCE_BREAK}
    assert judge(taps).nowhere_minor == 0


def test_a_changed_balance_after_a_gap_is_blamed_on_the_changed_record() -> None:
    taps = story(200, 300, 400, 500, 600)
    del taps[1]
    taps[1] = replace(taps[1], balance=taps[1].balance + 4_000)
    assert remarks(taps) == {2: Remark.COUNTER_GAP | Remark.BALANCE_BREAK}


def test_money_from_nowhere_is_a_step_that_stays() -> None:
    taps = story(200, 300, 400, 500)
    taps = taps[:2] + [replace(tap, balance=tap.balance + 3_000) for tap in taps[2:]]
    assert remarks(taps) == {2: Remark.BALANCE_BREAK}
    assert judge(taps).nowhere_minor == 3_000


@pytest.mark.parametrize("change", [1_000, 20_000, -3, 1, -1])
def test_a_changed_counter_between_two_others_is_out_of_place(change: int) -> None:
    taps = story(200, 300, 400, 500, 600)
    taps[2] = replace(taps[2], counter=taps[2].counter + change)
    assert remarks(taps) == {2: Remark.COUNTER_BREAK}
    assert not any(v.at_risk for v in judge(taps).verdicts.values())


def test_a_clone_uses_a_counter_twice_and_the_one_that_fits_is_genuine() -> None:
    taps = story(200, 300, 400)
    clone = Tap(9, False, taps[1].counter, 250, taps[0].balance - 250)
    for place in (1, 2, 3):  # before, right after, and at the end
        with_clone = [*taps[:place], clone, *taps[place:]]
        judgement = judge(with_clone)
        assert remarks(with_clone) == {1: Remark.COUNTER_REUSED, 9: Remark.COUNTER_REUSED}
        assert [key for key, v in judgement.verdicts.items() if v.at_risk] == [9]


def test_a_clone_that_fits_as_well_is_the_later_one() -> None:
    taps = story(200, 300)
    judgement = judge([*taps, replace(taps[1], record_id=9)])
    assert [key for key, v in judgement.verdicts.items() if v.at_risk] == [9]
    assert all(v.reason is Reason.ACCEPTED for v in judgement.verdicts.values())  # an honest operator is paid


def torn(tap: Tap) -> Tap:
    return replace(tap, torn=True)


def test_a_torn_tap_is_paid_when_the_next_record_shows_the_debit() -> None:
    taps = story(200, 300, 400)
    taps[1] = torn(taps[1])
    assert remarks(taps) == {1: Remark.TORN_RESOLVED}
    assert judge(taps).verdicts[1].reason is Reason.ACCEPTED


def test_two_torn_taps_in_a_row_are_both_shown_by_the_third() -> None:
    taps = story(200, 300, 400)
    taps[0], taps[1] = torn(taps[0]), torn(taps[1])
    assert remarks(taps) == {0: Remark.TORN_RESOLVED, 1: Remark.TORN_RESOLVED}


def test_a_load_after_the_torn_tap_shows_the_debit_too() -> None:
    taps = story(200, 300, -5_000)
    taps[1] = torn(taps[1])
    assert remarks(taps) == {1: Remark.TORN_RESOLVED}


def test_a_torn_tap_whose_counter_was_used_again_was_not_debited() -> None:
    taps = story(200, 300, 400)
    attempt = Tap(9, False, taps[1].counter, 300, taps[1].balance, torn=True)
    judgement = judge([taps[0], attempt, *taps[1:]])
    assert judgement.verdicts[9].reason is Reason.NOT_DEBITED
    assert not remarks([taps[0], attempt, *taps[1:]])


def test_of_two_torn_taps_with_one_counter_nobody_can_tell_which_was_debited() -> None:
    taps = story(200, 300, 400)
    first, second = replace(torn(taps[1]), record_id=9), torn(taps[1])
    judgement = judge([taps[0], first, second, taps[2]])
    assert {judgement.verdicts[9].reason, judgement.verdicts[1].reason} == {Reason.UNRESOLVED}


INVENTED = {
    "a counter out of nowhere before a load": {
        "place": 1,
        "counter": 60_000,
        "amount": 9_999,
        "balance": 9_800,
    },
    "a hole before it": {"place": 3, "counter": 14, "amount": 300, "balance": 14_200},
    "more than the hole cost": {"place": 1, "counter": 11, "amount": 900, "balance": 9_500},
    "the next counter at an earlier time": {"place": 0, "counter": 13, "amount": 5, "balance": 9_995},
    "in the place of the opening": {"place": 0, "counter": 9, "amount": 0, "balance": 10_000},
}


@pytest.mark.parametrize("claim", INVENTED.values(), ids=INVENTED.keys())
def test_an_invented_torn_tap_is_never_paid_and_troubles_nobody(claim: dict[str, int]) -> None:
    taps = story(200, 300, -5_000, 400)
    if claim["amount"] == 900:
        del taps[1]
    before = remarks(taps)
    invented = Tap(9, False, claim["counter"], claim["amount"], claim["balance"], torn=True)
    told = [*taps[: claim["place"]], invented, *taps[claim["place"] :]]
    assert judge(told).verdicts[9].reason is not Reason.ACCEPTED
    assert remarks(told) == before


def test_a_torn_tap_whose_charge_the_tariff_does_not_explain_stays_in_suspense() -> None:
    taps = story(200, 300, 400)
    taps[1] = replace(torn(taps[1]), explained=False)
    assert judge(taps).verdicts[1].reason is Reason.UNRESOLVED


def test_a_torn_tap_is_not_proven_by_a_record_that_is_off_the_chain() -> None:
    """A dishonest terminal moves its own last record one counter on and invents a tap in its place."""
    taps = story(200, 300, 400, 500)
    invented = Tap(9, False, taps[2].counter, 150, taps[1].balance - 150, torn=True)
    moved = replace(taps[2], counter=taps[2].counter + 1, balance=taps[2].balance - 150)
    judgement = judge([*taps[:2], invented, moved, taps[3]])
    assert judgement.verdicts[9].reason is Reason.UNRESOLVED
    assert all(judgement.verdicts[n].reason is Reason.ACCEPTED for n in range(4))


def test_a_load_that_was_rejected_explains_the_step_and_the_holder_is_excused() -> None:
    for follow in ((), (400,), (400, 500)):
        taps = story(200, -5_000, 300, *follow)
        del taps[1]
        judgement = judge_card(OPENING, taps, gap_max=64, lost_loads=[5_000])
        assert judgement.excused == {2}
        assert judgement.verdicts[2].remarks == Remark.BALANCE_BREAK
        assert judgement.nowhere_minor == 0
        assert not judge(taps).excused


def test_a_torn_tap_without_a_later_record_stays_in_suspense() -> None:
    taps = story(200, 300)
    taps[1] = torn(taps[1])
    assert judge(taps).verdicts[1].reason is Reason.UNRESOLVED


def test_a_load_that_starts_from_the_old_balance_shows_that_nothing_was_debited() -> None:
    taps = story(200, -5_000)
    attempt = Tap(9, False, taps[0].counter + 1, 300, taps[0].balance - 300, torn=True)
    assert judge([taps[0], attempt, taps[1]]).verdicts[9].reason is Reason.NOT_DEBITED


MOVES = st.lists(st.one_of(st.integers(0, 900), st.integers(-9_000, -1)), min_size=1, max_size=12)


@given(MOVES)
def test_no_honest_story_is_doubted(moves: list[int]) -> None:
    assert not remarks(story(*moves))


@given(MOVES, st.data())
def test_a_changed_balance_is_found_wherever_it_is(moves: list[int], data: st.DataObject) -> None:
    taps = story(*moves)
    place = data.draw(st.integers(0, len(taps) - 1))
    change = data.draw(st.integers(-5_000, 5_000).filter(bool))
    taps[place] = replace(taps[place], balance=taps[place].balance + change)
    assert remarks(taps) == {place: Remark.BALANCE_BREAK}


@given(MOVES, st.data())
def test_what_is_lost_is_missed_by_exactly_its_price(moves: list[int], data: st.DataObject) -> None:
    taps = story(*moves, 100, -100)  # one of either kind follows, so that every hole can be seen
    place = data.draw(st.integers(0, len(moves) - 1))
    lost = taps.pop(place)
    judgement = judge(taps)
    after = next(tap.record_id for tap in taps[place:] if tap.online == lost.online)
    assert remarks(taps) == {after: Remark.COUNTER_GAP}
    assert judgement.missing_minor == -lost.effect


TAP = st.builds(
    Tap,
    record_id=st.just(0),
    online=st.booleans(),
    counter=st.integers(0, 65_535) | st.integers(0, 14),
    amount=st.integers(0, 2**32 - 1) | st.integers(0, 3),
    balance=st.integers(-(2**63), 2**63 - 1) | st.integers(9_990, 10_010),
    torn=st.booleans(),
)


@given(st.lists(TAP, max_size=9))
def test_any_records_get_one_verdict_each(taps: list[Tap]) -> None:
    numbered = [replace(tap, record_id=n) for n, tap in enumerate(taps)]
    judgement = judge(numbered)
    assert sorted(judgement.verdicts) == list(range(len(taps)))
    for tap in numbered:
        verdict = judgement.verdicts[tap.record_id]
        assert tap.torn or verdict.reason is Reason.ACCEPTED  # a valid TAC is never refused by the chain
        assert verdict.reason in (Reason.ACCEPTED, Reason.NOT_DEBITED, Reason.UNRESOLVED)
    assert judgement.nowhere_minor >= 0
