"""What goes wrong at a terminal, over TCP with the switch and the issuer's host: nobody is charged for nothing.

Method: the street of `tests.app.pos_rig`, started once; faults are made on the line, at the card, and by stopping the
terminal between two steps.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.app.note_dispenser import NoteDispenser
from jinka.app.pos import Terminal
from jinka.app.pos_config import opened_till, read_pad, read_pos_file, write_pad
from jinka.app.pos_counter import Counter, Slip, Tender
from jinka.card import Card
from jinka.issuer import Entry
from jinka.kit import Refused, Usage
from jinka.node.host_line import LineTerms, TcpHostLine
from jinka.node.system import SystemRandomness
from jinka.terminal import (
    VERBS,
    Capability,
    CardFacts,
    CardRemoved,
    HostGone,
    TillEntry,
    TillState,
    settle_batch,
)
from tests.app.pos_rig import LATER, SIGNING, Street, street
from tests.card.emv_rig import CA_KEY, PAN, issued
from tests.switch.test_tls import Office
from tests.terminal.emv_rig import APPLICATION, Tap

SALE = VERBS["sale"]


class Lossy(TcpHostLine):
    """Loses the answers that it is told to lose; they have left the host."""

    lost = 0

    def receive(self) -> bytes | None:
        given = super().receive()
        if self.lost:
            self.lost -= 1
            return None
        return given


class Wedge(Tap):
    """Spoils the issuer's cryptogram on its way into the card."""

    def transmit(self, command: bytes) -> bytes:
        if command[1] == 0x82:
            command = command[:5] + bytes((command[5] ^ 1,)) + command[6:]
        return super().transmit(command)


class Dead:
    """A chip that does not answer."""

    def transmit(self, command: bytes) -> bytes:
        raise CardRemoved("no answer", where="reader")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("street")) as there:
        yield there


@pytest.fixture(scope="module")
def card() -> Card:
    return issued()


class Shop:
    """A terminal with a line that can be told to lose answers."""

    def __init__(self, counter: Counter, line: Lossy) -> None:
        self.counter, self.till, self.line = counter, counter.till, line

    def buy(self, card: Card, fen: int, pin: str = "123456", **more: object) -> Slip:
        tender = Tender(link=Tap(card), pin=lambda: pin)
        return self.counter.serve(SALE, fen, replace(tender, **more))


@contextmanager
def shop(file: Path) -> Iterator[Shop]:
    read, lines = read_pos_file(file), list[Lossy]()

    def dial(terms: LineTerms) -> Lossy:
        lines.append(Lossy(terms))
        return lines[0]

    with opened_till(read, line=dial) as till:
        yield Shop(Counter(till, read.device, SystemRandomness()), lines[0])


def test_a_lost_answer_is_taken_back_and_nothing_is_charged(town: Street, card: Card, tmp_path: Path) -> None:
    before, file = town.held, town.toml(tmp_path, terminal="80000030")
    with shop(file) as there:
        there.line.lost = 2  # the sale's, and the first reversal's
        slip = there.buy(card, 5_000)
        assert (slip.status, slip.approved) == ("owed", False)
        good = there.buy(card, 700)
        assert good.approved
        town.settle()
        assert town.held == before - 700
        closed = settle_batch(there.till)
        assert (closed.equal, closed.totals.debit_fen) == (True, 700)


def test_a_card_that_refuses_the_issuers_cryptogram_is_not_charged(
    town: Street, card: Card, tmp_path: Path
) -> None:
    before = town.held
    with shop(town.toml(tmp_path, terminal="80000031")) as there:
        slip = there.buy(card, 5_000, link=Wedge(card))
        assert slip.status == "reversed", slip
        assert slip.why == "the card declined what the issuer approved"
        town.settle()
        assert town.held == before


def test_stopped_between_the_answer_and_the_receipt(town: Street, card: Card, tmp_path: Path) -> None:
    before, file = town.held, town.toml(tmp_path, terminal="80000032")
    stored = CardFacts(pan=PAN, expiry4="2812", sequence="001", entry_mode="10")
    with shop(file) as there:
        reply = there.till.ask(VERBS["preauth"], 9_000, stored)
        assert reply.approved
        assert town.held == before - 9_000
    with shop(file) as there:
        assert [e.state for e in there.till.settle_debts()] == [TillState.REVERSED]
        town.settle()
        assert town.held == before


def test_the_stripe_of_a_chip_that_failed(town: Street, card: Card, tmp_path: Path) -> None:
    value = town.bank.value("220", PAN).value
    track = f"{PAN}=281222000000{value}"
    before = town.held
    with shop(town.toml(tmp_path, terminal="80000033")) as there:
        refused = there.buy(card, 400, link=None, track2=track)
        assert (refused.status, refused.why) == ("refused", "chip card: insert it")
        slip = there.buy(card, 400, link=Dead(), track2=track)
        assert (slip.status, slip.entry_mode) == ("done", "80"), slip
        forged = there.buy(card, 400, link=Dead(), track2=track[:-3] + "000")
        assert (forged.status, forged.code) == ("declined", "05")
        assert town.held == before - 400
    rows = [row for row in town.bank.books.all_bookings() if row.card == town.known.id]
    assert rows[-1].entry is Entry.FALLBACK
    assert all(row.terminal_chip for row in rows), "field 60 says that the terminal reads chips"


def test_a_tap_goes_online_above_the_floor(town: Street, card: Card, tmp_path: Path) -> None:
    before = town.held
    with shop(town.toml(tmp_path, terminal="80000034")) as there:
        slip = there.buy(card, 2_500, contactless=True)
        assert (slip.status, slip.entry_mode) == ("done", "07"), slip
        assert town.held == before - 2_500


def test_what_a_chip_paid_offline_is_told_before_the_next_question(
    town: Street, card: Card, tmp_path: Path
) -> None:
    before = town.held
    with shop(town.toml(tmp_path, terminal="80000037")) as there:
        device = read_pos_file(tmp_path / "pos.toml").device
        aids = (replace(APPLICATION, floor_limit_fen=50_000),)
        any_pin = Capability(0xE0F8C8)  # one for the issuer asks the issuer
        knowing = replace(device, ca_keys=(CA_KEY,), aids=aids, capabilities=any_pin)
        offline = Counter(there.till, knowing, SystemRandomness())
        assert there.buy(card, 50).approved  # so the card has heard of its issuer
        slip = offline.serve(SALE, 800, Tender(link=Tap(card), pin=lambda: "123456"))
        assert (slip.status, slip.code) == ("done", "Y1"), slip
        assert town.held == before - 50
        assert [e.state for e in there.till.owed] == [TillState.TOLD]
        assert there.buy(card, 100).approved
        assert not there.till.owed
        town.settle()
        assert town.held == before - 950
        closed = settle_batch(there.till)
        assert (closed.equal, closed.totals.debits) == (True, 3)


def test_a_wrong_pin_three_times(town: Street, card: Card, tmp_path: Path) -> None:
    before = town.held
    with shop(town.toml(tmp_path, terminal="80000035")) as there:
        codes = [there.buy(card, 100, pin).code for pin in ("111111", "222222", "333333", "123456")]
        assert codes == ["55", "55", "55", "75"]
        town.give_up_tries()
        assert there.buy(card, 100).approved
        assert town.held == before - 100


def test_a_batch_whose_totals_differ_is_told_item_by_item(town: Street, card: Card, tmp_path: Path) -> None:
    with shop(town.toml(tmp_path, terminal="80000036")) as there:
        for fen in (300, 400):
            assert there.buy(card, fen).approved
        key, entry = next(iter(there.till.entries.items()))
        there.till.entries[key] = replace(entry, amount_fen=301)
        closed = settle_batch(there.till)
        assert (closed.equal, closed.told, closed.items) == (False, 2, 2)
        assert there.till.batch == "000002"
        counts = town.runner.core.board.counts
        assert (counts["upload_differs", "pos"], counts["upload_same", "pos"]) == (1, 1)


def test_a_terminal_that_signs_in(town: Street, card: Card, tmp_path: Path) -> None:
    """Work keys come under the master key; a batch that is settled begins with a sign-in; stale keys are renewed."""
    before, file = town.held, town.toml(tmp_path, "signing", SIGNING, more='sign_in = "003"')
    with shop(file) as there:
        assert not there.till.pad.signed_in
        assert there.buy(card, 100).approved
        assert there.till.pad.signed_in
        for _ in range(2):  # the second is empty, and begins with a sign-in all the same
            assert settle_batch(there.till).equal
        assert there.buy(card, 200).approved
        assert there.till.batch == "000003"
    pad = read_pos_file(file).pad
    keys = read_pad(pad)
    assert keys.mac, "the keys of the sign-in are kept"
    write_pad(pad, replace(keys, mac=bytes(range(8))))  # as after a sign-in elsewhere
    with shop(file) as there:
        slip = there.buy(card, 300)
        assert not slip.approved
        assert there.buy(card, 400).approved
        town.settle()
        assert town.held == before - 700


class Jam(NoteDispenser):
    """Loses power before or after the notes leave."""

    before = True

    def pay(self, entry: TillEntry) -> int:
        if not self.before:
            super().pay(entry)
        raise KeyboardInterrupt


@pytest.mark.parametrize("before", [True, False])
def test_a_cash_terminal_that_stops_while_it_pays(
    town: Street, card: Card, tmp_path: Path, before: bool
) -> None:
    held, number = town.held, f"9000004{int(before)}"
    file = town.toml(tmp_path, "atm", number)
    read = read_pos_file(file, atm=True)
    notes = Jam(read.folder / "notes")
    notes.before = before
    with opened_till(read) as till, pytest.raises(KeyboardInterrupt):
        Counter(till, read.device, SystemRandomness(), dispense=notes.pay).serve(
            VERBS["cash"], 20_000, Tender(link=Tap(card), pin=lambda: "123456")
        )
    with opened_till(read) as till:
        Terminal(read, till, NoteDispenser(read.folder / "notes")).resume()
        [entry] = till.entries.values()
        assert entry.state is (TillState.REVERSED if before else TillState.DONE)
    town.settle()
    assert town.held == held - (0 if before else 20_000)


def test_a_dispenser_that_runs_dry_charges_what_it_paid(town: Street, card: Card, tmp_path: Path) -> None:
    """A part was handed out: the reversal says what stays (field 95), also when its answer is lost at first."""
    held, file = town.held, town.toml(tmp_path, "atm", "90000050", more="cash_fen = 15000")
    read, wires = read_pos_file(file, atm=True), list[Lossy]()

    def dial(terms: LineTerms) -> Lossy:
        wires.append(Lossy(terms))
        return wires[0]

    with opened_till(read, line=dial) as till:
        notes = NoteDispenser(read.folder / "notes", read.cash_fen)

        def pay(entry: TillEntry) -> int:
            wires[0].lost = 1
            return notes.pay(entry)

        slip = Counter(till, read.device, SystemRandomness(), dispense=pay).serve(
            VERBS["cash"], 20_000, Tender(link=Tap(card), pin=lambda: "123456")
        )
        assert slip.status == "part"
        [entry] = till.settle_debts()
        assert (entry.state, entry.amount_fen) == (TillState.DONE, 15_000)
        town.settle()
        assert town.held == held - 15_000
        closed = settle_batch(till)
        assert (closed.equal, closed.totals.debit_fen) == (True, 15_000)


def test_a_transfer_at_a_cash_terminal(town: Street, card: Card, tmp_path: Path) -> None:
    """To an account of the same bank, and back by a reversal when the card has the last word and says no."""
    held, there = town.held, town.bank.available("L")
    read = read_pos_file(town.toml(tmp_path, "atm", "90000051"), atm=True)
    with opened_till(read) as till:
        counter = Counter(till, read.device, SystemRandomness())
        for link, good in ((Tap(card), True), (Wedge(card), False)):
            slip = counter.serve(
                VERBS["transfer"], 6_000, Tender(link=link, pin=lambda: "123456"), target=LATER.pan
            )
            assert slip.approved is good, slip
        town.settle()
        assert town.held == held - 6_000
        assert town.bank.available("L") == there + 6_000


def test_a_host_that_sends_anything(tmp_path: Path, town: Street, card: Card) -> None:
    """Half frames, false lengths, silence, and a line that is cut: no approval, and the debt stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        nasty = [
            b"",
            b"\xff\xff" + bytes(10),
            b"\x00\x20" + bytes(7),
            b"\x00\x13" + bytes.fromhex("6000000003") + bytes(14),
        ]

        def serve() -> None:
            for out in nasty:
                line, _ = server.accept()
                with line:
                    line.recv(4096)
                    line.sendall(out)

        thread = threading.Thread(target=serve)
        thread.start()
        file = town.toml(tmp_path, terminal="80000050", port=server.getsockname()[1])
        text = file.read_text().replace("answer_s = 3.0", "answer_s = 0.2")
        file.write_text(text)
        with shop(file) as there:
            assert there.buy(card, 100).status == "owed"
            with pytest.raises(Refused):
                there.till.settle_debts()
        thread.join(10)
    with shop(town.toml(tmp_path, terminal="80000050")) as there:
        assert [e.state for e in there.till.settle_debts()] == [TillState.REVERSED]  # the host never had it


def test_a_line_under_tls_goes_to_whom_it_was_meant_for(tmp_path: Path) -> None:
    """The host's certificate must be of our authority and carry its name, and ours is asked for."""
    office = Office(tmp_path)
    switch, till = office.give("switch"), office.give("till")
    heard: list[bytes] = []

    def serve(server: socket.socket) -> None:
        for _ in range(3):
            raw, _ = server.accept()
            with suppress(ssl.SSLError, OSError), switch.server().wrap_socket(raw, server_side=True) as line:
                data = line.recv(100)
                heard.append(data)
                line.sendall(data)
            raw.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        for tls, good in (
            (till, True),
            (replace(till, name="another.sz.example"), False),
            (office.give("stranger", stranger=True), False),
        ):
            with TcpHostLine(LineTerms(host="127.0.0.1", port=port, tls=tls, answer_s=2)) as line:
                with suppress(HostGone):
                    line.open()
                    line.send(b"hello")
                assert (line.receive() == b"hello") is good
        thread.join(10)
    assert [data for data in heard if data] == [b"\0\5hello"]


def test_a_pad_and_a_file_are_checked(town: Street, tmp_path: Path) -> None:
    file = town.toml(tmp_path, terminal="80000051")
    pad = read_pos_file(file).pad
    pad.chmod(0o644)
    with pytest.raises(Refused, match="others"), shop(file):
        pass
    pad.chmod(0o600)
    with shop(file) as there:
        there.till.advise(100, CardFacts(pan=PAN))
    journal = read_pos_file(file).folder / "journal"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([lines[0], lines[0]]) + "\n")
    with pytest.raises(Refused), shop(file):
        pass
    for bad in ("[terminal]\nid = 1", "[host]", "[terminal]\ncolour = 1", "x ="):
        file.write_text(bad)
        with pytest.raises(Usage):
            read_pos_file(file)
