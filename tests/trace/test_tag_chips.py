"""The chip bound to the item. Goal: a copy and a tag written anew are told, a chip without a serial binds nothing."""

from __future__ import annotations

from jinka.trace.tag_chips import ChipBindings, ChipMismatch, ChipSign, has_serial

ONE = bytes.fromhex("E28011050000000012345678")
TWO = bytes.fromhex("E28011050000000012345679")


def test_the_first_sight_binds_and_the_same_again_is_silent() -> None:
    chips = ChipBindings()
    assert chips.saw("epc:1", ONE, 1, "dock") is True
    assert chips.saw("epc:1", ONE, 2, "dock") is False
    assert len(chips) == 1


def test_a_copy_and_a_rewritten_tag_are_told_each_time_and_change_nothing() -> None:
    chips = ChipBindings()
    chips.saw("epc:1", ONE, 1, "dock")
    for _ in range(2):
        copy = chips.saw("epc:1", TWO, 5, "gate")
        assert copy == ChipMismatch(
            sign=ChipSign.EPC_ON_ANOTHER_CHIP, epc="epc:1", tid=TWO, bound_epc="epc:1", bound_tid=ONE, at_micros=5,
            place="gate",
        )  # fmt: skip
    anew = chips.saw("epc:2", ONE, 6, "gate")
    assert isinstance(anew, ChipMismatch)
    assert (anew.sign, anew.bound_epc) == (ChipSign.CHIP_WITH_ANOTHER_EPC, "epc:1")
    chips.bind("epc:1", TWO)  # an officer says that the tag was replaced
    assert chips.saw("epc:1", TWO, 7, "gate") is False
    assert chips.saw("epc:2", ONE, 8, "gate") is True


def test_a_chip_without_a_serial_binds_nothing() -> None:
    chips = ChipBindings()
    for tid in (b"", ONE[:4], ONE[:4] + bytes(8), bytes(12), b"\xe3" + ONE[1:]):
        assert not has_serial(tid)
        assert chips.saw("epc:1", tid, 1, "dock") is False
    assert (chips.unserialised, len(chips)) == (5, 0)


def test_what_is_kept_is_bounded_and_the_forgetting_is_counted() -> None:
    chips = ChipBindings(most=2)
    tids = [ONE[:-1] + bytes((n,)) for n in range(4)]
    chips.saw("a", tids[0], 1, "")
    chips.saw("b", tids[1], 1, "")
    chips.saw("a", tids[0], 2, "")  # seen again: b is the older one now
    chips.saw("c", tids[2], 3, "")
    assert (len(chips), chips.forgotten) == (2, 1)
    assert isinstance(chips.saw("a", tids[3], 4, ""), ChipMismatch)
    assert chips.saw("b", tids[3], 5, "") is True
