"""The issuer's host that benchmarks ask, in a process of its own: its cards, its books on the disk, and its line.

The cards have a stripe with its card value and a PIN in the PVV's form; the host checks both, limits and one risk rule,
and books the money, as `jinka issuer serve` does. Its key service is in its process, with keys of this measurement.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock

from jinka.app.issuer_host import IssuerFile, opened_host
from jinka.codec.framing import Framing
from jinka.codec.iso8583 import Message, dialect
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.bulk_macs import prepare
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.issuer import (
    CardAct,
    CardKeyNames,
    HolderAccount,
    IsoIssuer,
    IsoTerms,
    IssuedCard,
    IssuerHost,
    read_policy,
)
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, holder_account, office_account
from jinka.keys import SoftKeyService, hold_ceremony
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.keys.working import Working
from jinka.kit import make_id
from jinka.ledger import LedgerEngine, Transfer
from jinka.node.issuer_server import IssuerServer, LineMac
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import tune_process
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import SqlIssuerBooks

CODEC = dialect("iso1987-binary")
ACQUIRER, EXPIRY, PIN = "101", "4912", "1234"
BANK_MAC, BANK_PIN = "zone_mac/TDES/1@bank", "zone_pin/TDES/1@bank"
_SERVICE = "120"
_NAMES = CardKeyNames(pin="pin_verify/TDES/1", card_value="card_verify/TDES/1")
_OPENING_FEN = 1_000_000_00
_CHUNK = 2_000
KEYS = {  # of this measurement alone: all its processes have to have them
    BANK_MAC: "1122334455667788AABBCCDDEEFF0011",
    BANK_PIN: "76543210FEDCBA9889674523EFCDAB01",
    _NAMES.pin: "0123456789ABCDEF1032547698BADCFE",
    _NAMES.card_value: "FEDCBA98765432100F1E2D3C4B5A6978",
}
_POLICY = {
    "products": {"debit": {"limits": [
        {"code": "DAY", "en": "in a day", "zh": "日限额", "day_fen": 50_000_000, "single_fen": 5_000_000},
    ]}},
    "rules": [
        {"kind": "velocity", "code": "V1", "en": "too many", "zh": "交易过频", "window_s": 600, "count": 250},
    ],
}  # fmt: skip


def key_service(keys: dict[str, str]) -> SoftKeyService:
    """A key service with these keys."""
    prepare()
    clock, dice = SystemClock(), SystemRandomness()
    ceremony = hold_ceremony(
        issuer="bench", date="2026-01-01", custodians=("a", "b", "c"), randomness=dice, simulated=True
    )
    working = Working(clock=clock, randomness=dice, lock=RLock())
    made = SoftKeyService.open(ceremony.sealed, list(ceremony.shares), region="440300", working=working)
    for text, value in keys.items():
        key = made.holding.provider.load(KeyKind.TDES, bytes.fromhex(value))
        working.keys.add(KeyRecord(name=KeyName.parse(text), check=""), key)
    return made


def card_number(number: int) -> str:
    """The number of a card of the measurement."""
    return f"62{number:014d}"


def pin_block(number: int, zone_key: str) -> bytes:
    """A card's PIN under a zone key."""
    zone = PinZone(
        key=BlockKey(cipher=BlockCipher.TDES, value=bytes.fromhex(zone_key)), format=PinFormat.ISO_0
    )
    return encipher_pin(zone, PIN, card_number(number), SystemRandomness())


def track2(number: int, service: SoftKeyService) -> str:
    """What a card's stripe says; of the PVV's place the host wants nothing."""
    pan = card_number(number)
    value = service.make_card_value(key=_NAMES.card_value, pan=pan, date4=EXPIRY, service3=_SERVICE)
    return f"{pan}={EXPIRY}{_SERVICE}00000{value}"


def request(trace: int, card: int, track: str, block: bytes, *, shop: str = "T") -> Message:
    """A purchase by stripe and PIN; one shop's trace numbers come once."""
    return Message(
        mti="0200",
        fields={
            2: card_number(card), 3: "000000", 4: f"{100 + trace % 900:012d}", 7: "0101120000",
            11: f"{trace:06d}", 12: "120000", 13: "0101", 18: "5411", 22: "021", 25: "00", 32: ACQUIRER, 35: track,
            41: f"{shop}{trace % 100:07d}", 42: "M00000000000001", 49: "156", 52: block, 128: bytes(8),
        },
    )  # fmt: skip


def fill(books: SqlIssuerBooks, ledger: LedgerEngine, service: SoftKeyService, cards: int) -> None:
    """Open so many cards, each with an account and money."""
    vault = office_account(IssuerAccount.VAULT, "bench").id
    for start in range(0, cards, _CHUNK):
        numbers = range(start, min(cards, start + _CHUNK))
        accounts = [HolderAccount(number=f"A{number}") for number in numbers]
        ledger.create_accounts([holder_account(account.number) for account in accounts])
        ledger.create_transfers(
            [
                Transfer(
                    id=make_id("jinka.issuer.opening", account.number), debit_account=vault,
                    credit_account=account.id, amount=_OPENING_FEN, ledger=156, code=IssuerTransfer.FUNDING,
                )
                for account in accounts
            ]
        )  # fmt: skip
        books.write(cards=[_card(number, service) for number in numbers], accounts=accounts)


def _card(number: int, service: SoftKeyService) -> IssuedCard:
    pan, block = card_number(number), pin_block(number, KEYS[BANK_PIN])
    reference = service.make_pvv(
        block, zone=BANK_PIN, zone_format=PinFormat.ISO_0, pan=pan, key=_NAMES.pin, index=1
    )
    card = IssuedCard(pan=pan, account=f"A{number}", expiry4=EXPIRY, chip=False, pin_reference=reference)
    return card.act(CardAct.ACTIVATE)


def issuer_file(folder: Path) -> IssuerFile:
    """What `jinka issuer serve` would have read."""
    return IssuerFile(
        path=folder / "issuer.toml", issuer="bench", database=folder / "issuer.db",
        vault=folder / "issuer-vault.sealed", acquirers=(ACQUIRER,), peer={}, names=_NAMES,
        policy=read_policy(_POLICY), keys={},
    )  # fmt: skip


def server_of(host: IssuerHost, service: SoftKeyService, failures: list[BaseException]) -> IssuerServer:
    """The host's line."""
    return IssuerServer(
        IsoIssuer(host, IsoTerms(zone=BANK_PIN)), CODEC,
        LinkRules(framing=Framing(), rate=100_000, burst=100_000), SystemClock(),
        mac=LineMac(keys=service, key=BANK_MAC), failed=failures.append,
    )  # fmt: skip


def run_issuer(folder: str, cards: int, pipe: Connection) -> None:
    """The issuer's process: says its port, then what it has used whenever something comes; ends with the pipe."""
    service = key_service(KEYS)
    with opened_host(issuer_file(Path(folder)), service) as opened:
        fill(opened.books, opened.ledger, service, cards)
        asyncio.run(_serve(opened.host, service, pipe))


async def _serve(host: IssuerHost, service: SoftKeyService, pipe: Connection) -> None:
    failures: list[BaseException] = []
    server, loop, ended = server_of(host, service, failures), asyncio.get_running_loop(), asyncio.Event()
    await server.start("127.0.0.1", 0)
    tune_process()

    def tell() -> None:
        try:
            pipe.recv()
        except EOFError:
            loop.remove_reader(pipe.fileno())
            ended.set()
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(
            {
                "user": used.ru_utime, "system": used.ru_stime, "groups": server.groups,
                "answered": server.answered, "failures": len(failures),
            }
        )  # fmt: skip

    pipe.send(server.port)
    loop.add_reader(pipe.fileno(), tell)
    await ended.wait()
    await server.stop()


def with_macs(messages: Sequence[Message], service: SoftKeyService, key: str = BANK_MAC) -> list[bytes]:
    """The messages as the line of a MAC key carries them."""
    line, made = LineMac(keys=service, key=key), list[bytes]()
    for start in range(0, len(messages), _CHUNK):
        made += line.seal(CODEC, messages[start : start + _CHUNK])
    return made
