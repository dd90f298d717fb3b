"""A terminal and its host never disagree for good about money. Goal: no forged, late, lost or foreign answer and no
kill leaves a holder charged for nothing, or a sale that nobody pays. Method: a host with books of its own, every fault
alone, and then random faults and kills by Hypothesis; the books are compared once there is a line again.
"""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.kit import JinkaError, Refused, Usage
from jinka.terminal import TILL_STEPS, VERBS, PadKeys, PadMac, TillState, TillStep, from_kept, to_kept
from jinka.terminal.till_states import TillEntry, totals_of
from tests.terminal.till_rig import CARD, KEYS, PAN, Host, Killed, Paper, pad, reread, till

SALE = VERBS["sale"]
DIALECTS = ("unionpay-pos", "iso1987-binary")
# A fault -> what the terminal makes of the sale at once.
AT_ONCE = {
    "": TillState.APPROVED, "gone": TillState.UNSENT, "deaf": TillState.OWED, "mute": TillState.OWED,
    "garbage": TillState.OWED, "forged": TillState.OWED, "no_mac": TillState.OWED, "decline": TillState.OWED,
    "stray": TillState.APPROVED, "amount": TillState.OWED,
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("fault", AT_ONCE)
def test_what_nobody_vouches_for_is_taken_back(fault: str, name: str) -> None:
    host, paper = Host(name), Paper()
    shop = till(host, paper)
    host.faults = [fault]
    entry = shop.ask(SALE, 1_000, CARD, pin="123456").entry
    assert entry.state is AT_ONCE[fault]
    if entry.state is TillState.APPROVED:
        entry = shop.complete(entry)
    shop.settle_debts()
    good = shop.find(entry.trace).state is TillState.DONE
    assert host.charged == (1_000 if good else 0)
    assert not shop.owed


def test_a_reversal_goes_before_the_next_sale_and_stops_it_when_it_cannot() -> None:
    host, paper = Host(), Paper()
    shop = till(host, paper)
    host.faults = ["mute", "mute", "mute"]
    shop.ask(SALE, 1_000, CARD)
    with pytest.raises(Refused, match="what is owed"):
        shop.ask(SALE, 2_000, CARD)
    entry = shop.complete(shop.ask(SALE, 2_000, CARD).entry)
    assert [m.mti for m in host.seen] == ["0200", "0400", "0400", "0400", "0200"]
    assert (host.charged, entry.state) == (2_000, TillState.DONE)


@pytest.mark.parametrize(("code", "state"), [("12", TillState.DISPUTED), ("25", TillState.REVERSED)])
def test_a_reversal_that_the_host_refuses_is_for_a_person(code: str, state: TillState) -> None:
    host, paper = Host(codes={"0400": code}), Paper()
    shop = till(host, paper)
    host.faults = ["mute"]
    entry = shop.ask(SALE, 1_000, CARD).entry
    shop.settle_debts()
    assert shop.find(entry.trace).state is state
    assert bool(shop.disputed) is (state is TillState.DISPUTED)


def test_a_card_that_refuses_what_the_host_approved_is_not_charged() -> None:
    host, paper = Host(), Paper()
    shop = till(host, paper)
    entry = shop.refuse(shop.ask(SALE, 1_000, CARD).entry)
    assert (entry.state, host.charged) == (TillState.REVERSED, 0)
    assert host.seen[-1].text(39) == "06"


def test_a_fact_is_told_until_it_is_heard() -> None:
    host, paper = Host(), Paper()
    shop = till(host, paper)
    shop.advise(700, CARD)
    host.faults = ["deaf", "mute"]
    with pytest.raises(Refused, match="owed"):
        shop.settle_debts()
    [entry] = till(host, reread(paper)).settle_debts()
    assert (entry.state, host.charged) == (TillState.DONE, 700)
    assert {m.text(11) for m in host.seen} == {entry.trace}


def test_what_is_about_another_transaction_needs_a_finished_one() -> None:
    host, paper = Host(), Paper()
    shop = till(host, paper)
    sale = shop.complete(shop.ask(SALE, 1_000, CARD).entry)
    with pytest.raises(Usage, match="another amount"):
        shop.ask(VERBS["void"], 999, CARD, original=sale)
    with pytest.raises(Refused, match="finished"):
        shop.ask(VERBS["completion"], 1_000, CARD, original=sale)
    shop.complete(shop.ask(VERBS["void"], 1_000, CARD, original=sale).entry)
    for again in ("void", "refund"):
        with pytest.raises(Refused, match="already"):
            shop.ask(VERBS[again], 1_000, CARD, original=sale)
    for fen in (0, 10**12):
        with pytest.raises(Usage, match="amount"):
            shop.ask(SALE, fen, CARD)


FAULTS = st.sampled_from(
    ["", "", "", "gone", "deaf", "mute", "garbage", "forged", "decline", "stray", "die", "die after"]
)
TURN = st.tuples(
    st.integers(1, 5_000), st.sampled_from(["good", "refuse", "kill"]), st.integers(-3, 4), st.booleans()
)


@given(
    name=st.sampled_from(DIALECTS),
    faults=st.lists(FAULTS, max_size=12),
    turns=st.lists(TURN, min_size=1, max_size=6),
)
def test_after_any_faults_and_kills_both_books_say_the_same(
    name: str, faults: list[str], turns: list[tuple[int, str, int, bool]]
) -> None:
    host, paper = Host(name), Paper()
    host.faults = faults
    for fen, end, power, after in turns:
        paper = reread(paper)
        shop = till(host, paper)  # each turn begins as after a kill: the journal is all that is left
        paper.power, paper.after = power, after
        host.out.clear()
        with contextlib.suppress(Killed, Refused):
            entry = shop.ask(SALE, fen, CARD).entry
            if entry.state is TillState.APPROVED and end == "good":
                shop.complete(entry)
            elif entry.state is TillState.APPROVED and end == "refuse":
                shop.refuse(entry)
    host.faults = []
    shop = till(host, reread(paper))
    shop.settle_debts()
    sums = totals_of(shop.entries.values(), shop.batch)
    assert host.charged == sums.debit_fen
    assert not shop.owed
    assert not shop.disputed


def test_a_step_that_the_table_does_not_have_is_an_error() -> None:
    host, paper = Host(), Paper()
    shop = till(host, paper)
    entry = shop.complete(shop.ask(SALE, 1_000, CARD).entry)
    for step in TillStep:
        assert (entry.state, step) not in TILL_STEPS
        with pytest.raises(JinkaError, match="no step"):
            entry.after(step)


def test_an_entry_says_no_number_and_survives_its_bytes() -> None:
    host, paper = Host(), Paper()
    entry = till(host, paper).ask(SALE, 1_000, CARD).entry
    assert PAN not in repr(entry)
    assert entry.masked == "622800******1117"
    assert from_kept(b"TEST", TillEntry, to_kept(b"TEST", entry)) == entry


def test_the_work_keys_of_a_sign_in() -> None:
    """The value under its master key is a published one (a UnionPay terminal's work key)."""
    master = bytes.fromhex("70F2A84CCBC2AE8625CBB0F2C22AB923")
    wrapped = bytes.fromhex("96D605EA176B7E9E")
    clear = bytes.fromhex("C24A8FB57AA20123")
    tdes = BlockKey(cipher=BlockCipher.TDES, value=master)
    assert {tdes.encrypt(wrapped), tdes.decrypt(wrapped)} & {clear}

    def part(value: bytes, room: int = 0) -> bytes:
        check = BlockKey(cipher=BlockCipher.TDES, value=value).check_value(size=4)
        return tdes.encrypt(value).ljust(room, b"\0") + check

    pin, mac, single = bytes(range(16)), bytes(range(16, 32)), bytes(range(16, 24))
    keys = PadKeys(storage=bytes(32), master=master)
    for field62, mac_key in (
        (part(pin) + part(mac), mac),
        (part(pin) + part(single, 16), single),
        (part(pin[:8]) + part(single), single),
        (part(pin) + part(mac) + part(pin), mac),
    ):
        there = pad(PadMac.POS, keys)
        assert not there.signed_in
        there.take_keys(field62)
        assert (there.signed_in, there.keys.mac) == (True, mac_key)
        for bad in (field62[:-1], field62[:-1] + b"\0", b"\0" * len(field62), b""):
            before = there.keys
            if bad != field62 and not (len(field62) == 60 and len(bad) == 60 and bad[:40] == field62[:40]):
                with pytest.raises(Refused):
                    there.take_keys(bad)
            assert there.keys == before
    with pytest.raises(Refused, match="sign in"):
        pad(PadMac.POS, keys).pin_block("123456", PAN)
    assert "00010203" not in repr(KEYS) + repr(pad())


@pytest.mark.parametrize("name", DIALECTS)
def test_an_answer_of_which_a_single_bit_differs_is_none(name: str) -> None:
    class Flipping(Host):
        at = 1 << 20

        def receive(self) -> bytes | None:
            given = super().receive()
            if given is None or self.at >= 8 * len(given):
                return given
            at, bit = divmod(self.at, 8)
            return given[:at] + bytes((given[at] ^ 1 << bit,)) + given[at + 1 :]

    host, paper = Flipping(name), Paper()
    shop = till(host, paper)
    good = shop.complete(shop.ask(SALE, 100, CARD).entry)
    size = 8 * len(host.messages.seal(host.answer(host.seen[0]), host.pad))
    for at in range(0, size, 5):
        host.at = at
        assert shop.ask(SALE, 100, CARD).entry.state is TillState.OWED, at
        host.at = 1 << 20
        shop.settle_debts()
    assert (host.charged, good.state) == (100, TillState.DONE)


@given(raw=st.binary(max_size=200))
def test_any_bytes_for_an_answer(raw: bytes) -> None:
    class Noise(Host):
        def receive(self) -> bytes | None:
            return raw if super().receive() else None

    host, paper = Noise(), Paper()
    assert till(host, paper).ask(SALE, 100, CARD).entry.state is TillState.OWED


def test_a_line_is_signed_on_before_anything_goes_over_it() -> None:
    class Opening(Host):
        fresh = True

        def open(self) -> bool:
            fresh, self.fresh = self.fresh, False
            return fresh

        def close(self) -> None:
            super().close()
            self.fresh = True

    host, paper = Opening("iso1987-binary"), Paper()
    shop = till(host, paper)
    shop.messages.signs_on = True
    shop.complete(shop.ask(SALE, 100, CARD).entry)
    shop.complete(shop.ask(SALE, 100, CARD).entry)
    assert [(m.mti, m.text(70)) for m in host.seen] == [("0800", "001"), ("0200", ""), ("0200", "")]
    host.fresh, host.faults = True, ["deaf"]  # the sign-on gets no answer: the host never heard of the sale
    assert shop.ask(SALE, 100, CARD).entry.state is TillState.UNSENT
    assert host.charged == 200
