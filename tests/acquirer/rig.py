"""A gateway with one merchant on a database, for the tests."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jinka.acquirer import CardFacts, Draft, Entry, Gateway, Keyed, Merchant, Vault
from jinka.sim.randomness import SeededRandomness
from jinka.store import GatewayBooks, database_at
from tests.acquirer.network import LedgerNetwork

PAN, OTHER = "6228480402564890018", "4111111111111111"
KEY = "jk_test-key-of-the-tea-house"
VAULT_KEY = bytes(range(64))
MERCHANT = Merchant(
    id="teahouse",
    name="TEA HOUSE",
    local_name="茶馆",
    category="5812",
    city="SHENZHEN",
    terminal="00000001",
    key_hash=hashlib.sha256(KEY.encode()).digest(),
    callback_url="https://shop.example/callbacks",
)
CARD = CardFacts(pan=PAN, expiry4="3012", entry=Entry.TYPED, card_value="123")


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.micros = 1_800_000_000_000_000

    def now_micros(self) -> int:
        return self.micros

    def pass_s(self, seconds: int) -> None:
        self.micros += seconds * 1_000_000


@dataclass
class Rig:
    books: GatewayBooks
    network: LedgerNetwork
    clock: Now
    gateway: Gateway
    vault: Vault
    count: int = 0

    def keyed(self, what: str = "", **more: object) -> Keyed:
        """A fresh key each time."""
        self.count += 1
        return Keyed(key=f"key-{self.count}", what={"what": what, **more})

    def order(self, amount: int = 1000, **more: object) -> bytes:
        draft = Draft(reference="T-1", amount_minor=amount, **more)
        return bytes.fromhex(self.gateway.create(MERCHANT, draft, self.keyed())["id"])

    def restarted(self) -> Gateway:
        """Another process on the same books."""
        return Gateway(self.books, self.network, self.vault, self.clock, SeededRandomness("again"))


@functools.cache
def empty_books() -> Path:
    """An empty database, migrated once for all tests."""
    path = Path(tempfile.mkdtemp(prefix="jinka-gateway-")) / "empty.db"
    with database_at(path):
        pass
    atexit.register(shutil.rmtree, path.parent)
    return path


@contextmanager
def rig(where: Path | str) -> Iterator[Rig]:
    """Over a clean database, or a new file."""
    if isinstance(where, Path) and not where.exists():
        shutil.copy(empty_books(), where)
    network, clock = LedgerNetwork(), Now()
    network.give(PAN, 5000)
    network.give(OTHER, 100)
    network.open_merchant(MERCHANT.id)
    vault = Vault(VAULT_KEY, SeededRandomness("vault"))
    with database_at(where) as engine:
        books = GatewayBooks(engine)
        with books.desk() as desk:
            desk.put_merchant(MERCHANT)
        gateway = Gateway(books, network, vault, clock, SeededRandomness("gateway"))
        yield Rig(books=books, network=network, clock=clock, gateway=gateway, vault=vault)
