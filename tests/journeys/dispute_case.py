"""A cleared day put together by hand, with a record for each kind of dispute, and a switch that passed purchases on."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner, Result

from jinka.app.day_facts import DayFacts
from jinka.cli.dispute import app
from jinka.codec import RECORD_SCHEMA
from jinka.kit import make_id
from jinka.registry import CARDS, PARTICIPANTS, Registry
from jinka.settlement import AccountCode, AccountName, BusinessDay, post_opening
from jinka.store import SqlLedger, SwitchJournal, database_at, save_registry
from jinka.switch import Entity, Record
from jinka.switch.record import entry_of
from tests.keys.ground import service
from tests.switch.ground import request

DATE = dt.date(2018, 9, 3)  # a Monday
DAY = BusinessDay(date=DATE, zone="Asia/Shanghai")
ISSUER, OPERATOR, AGENT, GOVERNMENT, SCHEME = (
    "issuer.szt",
    "op.sz.metro",
    "agent.sz.load",
    "gov.sz",
    "scheme.jinka",
)
_PARTIES = (
    (ISSUER, "issuer"), (OPERATOR, "operator"), (AGENT, "load_agent"), (GOVERNMENT, "government"), (SCHEME, "scheme"),
)  # fmt: skip
OPENING = 10_000
FIRST = "2018-09-04"
_BLANK: dict[str, Any] = {
    "batch": bytes(16), "batch_seq": 0, "state": 0, "card_len": 20, "profile": "p", "profile_version": 1,
    "balance": 0, "counter": 1, "counter_kind": 0, "terminal_id": bytes(6), "psam_id": bytes(10),
    "local_date": b"\x20\x18\x09\x03", "local_time": b"\x08\x00\x00", "zone": DAY.zone, "business_date": DATE,
    "issuer": ISSUER, "acquirer": "acq", "key_version": 1, "algorithm": 0, "tac": None, "findings": "",
    "at_risk": False, "subsidy": 0, "payer": "",
}  # fmt: skip
# Number: type, amount, gross fare, product, outcome, reason, card, operator
TORN, TORN_SERVED, LOAD, LOAD_LOST, FARE, LOST, SPENT = range(1, 8)
_ROWS: dict[int, tuple[int, int, int, str, str, str, int, str]] = {
    TORN: (9, 350, 400, "metro.ordinary", "UNCONFIRMED", "UNRESOLVED", 1, OPERATOR),
    TORN_SERVED: (9, 380, 400, "metro.ordinary", "UNCONFIRMED", "UNRESOLVED", 2, OPERATOR),
    LOAD: (2, 5_000, 5_000, "load", "UNCONFIRMED", "UNRESOLVED", 3, AGENT),
    LOAD_LOST: (2, 3_000, 3_000, "load", "UNCONFIRMED", "UNRESOLVED", 4, AGENT),
    FARE: (9, 400, 400, "full", "PAID", "ACCEPTED", 5, OPERATOR),
    LOST: (9, 4_750, 5_000, "metro.ordinary", "PAID", "ACCEPTED", 6, OPERATOR),
    SPENT: (9, 2_500, 2_500, "full", "PAID", "ACCEPTED", 7, OPERATOR),
}  # fmt: skip


def card(number: int) -> bytes:
    return bytes.fromhex(f"51800000000000{number:06d}")


def make_day(folder: Path) -> Path:
    """The folder of a cleared day; card 5 is of a class with half fare."""
    for name in ("field", "report", "centre/outcomes"):
        (folder / name).mkdir(parents=True)
    (folder / "day.json").write_text(json.dumps({"format": 1, "simulated": True}))
    numbers = ("seed", "rows_read", "duplicates_dropped", "cards")
    facts = DayFacts(
        source="", generated=True, region="440300", zone=DAY.zone, first_date=DATE.isoformat(),
        last_date=DATE.isoformat(), inferred={}, findings=[], finding_samples=[], hours=[], counts={},
        **dict.fromkeys(numbers, 0),
    )  # fmt: skip
    (folder / "field" / "facts.json").write_text(json.dumps(asdict(facts)))
    write_outcomes(folder)
    parties = [
        {"code": code, "role": role, "region": "440300", "name_en": code, "name_zh": code}
        for code, role in _PARTIES
    ]
    cards = [
        {"card_no": card(n), "issuer": ISSUER, "profile": "p", "profile_version": 1, "holder": 2 if n == 5 else 1,
         "algorithm": 0, "key_version": 1, "opening_counter": 0, "opening_online": 0, "opening_balance": OPENING,
         "status": 1}
        for n in range(1, 8)
    ]  # fmt: skip
    tables = {name: schema.empty_table() for name, schema in Registry.SCHEMAS.items()}
    tables["participants"] = pa.Table.from_pylist(parties, schema=PARTICIPANTS)
    tables["cards"] = pa.Table.from_pylist(cards, schema=CARDS)
    with database_at(folder / "centre" / "centre.db") as database:
        save_registry(database, Registry(**tables))
        assert post_opening(SqlLedger(database), DAY, [(ISSUER, 7 * OPENING)])[1] == []
    return folder


def write_outcomes(folder: Path, *more: dict[str, Any], **outcome: str) -> None:
    """The outcome file, with ``more`` records; ``r1="PAID"`` gives record 1 another outcome."""
    verdicts = [("record_id", pa.int64()), ("outcome", pa.string()), ("reason", pa.string()),
                ("findings", pa.string()), ("at_risk", pa.bool_()), ("subsidy", pa.int64()),
                ("payer", pa.string())]  # fmt: skip
    schema = pa.schema([verdicts[0], *RECORD_SCHEMA, *verdicts[1:]])
    rows = [
        _BLANK
        | {"record_id": number, "txn_type": kind, "amount": amount, "gross_fare": gross, "product": product,
           "outcome": outcome.get(f"r{number}", made), "reason": reason, "card_no": card(owner), "operator": operator,
           "terminal_serial": number}
        for number, (kind, amount, gross, product, made, reason, owner, operator) in _ROWS.items()
    ]  # fmt: skip
    rows += [_BLANK | row for row in more]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=schema), folder / "centre" / "outcomes" / "part-0.parquet"
    )


def make_switch(folder: Path, amounts: dict[int, int]) -> Path:
    """The file of a switch whose journal has purchases of those trace numbers, approved, and one declined (900)."""
    folder.mkdir()
    file = folder / "switch.toml"
    file.write_text(
        '[switch]\ninstitution = "1"\ndatabase = "switch.db"\n[keys]\nfolder = "."\n'
        '[peers.till]\nlisten = "127.0.0.1:0"\n'
    )
    with database_at(folder / "switch.db") as database:
        journal = SwitchJournal(database, service())
        made = {**amounts, 900: 1}
        for trace, fen in made.items():
            for version, state in ((1, "forwarded"), (2, "declined" if trace == 900 else "approved")):
                record = Record(
                    entity=Entity.TRANSACTION, id=make_id("test", trace), version=version, state=state,
                    kind="purchase", source="bank.acq", target="bank.iss", at_micros=1, business_date=DATE.isoformat(),
                    digest=b"d", request=request(trace, fen=fen),
                )  # fmt: skip
                journal.write([(entry_of(record),)])
    return file


def run(*words: object, code: int = 0) -> Result:
    """One command; of its group alone, which is built faster than the whole tree."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, f"exit code {done.exit_code}: {done.stderr[-2000:]}"
    return done


class Officer:
    """Runs the commands on one dispute."""

    def __init__(self, folder: Path, tmp_path: Path) -> None:
        self.folder, self.paper = folder, tmp_path / "paper.txt"
        self.paper.write_text("signed")
        self.id = ""

    def open(self, kind: str, *words: object, who: str, reason: str, code: int = 0) -> dict[str, Any]:
        shown = self._run(
            "open", self.folder, kind, *words, "--as", who, "--reason", reason, on=FIRST, code=code
        )
        self.id = shown.get("id", "")
        return shown

    def step(
        self,
        event: str,
        who: str,
        *papers: str,
        on: str = FIRST,
        amount: int = 0,
        code: int = 0,
        more: Sequence[object] = (),
    ) -> dict[str, Any]:
        words = [*self.papers(*papers), *more]
        return self._run(
            "step", self.folder, self.id[:8], event, "--as", who, *words, "--amount", amount, on=on, code=code
        )

    def deadlines(self, on: str) -> dict[str, Any]:
        run("deadlines", self.folder, "--on", on)
        return json.loads(run("show", self.folder, self.id, "--json").stdout)

    def papers(self, *kinds: str) -> list[str]:
        return [word for kind in kinds for word in ("--evidence", f"{kind}={self.paper}")]

    def worth(self, code: AccountCode, owner: str) -> int:
        name = "disputes.db" if not (self.folder / "day.json").exists() else "centre/centre.db"
        account = AccountName(code=code, owner=owner).id
        with database_at(self.folder / name) as database:
            found = SqlLedger(database).balances([account]).get(account)
        return found.credits_posted - found.debits_posted if found else 0

    def _run(self, *words: object, on: str, code: int) -> dict[str, Any]:
        done = run(*words, "--on", on, "--json", code=code)
        return json.loads(done.stdout) if code == 0 else {"error": done.stderr}
