"""Reads become arrivals and departures.

Goal: nobody who is there is sent away, nobody who left stays, a blind reader proves nothing. Method: seeded tags with
known visits and read rates, and each rule by itself.
"""

from __future__ import annotations

import random

import pytest

from jinka.trace.presence import Arrival, Departure, Presence, PresenceRules, Sighting, silent_epochs

EPOCH = 250_000
SECOND = 1_000_000


def _sight(at: int, *, tag: str = "t", count: int = 1, side: str = "", rssi: int | None = None) -> Sighting:
    return Sighting(
        tag=tag, place="dock", first_micros=at, last_micros=at, count=count, side=side, rssi_dbm=rssi
    )


def _played(
    rate: float, epochs: int, seed: int, rules: PresenceRules
) -> tuple[list[Arrival], list[Departure]]:
    """A tag that is there for so many epochs and answers in each with a chance; then nothing."""
    chance, presence = random.Random(seed), Presence({"dock": rules})
    came: list[Arrival] = []
    went: list[Departure] = []
    for epoch in range(epochs + 200):
        now = epoch * EPOCH
        if epoch < epochs and chance.random() < rate:
            arrival = presence.saw(_sight(now))
            came += [arrival] if arrival else []
        went += presence.tick(now)
    assert not list(presence.there("dock"))
    return came, went


@pytest.mark.parametrize("rate", [1.0, 0.9, 0.6, 0.3])
def test_a_tag_that_stays_is_one_stay_whatever_its_read_rate(rate: float) -> None:
    false = 0
    for seed in range(10):
        came, went = _played(rate, 1000, seed, PresenceRules())
        assert len(came) == len(went)
        assert went[-1].at_micros > 950 * EPOCH
        false += len(went) - 1
    assert false <= 1  # of 10,000 epochs


def test_a_reliable_tag_leaves_soon_and_a_weak_one_is_waited_for() -> None:
    def silence(rate: int) -> int:
        presence = Presence({"dock": PresenceRules(silence_least_micros=EPOCH)})
        for epoch in range(0, 200, rate):
            presence.saw(_sight(epoch * EPOCH))
        last = epoch * EPOCH
        for later in range(1, 400):
            if list(presence.tick(last + later * EPOCH)):
                return later
        raise AssertionError("it never leaves")

    assert silence(1) <= 4
    assert 10 < silence(3) < 40
    assert silence(3) < silence(6) <= 121  # the bound of 30 s
    assert silent_epochs(0.5, 2**-10) == 10
    assert silent_epochs(1.0, 1e-9) == 1


def test_a_new_tag_is_believed_to_answer_as_others_do_at_its_place() -> None:
    """Of tags that answer in every fifth epoch only, those that come later are not sent away at once."""
    chance = random.Random(3)
    presence = Presence()
    early = {f"e{n}" for n in range(50)}
    gone = list[Departure]()
    for epoch in range(400):
        if epoch == 200:
            gone = []
        tags = early if epoch < 200 else early | {f"late{n}" for n in range(200)}
        for tag in sorted(tags):
            if chance.random() < 0.2:
                presence.saw(_sight(epoch * EPOCH, tag=tag))
        gone += presence.tick(epoch * EPOCH)
    assert sum(str(each.tag).startswith("late") for each in gone) <= 4


def test_a_departure_has_the_time_of_the_last_read_and_silence_has_bounds() -> None:
    presence = Presence(
        {"dock": PresenceRules(silence_least_micros=5 * SECOND, silence_most_micros=6 * SECOND)}
    )
    assert presence.saw(_sight(0)) == Arrival(tag="t", place="dock", at_micros=0)
    for at in range(EPOCH, 10 * SECOND, EPOCH):
        assert presence.saw(_sight(at)) is None
    last = 10 * SECOND - EPOCH
    assert not list(presence.tick(last + 5 * SECOND - 1))
    (gone,) = presence.tick(last + 5 * SECOND)
    assert (gone.arrived_micros, gone.at_micros, gone.reads) == (0, last, 40)
    weak = Presence({"dock": PresenceRules(silence_most_micros=6 * SECOND)})
    for at in range(0, 60 * SECOND, 3 * SECOND):
        weak.saw(_sight(at))
    assert not list(weak.tick(57 * SECOND + 5_999_999))
    assert list(weak.tick(57 * SECOND + 6 * SECOND))


def test_duplicates_and_late_reads_change_nothing() -> None:
    once, often = Presence(), Presence()
    order = [at * EPOCH for at in range(20)]
    for at in order:
        once.saw(_sight(at))
    shuffled = order * 3
    random.Random(1).shuffle(shuffled)
    often.saw(_sight(0))
    for at in [order[-1], *shuffled]:
        often.saw(_sight(at))
    (first,) = once.tick(100 * SECOND)
    (second,) = often.tick(100 * SECOND)
    assert (first.arrived_micros, first.at_micros) == (second.arrived_micros, second.at_micros)


def test_a_ghost_is_counted_and_never_told() -> None:
    presence = Presence({"dock": PresenceRules(reads_least=3)})
    assert presence.saw(_sight(0, tag="ghost")) is None
    assert presence.saw(_sight(0, count=2)) is None
    assert not list(presence.there("dock"))
    assert presence.saw(_sight(EPOCH)) == Arrival(tag="t", place="dock", at_micros=0)
    assert [gone.tag for gone in presence.tick(40 * SECOND)] == ["t"]
    assert presence.ghosts == 1


def test_nobody_leaves_while_the_reader_is_lost_and_afterwards_it_is_said_to_be_uncertain() -> None:
    presence = Presence()
    for tag in ("stays", "leaves"):
        for at in range(0, 5 * SECOND, EPOCH):
            presence.saw(_sight(at, tag=tag))
    presence.blinded("dock", "reader 1", 5 * SECOND)
    presence.blinded("dock", "reader 2", 6 * SECOND)
    assert not list(presence.tick(100 * SECOND))
    presence.sighted("dock", "reader 1", 100 * SECOND)
    assert not list(presence.tick(199 * SECOND))  # the other is still away
    presence.sighted("dock", "reader 2", 200 * SECOND)
    presence.sighted("dock", "reader 2", 201 * SECOND)  # told twice
    assert not list(presence.tick(200 * SECOND + EPOCH))
    presence.saw(_sight(201 * SECOND + EPOCH, tag="stays"))
    (gone,) = presence.tick(202 * SECOND)
    assert (gone.tag, gone.at_micros, gone.uncertain_until_micros) == (
        "leaves",
        5 * SECOND - EPOCH,
        200 * SECOND,
    )
    (later,) = presence.tick(300 * SECOND)
    assert (later.tag, later.uncertain_until_micros) == ("stays", None)


def test_an_antenna_that_flickers_makes_one_blindness() -> None:
    presence = Presence()
    presence.saw(_sight(0))
    for number in range(10_000):
        presence.blinded("dock", "reader", number * 1_000)
        presence.sighted("dock", "reader", number * 1_000 + 500)
    assert presence._blind["dock"] == [[0, 9_999_500]]
    (gone,) = presence.tick(60 * SECOND)
    assert gone.uncertain_until_micros == 9_999_500


def test_blindness_does_not_make_a_tag_look_weak() -> None:
    presence = Presence({"dock": PresenceRules(silence_least_micros=EPOCH)})
    for at in range(0, 20 * SECOND, EPOCH):
        presence.saw(_sight(at))
    presence.blinded("dock", "reader", 20 * SECOND)
    presence.sighted("dock", "reader", 2000 * SECOND)
    presence.saw(_sight(2000 * SECOND))
    assert list(presence.tick(2001 * SECOND))  # four silent epochs are enough, as before


def test_what_is_kept_is_bounded() -> None:
    presence = Presence(stays_most=3)
    for number in range(10):
        presence.saw(_sight(number, tag=f"t{number}"))
    assert presence.left_out == 7
    assert len(list(presence.there("dock"))) == 3
    list(presence.tick(100 * SECOND))
    assert presence.saw(_sight(100 * SECOND, tag="t9")) is not None
