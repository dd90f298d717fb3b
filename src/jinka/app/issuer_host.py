"""`jinka issuer`: the host as a process, its cards from a file, and the report of the migration to the chip."""

from __future__ import annotations

import asyncio
import csv
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from jinka.app.issuer_loads import LoadBase, LoadsTable, load_desk, pay_in, read_loads
from jinka.app.number_vaults import Seals, opened_keys, vault_key
from jinka.app.parts_file import PAGES, host_port, only, read_key_source, read_tables
from jinka.codec import Algorithm
from jinka.codec.framing import framing_of
from jinka.codec.iso8583 import dialect
from jinka.crypto.bulk_macs import prepare
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.number_vault import NumberVault
from jinka.crypto.pin_block import PinFormat
from jinka.issuer import (
    CardAct,
    CardChecks,
    CardKeyNames,
    HolderAccount,
    IsoIssuer,
    IsoTerms,
    IssuedCard,
    IssuerHost,
    MigrationReport,
    Policy,
    migration_report,
    read_policy,
)
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.issuer.day_totals import DayTotals
from jinka.issuer.iso_loads import IsoLoads
from jinka.issuer.online_load import LoadDesk
from jinka.issuer.relayed_load import RelayedLoads
from jinka.keys.payment_port import PaymentService
from jinka.kit import JinkaError, NotFound, Usage, make_id
from jinka.ledger import Transfer, TransferResult
from jinka.node import FolderLock
from jinka.node.event_log import Looks, change_log
from jinka.node.issuer_metrics import IssuerFigures
from jinka.node.issuer_server import IssuerServer, LineMac
from jinka.node.metrics_http import MetricsServer
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import tune_process
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import SqlIssuerBooks, SqlLedger, SqlLoads, database_at

_ISSUER = {"name", "database", "vault", "acquirers", "metrics", "log"}
_PEER = {
    "listen", "dialect", "framing", "zone", "pin_format", "mac", "mac_field", "mac_algorithm", "cvv_at",
    "capability_at",
}  # fmt: skip
_NAMES = {"pin", "card_value", "cryptogram", "script_mac", "script_data"}
_LOGGED = ("lines", "answers", "garbage", "stuck_holds")
_ROWS_MAX = 10_000_000
_VAULT = "issuer vault"
_SETTLE_S = 2.0
_LAPSE_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerFile:
    """All that the host needs, from one TOML file."""

    path: Path
    issuer: str
    database: Path | str
    vault: Path
    acquirers: tuple[str, ...]
    peer: Mapping[str, Any]
    names: CardKeyNames
    policy: Policy
    keys: Mapping[str, Any]
    metrics: tuple[str, int] | None = None
    log: Path | None = None
    loads: LoadsTable | None = None


def read_issuer_file(path: Path) -> IssuerFile:
    """Read the file; `Usage` names the place of a mistake. See docs/issuer-host.md."""
    raw = read_tables(path, "issuer")
    for name, known in (("issuer", _ISSUER), ("peer", _PEER), ("names", _NAMES)):
        only(raw[name], known, name, PAGES["issuer"])
    own, names = raw["issuer"], raw["names"]
    try:
        database = str(own.get("database", "issuer.db"))
        return IssuerFile(
            path=path,
            issuer=str(own["name"]),
            database=database if "://" in database else path.parent / database,
            vault=path.parent / str(own.get("vault", "issuer-vault.sealed")),
            acquirers=tuple(str(a) for a in own["acquirers"]),
            peer=raw["peer"],
            names=CardKeyNames(
                pin=str(names["pin"]),
                card_value=str(names["card_value"]),
                **{use: _by_algorithm(names.get(use, {})) for use in _NAMES - {"pin", "card_value"}},
            ),
            policy=read_policy(raw["policy"]),
            keys=raw["keys"],
            metrics=host_port(own["metrics"], "issuer.metrics") if "metrics" in own else None,
            log=path.parent / str(own["log"]) if "log" in own else None,
            loads=read_loads(path.parent, raw["loads"], tuple(str(a) for a in own["acquirers"])),
        )
    except KeyError as error:
        raise Usage(f"{error} is missing", where=str(path), fix="see docs/issuer-host.md") from None


def _by_algorithm(table: Mapping[str, Any]) -> dict[Algorithm, str]:
    return {Algorithm[str(name)]: str(key) for name, key in table.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedIssuer:
    """A host with its books. Without the key service there are no books of loads, and the others serve reports."""

    host: IssuerHost
    books: SqlIssuerBooks
    ledger: SqlLedger
    load_books: SqlLoads | None


@contextmanager
def opened_host(file: IssuerFile, keys: PaymentService | None) -> Iterator[OpenedIssuer]:
    """The host of a file with its books."""
    with database_at(file.database) as database:
        vault, randomness = None, SystemRandomness()
        if keys is not None:
            key64 = vault_key(file.vault, cast(Seals, keys), randomness, context=_VAULT)
            vault = NumberVault(key64, randomness)
        ledger = SqlLedger(database)
        books = SqlIssuerBooks(database, vault, ledger)
        checks = CardChecks(keys if keys is not None else _NoKeys(), file.names)
        host = IssuerHost(
            issuer=file.issuer, books=books, ledger=ledger, checks=checks, policy=file.policy,
            acquirers=file.acquirers,
        )  # fmt: skip
        loads = SqlLoads(database, vault) if vault is not None else None
        yield OpenedIssuer(host=host, books=books, ledger=ledger, load_books=loads)


def serve_issuer(path: Path, *, listening: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; what an earlier process left undecided is settled first."""
    file = read_issuer_file(path)
    source = read_key_source(path.parent, file.keys, "issuer")
    lock = path.parent / ".issuer"
    lock.mkdir(exist_ok=True)
    with FolderLock(lock), opened_keys(source) as keys, opened_host(file, keys) as opened:
        if source.socket is None:
            prepare()  # no message waits for a compiler
        settled = len(opened.host.recover())
        with _opened_loads(file, opened, keys, remote=source.socket is not None) as loads:
            asyncio.run(_serve(file, opened, loads, keys, settled, listening))


def _opened_loads(
    file: IssuerFile, opened: OpenedIssuer, keys: PaymentService, *, remote: bool
) -> AbstractContextManager[LoadDesk | None]:
    if file.loads is None or opened.load_books is None:
        return nullcontext()
    base = LoadBase(
        issuer=file.issuer, books=opened.load_books, host=opened.host, ledger=opened.ledger,
        keys=keys, remote=remote,
    )  # fmt: skip
    return load_desk(file.loads, base, SystemClock(), SystemRandomness())


async def _serve(
    file: IssuerFile,
    opened: OpenedIssuer,
    desk: LoadDesk | None,
    keys: PaymentService,
    settled: int,
    listening: Callable[[dict[str, Any]], None],
) -> None:
    peer, stopped = file.peer, asyncio.Event()
    failures: list[BaseException] = []

    def failed(error: BaseException) -> None:
        failures.append(error)
        stopped.set()

    terms = IsoTerms(
        zone=str(peer.get("zone", "")),
        pin_format=PinFormat[str(peer.get("pin_format", "ISO_0"))],
        cvv_at=int(peer.get("cvv_at", 5)),
        capability_at=int(peer.get("capability_at", 5)),
    )
    mac = None
    if "mac" in peer:
        algorithm = MacAlgorithm[str(peer.get("mac_algorithm", "RETAIL"))]
        mac = LineMac(
            keys=keys, key=str(peer["mac"]), algorithm=algorithm, field=int(peer.get("mac_field", 128))
        )
    loads = IsoLoads(desk, file.loads.terms) if desk is not None and file.loads else None
    days = DayTotals(opened.books.days, file.acquirers)
    server = IssuerServer(
        IsoIssuer(opened.host, terms, loads, days), dialect(str(peer.get("dialect", "iso1987-binary"))),
        LinkRules(framing=framing_of(str(peer.get("framing", "2-binary")))), SystemClock(), mac=mac, failed=failed,
    )  # fmt: skip
    where, _, port = str(peer.get("listen", "127.0.0.1:0")).rpartition(":")
    await server.start(where or "127.0.0.1", int(port))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    tune_process()
    figures = IssuerFigures(server)
    metrics = MetricsServer(figures)
    if file.metrics:
        await metrics.start(*file.metrics)
    listening({"port": server.port, "settled": settled, "metrics": metrics.port})
    looks = Looks(change_log(file.log, "issuer", figures.status, _LOGGED, SystemClock()))
    rounds = asyncio.create_task(_settle(server, desk)) if isinstance(desk, RelayedLoads) else None
    lapses = asyncio.create_task(_lapse(server, opened.host, figures, failed))
    await stopped.wait()
    lapses.cancel()
    if rounds is not None:
        rounds.cancel()
    looks.stop()
    metrics.stop()
    await server.stop()
    if failures:
        raise JinkaError(
            f"the books failed: {type(failures[0]).__name__}", where=str(file.database),
            fix="nothing was answered that is not in them; mend the database and start again",
        )  # fmt: skip


async def _lapse(
    server: IssuerServer, host: IssuerHost, figures: IssuerFigures, failed: Callable[[BaseException], None]
) -> None:
    """Let go of holds that are too old, at the start and every hour."""
    clock = SystemClock()

    def sweep() -> None:
        figures.stuck_holds = host.lapse(clock.now_micros()).findings

    while True:
        try:
            await server.work(sweep)
        except Exception as error:
            failed(error)
            return
        await asyncio.sleep(_LAPSE_S)


async def _settle(server: IssuerServer, desk: RelayedLoads) -> None:
    """Learn of the other cities how loads ended that are open here."""
    while True:
        await asyncio.sleep(_SETTLE_S)
        await server.work(desk.settle)


def import_cards(path: Path, rows: Path, keys: PaymentService | None = None) -> dict[str, int]:
    """Accounts and cards from CSV: pan, account, expiry4, chip (0/1), sequence, pin_reference, opening_fen.

    A card that is there already keeps what transactions made of it. The opening comes from the vault, once an account.
    Numbers are sealed, so the key service is asked: ``keys`` where it is at hand, else that of the file.
    """
    file = read_issuer_file(path)
    source = read_key_source(path.parent, file.keys, "issuer")
    with (
        nullcontext(keys) if keys is not None else opened_keys(source) as service,
        opened_host(file, service) as opened,
        rows.open(encoding="utf-8", newline="") as lines,
    ):
        return _take_in(file, rows, lines, opened)


def _take_in(file: IssuerFile, rows: Path, lines: TextIO, opened: OpenedIssuer) -> dict[str, int]:
    host, books = opened.host, opened.books
    count = {"cards": 0, "accounts": 0, "known": 0}
    for number, row in enumerate(csv.DictReader(lines), 2):
        if number > _ROWS_MAX:
            raise Usage(f"more than {_ROWS_MAX} rows", where=str(rows))
        try:
            card = IssuedCard(
                pan=row["pan"], account=row["account"], expiry4=row["expiry4"], chip=row["chip"] == "1",
                sequence=row["sequence"], pin_reference=row["pin_reference"],
            )  # fmt: skip
            opening = int(row["opening_fen"])
        except (KeyError, TypeError, ValueError, Usage):
            raise Usage("not a card", where=f"{rows}:{number}", fix="see docs/issuer-host.md") from None
        if not books.accounts([card.account]):
            host.open_account(HolderAccount(number=card.account))
            _open_with(opened.ledger, file.issuer, card.account, opening)
            count["accounts"] += 1
        if books.cards([card.pan]):
            count["known"] += 1
            continue
        host.add_card(card.act(CardAct.ACTIVATE))
        count["cards"] += 1
    return count


def _open_with(ledger: SqlLedger, issuer: str, number: str, opening_fen: int) -> None:
    made = Transfer(
        id=make_id("jinka.issuer.opening", number),
        debit_account=office_account(IssuerAccount.VAULT, issuer).id,
        credit_account=HolderAccount(number=number).id,
        amount=opening_fen,
        ledger=156,
        code=IssuerTransfer.FUNDING,
    )
    [result] = ledger.create_transfers([made])
    if result not in (TransferResult.CREATED, TransferResult.EXISTS):
        raise Usage(f"the ledger says {result.name.lower()}", where="opening_fen")


def chip_migration(path: Path) -> MigrationReport:
    """The report over all that was asked."""
    with opened_host(read_issuer_file(path), None) as opened:
        return migration_report(opened.books.all_bookings())


def agent_pays_in(path: Path, agent: str, amount_fen: int, reference: str) -> dict[str, int]:
    """An agent's prepaid money for loads; the same reference again is the same payment."""
    file = read_issuer_file(path)
    if file.loads is None or agent not in file.loads.terms.agents.values():
        raise NotFound("no such agent", where="loads.agents", fix="add it to the file")
    with opened_host(file, None) as opened:
        return {"available_fen": pay_in(opened.ledger, file.issuer, agent, amount_fen, reference)}


class _NoKeys:
    """Stands where no key is needed."""

    def __getattr__(self, name: str) -> Any:
        raise Usage(f"no key service for {name}", where="keys")
