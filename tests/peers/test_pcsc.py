"""Programs that were not written here use Jinka's card. Goal: pcscd with vpcd, pyscard and opensc-tool do a complete
load and purchase, the PSAM in the second reader. Method: the terminals' kernels over links that are those programs.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jinka.app.bank_authority import read_ca_keys
from jinka.app.bench_purchase import FlatPricer, make_device
from jinka.app.card_files import (
    ISSUER_NUMBER,
    TEST_ISSUER,
    fresh_psam,
    make_test_keys,
    open_card,
    open_key_folder,
)
from jinka.app.card_latency import time_card
from jinka.app.card_samples import sample_card
from jinka.app.issue import IssueOptions, issue, open_letters
from jinka.card import Card, Personal, personalised
from jinka.codec import Algorithm
from jinka.codec.record import RecordState
from jinka.issuer import LoadHost
from jinka.kit import NotFound
from jinka.node.pcsc import PcscLink, choose_reader, list_readers
from jinka.node.pcscd import SOCKET_VARIABLE, PcscService
from jinka.profile import FileKind, FileSpec
from jinka.sectors.transit_shenzhen import PROFILE, PURSE_LIMIT_FEN
from jinka.sim.randomness import SeededRandomness
from jinka.tariff import TapKind
from jinka.terminal import (
    ApduLink,
    CardRemoved,
    EmvDevice,
    EmvTerminal,
    LoadDevice,
    LoadTerminal,
    PurseTerminal,
    QpbocTerminal,
    TapStatus,
)
from jinka.terminal.emv_data import EmvStatus, Tvr
from tests.peers.readers import chip_in_slot, has_card, wait_until
from tests.terminal.emv_rig import APPLICATION, Nobody, sale

AT = dt.datetime(2018, 9, 1, 8, 30)
LOAD_FEN, FARE_FEN = 5000, 200
NAGLE_MS = 5.0  # without the fix in `jinka.node.vpcd` an exchange takes 40 ms and more

LOAD_DEVICE = LoadDevice(
    terminal_id=bytes.fromhex("440300000003"), aid=PROFILE.aid, profile=PROFILE.name,
    profile_version=1, key_index=1, zone="Asia/Shanghai", operator="op.sz.load", acquirer="acq.sz",
    issuers={ISSUER_NUMBER: TEST_ISSUER},
)  # fmt: skip


class OpenscLink:
    """A card in a reader, reached by one run of opensc-tool for each command."""

    def __init__(self, reader: int, conf: Path) -> None:
        self._arguments = ["opensc-tool", "-r", str(reader), "-c", "default", "-s"]
        self._environment = {**os.environ, "OPENSC_CONF": str(conf)}

    def transmit(self, command: bytes) -> bytes:
        done = subprocess.run(
            [*self._arguments, command.hex()],
            env=self._environment, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        found = re.search(r"Received \(SW1=0x(..), SW2=0x(..)\)", done.stdout)
        assert found is not None, done.stdout + done.stderr
        # a line shows up to sixteen bytes, each in hex with a blank, then the same bytes as text; only the last of
        # several lines has its hex part filled up
        lines = done.stdout[found.end() :].lstrip(":").strip("\n").splitlines()
        width = 48 if len(lines) > 1 else len("".join(lines)) // 4 * 3
        data = b"".join(bytes.fromhex(line[:width]) for line in lines)
        return data + bytes.fromhex(found[1] + found[2])


@pytest.fixture
def opensc_conf(tmp_path: Path) -> Path:
    """opensc-tool resets the card when it lets it go, unless it is told to leave it as it is."""
    if shutil.which("opensc-tool") is None:
        pytest.skip("opensc-tool is not installed (apt-get install opensc)")
    conf = tmp_path / "opensc.conf"
    conf.write_text(
        "app default { reader_driver pcsc {"
        " disconnect_action = leave; transaction_end_action = leave; reconnect_action = leave; } }\n"
    )
    return conf


def load_and_ride(card: ApduLink, psam: ApduLink, algorithm: Algorithm) -> None:
    """Load 50 yuan, ride for two, and check all that both sides say."""
    host = LoadHost(make_test_keys(), purse_limit=PURSE_LIMIT_FEN)
    loaded = LoadTerminal(LOAD_DEVICE, AT.date()).load(card, LOAD_FEN, AT, host)
    assert (loaded.state, loaded.balance) == (RecordState.CONFIRMED, LOAD_FEN)
    bus = PurseTerminal(make_device(), psam, FlatPricer(), AT.date())
    outcome = bus.tap(card, kind=TapKind.BOARD, line=113, station=0, gross_fare=FARE_FEN, at=AT)
    assert outcome.status is TapStatus.DONE, outcome
    record = outcome.record
    assert record is not None
    assert (record.state, record.balance) == (RecordState.CONFIRMED, LOAD_FEN - FARE_FEN)
    assert record.algorithm is algorithm
    log = card.transmit(bytes.fromhex("00B201C417"))
    assert int.from_bytes(log[5:9], "big") == FARE_FEN
    for signed in (loaded, record):
        assert signed.tac is not None
        assert len(signed.tac) == 4


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_pyscard_loads_and_buys(service: PcscService, algorithm: Algorithm) -> None:
    card, psam = sample_card(PROFILE.name, algorithm=algorithm), fresh_psam(algorithm)
    with ExitStack() as inserted:
        inserted.enter_context(chip_in_slot(service, card, 0))
        inserted.enter_context(chip_in_slot(service, psam, 1))
        readers = [PcscLink(reader) for reader in service.readers]
        try:
            load_and_ride(readers[0], readers[1], algorithm)
        finally:
            for reader in readers:
                reader.close()


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_opensc_tool_loads_and_buys(service: PcscService, opensc_conf: Path, algorithm: Algorithm) -> None:
    card, psam = sample_card(PROFILE.name, algorithm=algorithm), fresh_psam(algorithm)
    with chip_in_slot(service, card, 0), chip_in_slot(service, psam, 1):
        load_and_ride(OpenscLink(0, opensc_conf), OpenscLink(1, opensc_conf), algorithm)


def test_an_exchange_does_not_wait_for_a_delayed_acknowledgement(service: PcscService) -> None:
    """No rate is asserted here, only that the 40 ms are gone; `jinka bench pcsc` gives the figure."""
    assert statistics.median(time_card(service, 40)) * 1000 < NAGLE_MS
    wait_until(lambda: not has_card(service.readers[0]))


def test_a_second_service_runs_beside_the_first(service: PcscService, opensc_conf: Path) -> None:
    """Each on a socket of its own: what a machine's own pcscd does is no business of the tests."""
    first, ports = os.environ[SOCKET_VARIABLE], {service.port}
    with PcscService() as beside, chip_in_slot(service, sample_card(PROFILE.name)):
        assert os.environ[SOCKET_VARIABLE] != first
        ports.add(beside.port)
        seen = subprocess.run(["opensc-tool", "-l"], capture_output=True, text=True, check=True, timeout=30)
        assert [line.split()[1] for line in seen.stdout.splitlines()[2:]] == ["No", "No"], seen.stdout
    assert os.environ[SOCKET_VARIABLE] == first
    assert len(ports) == 2
    assert list_readers() == list(service.readers)


def test_readers_are_found_by_number_and_by_name(service: PcscService) -> None:
    assert list_readers() == list(service.readers)
    assert choose_reader("1") == choose_reader("00 01") == service.readers[1]
    for wanted in ("7", "Jinka", "no such reader"):  # absent, two of them, absent
        with pytest.raises(NotFound, match="readers: 0: Jinka 00 00; 1: Jinka 00 01"):
            choose_reader(wanted)


def test_a_reset_ends_the_session_and_a_pulled_card_is_said_to_be_gone(service: PcscService) -> None:
    select, get_balance = bytes.fromhex("00A4040008") + PROFILE.aid, bytes.fromhex("805C000204")
    with chip_in_slot(service, sample_card(PROFILE.name)), PcscLink(service.readers[0]) as link:
        assert link.atr == bytes.fromhex("3B6800004A494E4B41303031")
        assert link.transmit(select)[-2:] == b"\x90\x00"
        assert link.transmit(get_balance)[-2:] == b"\x90\x00"
        link.reset()
        assert link.transmit(get_balance) == bytes.fromhex("6A82"), "the root folder has no purse"
        assert link.transmit(b"\x00" * 300)[-2:] == b"\x67\x00", "too long for a short command"
    with pytest.raises(NotFound, match="no card in the reader"):
        PcscLink(service.readers[0])


def test_a_card_that_leaves_in_the_middle(service: PcscService) -> None:
    inserted = ExitStack()
    inserted.enter_context(chip_in_slot(service, sample_card(PROFILE.name)))
    link = PcscLink(service.readers[0])
    inserted.close()
    with pytest.raises(CardRemoved):
        link.transmit(bytes.fromhex("805C000204"))
    link.close()


def test_a_card_that_comes_back_is_seen_again(service: PcscService) -> None:
    card = sample_card(PROFILE.name)
    for _ in range(2):
        with chip_in_slot(service, card) as slot, PcscLink(service.readers[0]) as link:
            assert link.transmit(bytes.fromhex("0084000004"))[-2:] == b"\x90\x00"
            wait_until(lambda slot=slot: slot.counts.apdus == 1)


def test_the_commands_put_a_card_in_and_read_it_and_a_killed_card_keeps_its_money(
    service: PcscService, tmp_path: Path
) -> None:
    jinka, image = Path(sys.executable).with_name("jinka"), tmp_path / "my.card"
    arguments = [jinka, "card", "vpcd", image, "--profile", PROFILE.name, "--port", str(service.port)]
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: has_card(service.readers[0]))
        with PcscLink(service.readers[0]) as link:
            host = LoadHost(make_test_keys(), purse_limit=PURSE_LIMIT_FEN)
            LoadTerminal(LOAD_DEVICE, AT.date()).load(link, LOAD_FEN, AT, host)
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not has_card(service.readers[0]))
    with chip_in_slot(service, open_card(image).chip):
        done = subprocess.run(
            [jinka, "card", "read", "--reader", "00 00", "--json"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    [purse] = json.loads(done.stdout)["applications"]
    assert (purse["balance"], purse["log"][0]["kind_zh"]) == (LOAD_FEN, "圈存")


def _read_by_command(service: PcscService, card: Card) -> list[dict[str, Any]]:
    jinka = Path(sys.executable).with_name("jinka")
    with chip_in_slot(service, card):
        done = subprocess.run(
            [jinka, "card", "read", "--reader", "00 00", "--json", "--show"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(done.stdout)["applications"]
    return found


def test_the_reader_tells_what_each_kind_of_card_holds(service: PcscService) -> None:
    """A bank card with electronic cash, a T-Union card with trips, a social security card: all through pcscd."""
    bank_card = sample_card("cn.bank.debit", balance=5000)
    [bank] = _read_by_command(service, bank_card)
    assert (bank["number"], bank["balance"], bank["valid_to"]) == ("5180000000012345", 5000, "2040-01-01")
    trip = bytes.fromhex("04" + "0000300089000340" + "02" + "00000113000027" + "000000C8" + "0000012C"
                         "20241229141740" + "5840" + "0102030405060708" + "000000000000")  # fmt: skip
    extra = (
        FileSpec(fid=0x0017, kind=FileKind.BINARY, size=11, title_en="Management", title_zh="管理信息"),
        FileSpec(fid=0x001E, kind=FileKind.CYCLIC, records=30, record_length=48,
                 title_en="Trips", title_zh="交易记录"),
    )  # fmt: skip
    union = replace(PROFILE, name="test.union", files=PROFILE.files + extra)
    keys = tuple(key.initial or bytes(16) for key in union.keys)
    contents = {(0, 0x0017): bytes.fromhex("00000000584058400000 01"), (0, 0x001E): trip}
    person = Personal(
        card_no=bytes.fromhex("00005180000000054321"), keys=keys, balance=777, contents=contents
    )
    [purse] = _read_by_command(service, personalised(union, person, SeededRandomness("union")))
    assert (purse["number"], purse["balance"], purse["issued_in"]) == ("5180000000054321", 777, "5840 / 5840")
    assert [(one["kind_en"], one["amount"], one["at"]) for one in purse["trips"]] == [
        ("bus, out", 200, "2024-12-29 14:17:40")
    ]
    [social] = _read_by_command(service, sample_card("cn.social-security"))
    assert "each asks for its own key" in social["unknown"][-1]


def test_an_issued_bank_card_pays_offline_in_a_reader(service: PcscService, tmp_path: Path) -> None:
    """From the bureau through pcscd, with nothing but the CA's public keys that the bureau wrote out."""
    holders = tmp_path / "holders.csv"
    holders.write_text("name,balance\nZhang San,50000\n")
    issue(IssueOptions(directory=tmp_path / "b", profile="cn.bank.debit", holders=holders))
    held = open_card(tmp_path / "b/orders/order-1/cards/0000/0000001.jcs", open_key_folder(tmp_path / "b"))
    [letter] = open_letters(tmp_path / "b", "order-1")
    device = EmvDevice(aids=(APPLICATION,), ca_keys=read_ca_keys(tmp_path / "b/keys/bank/ca-keys.json"))
    with chip_in_slot(service, held.chip), PcscLink(service.readers[0]) as link:
        tapped = QpbocTerminal(device, SeededRandomness("r")).tap(link, sale(1234), Nobody())
        assert tapped.approved, tapped
        assert not tapped.tvr & Tvr.ODA_NOT_DONE
        paid = EmvTerminal(device, SeededRandomness("t")).purchase(link, sale(500, letter["pin"]), Nobody())
        assert (paid.status, paid.tvr) == (EmvStatus.APPROVED_OFFLINE, Tvr(0))
