"""`jinka float`: the money on a folder's cards, proven, chased, written off and given back.

The folder is a cleared day's, or a city's centre (`jinka.app.cleared_books`). Its registry has the openings, its
ledger the liability; later days come as outcomes that were cleared elsewhere and are posted here, and a centre's are
those of its rounds, which have posted them. Everything is kept beside the day, or at the top of a centre's folder::

    centre/centre.db    days that were taken, deeds, and the ledger they post to
    centre/float/       runs of each day and edition, and of all days merged

Who may sit at this machine, and under which name, is the business of its accounts: the actor is named by the caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from jinka.app.cleared_books import ClearedBooks, cleared_books
from jinka.app.float_file import read_float_rules
from jinka.app.float_shadows import ShadowBooks, Shadows, moment
from jinka.app.float_sleep import asleep, awake
from jinka.app.reached import require_reached
from jinka.app.settle import statement_bytes
from jinka.app.settle_file import SETTLE_FILE, read_settle_file
from jinka.kit import Finding, Usage
from jinka.node import FolderLock, file_errors
from jinka.registry import Registry, Role
from jinka.settlement import AccountCode, BooksWithoutDisputes
from jinka.settlement.float_acts import Deed, DeedKind, named, open_lines
from jinka.settlement.float_custody import Custody, closings, examine, interest_deeds
from jinka.settlement.float_proof import FloatStatement, IssuerFloat, state_float
from jinka.settlement.float_refund import OPEN, refunds_of
from jinka.settlement.float_rules import FloatRules, Gap, over_limit, write_backs, write_off
from jinka.settlement.float_shadow import whole
from jinka.settlement.iso20022 import Answer, read_answer
from jinka.store import SqlDisputes, SqlFloat, SqlLedger, TakenDay, database_at, load_registry

_LISTED = 1_000  # of unexplained cards in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class ChasedGap:
    """A gap, and ``todo``: ask, wait, write-off, officer, suspense, found or written-off."""

    gap: Gap
    todo: str
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return self.gap.as_dict() | {"todo": self.todo, "reason": self.reason}


class FloatOffice:
    """The float of one folder; made by `float_office`."""

    def __init__(
        self, cleared: ClearedBooks, disputes: SqlDisputes, ledger: SqlLedger, books: SqlFloat, registry: Registry,
        rules: FloatRules,
    ) -> None:  # fmt: skip
        self._cleared, self.disputes, self._ledger, self.books = cleared, disputes, ledger, books
        self.registry, self.rules, self._first = registry, rules, cleared.first
        self.shadows = ShadowBooks(
            cleared.home / "float", books, ledger, registry, cleared.zone, cleared.prices.purse_limit
        )

    @property
    def ledger(self) -> SqlLedger:
        return self._ledger

    @property
    def issuer(self) -> str:
        """Whose cards they are."""
        return self._cleared.issuer or one_of(self.registry, Role.ISSUER)

    def take(self, outcomes: Path | None) -> tuple[TakenDay, bool, list[Deed]]:
        """Take a day, the folder's own without ``outcomes``; then undo what its records have disproven.

        In a centre's folder its own are those of all its settled rounds, the last of which is returned.
        """
        own = [(self._first, outcomes)] if outcomes else self._cleared.days()
        any_new, deeds = False, list[Deed]()
        for date, where in own:
            if self._cleared.rounds:
                day, new = self.shadows.take_round(where, date, issuer=self.issuer)
            else:
                day, new = self.shadows.take(where, issuer=self.issuer, posted=self._first)
            self._take_deposits()
            if new:
                deeds += self._undone(day)
                self._cleared.note("float_taken", date=day.date.isoformat(), edition=day.edition)
            any_new = any_new or new
        return day, any_new, deeds

    def _undone(self, day: TakenDay) -> list[Deed]:
        with self.shadows.opened() as shadows:
            deeds = write_backs(self.books.deeds(), shadows.gap_rows(), on=day.date)
            deeds += awake(shadows, self.books.deeds(), on=day.date)
        self.books.do(deeds)
        return deeds

    def prove(self) -> FloatStatement:
        """The daily proof, from the shadows on one side and the ledger on the other."""
        with self.shadows.opened() as shadows:
            rows = shadows.engine.collect(_sums(shadows.cards)).to_pylist()
            cards = shadows.cards
            odd = cards.filter((cards.unexplained != 0) | (cards.shown + cards.unexplained < 0))
            strange = shadows.engine.collect(odd.order_by("card_no").limit(_LISTED)).to_pylist()
            findings = self._limits(shadows)
        books = BooksWithoutDisputes(self._ledger)
        deeds = self.books.deeds()
        earners = {deed.credit.owner for deed in deeds if deed.kind is DeedKind.INTEREST and deed.credit}
        issuers = [
            IssuerFloat(
                issuer=row["issuer"], cards=row["cards"], shown=row["shown"], transit=row["transit"],
                suspense=row["suspense"], unexplained=row["unexplained"], paid=row["paid"],
                liability=self._owed(books, AccountCode.PURSE_LIABILITY, row["issuer"]),
                unclaimed=self._owed(books, AccountCode.UNCLAIMED, row["issuer"]),
                deposits=self._owed(books, AccountCode.CARD_DEPOSIT, row["issuer"]),
                payable=self._owed(books, AccountCode.HOLDER_PAYABLE, row["issuer"]),
                interest=sum(self._owed(books, AccountCode.INTEREST, owner) for owner in earners),
                funds=-self._owed(books, AccountCode.CUSTOMER_FUNDS, row["issuer"]),
            )
            for row in rows
        ]  # fmt: skip
        return state_float(
            issuers, strange=[(r["card_no"], r["unexplained"], r["shown"] + r["unexplained"]) for r in strange],
            findings=findings, open_lines=open_lines(deeds), deposits=sum(deed.deposit for deed in deeds),
            days=[day.name for day in self.books.days()],
        )  # fmt: skip

    def gaps(self, on: dt.date) -> list[ChasedGap]:
        """Every gap, and what is to be done about it on that day."""
        with self.shadows.opened() as shadows:
            found = shadows.gap_rows()
        return self._chased(found, on)

    def requests(self, on: dt.date) -> list[dict[str, Any]]:
        """Whom to ask for which records: terminals whose own numbers jump while a counter is missing.

        The last row, without a terminal, counts the gaps that no terminal's hole explains: a whole batch may be gone.
        """
        with self.shadows.opened() as shadows:
            found = self._chased(shadows.gap_rows(), on)
            holes = shadows.engine.collect(shadows.holes).to_pylist()
        asked = [each.gap for each in found if each.todo in ("ask", "write-off", "officer")]
        rows, explained = [], set()
        for hole in sorted(
            holes, key=lambda hole: (hole["operator"], hole["terminal_id"], hole["serial_from"])
        ):
            after, before = (moment(hole[f"{end}_date"], hole[f"{end}_time"]) for end in ("after", "before"))
            near = [gap for gap in asked if gap.after <= before and after <= gap.shown_at]
            if not near:
                continue
            explained |= {(gap.card, gap.subject) for gap in near}
            rows.append(
                {"operator": hole["operator"], "terminal": hole["terminal_id"].hex(), "after": after,
                 "before": before, "serial_from": hole["serial_from"], "records": hole["missing"],
                 "gaps": len(near)}
            )  # fmt: skip
        left = [gap for gap in asked if (gap.card, gap.subject) not in explained]
        if left:
            rows.append(
                {"operator": "", "terminal": "", "after": min(gap.after for gap in left),
                 "before": max(gap.shown_at for gap in left), "serial_from": 0, "records": 0,
                 "gaps": len(left)}
            )  # fmt: skip
        return rows

    def write_off(self, on: dt.date, actor: str) -> list[Deed]:
        """Write off what the rules write off by that day; the new deeds. Raises `Refused` for a day to come."""
        require_reached(on)
        with self.shadows.opened() as shadows:
            found = shadows.gap_rows()
        deeds = []
        for each in self._chased(found, on):
            rule = self.rules.for_gap(each.gap, on)
            if each.todo == "write-off" and rule is not None:
                deeds.append(write_off(each.gap, rule, self.rules, on=on, actor=actor))
        self.books.do(deeds)
        return deeds

    def sleep(self, on: dt.date, actor: str) -> list[Deed]:
        """Put the money of cards aside that nobody has used for so long as the rules say; `Refused` as above."""
        require_reached(on)
        refunds = refunds_of(self.books.deeds(), self.rules.refunds)
        closed = frozenset(each.card for each in refunds if each.state in OPEN)
        with self.shadows.opened() as shadows:
            deeds = asleep(shadows, self.rules, closed, first=self._first, on=on, actor=actor)
        self.books.do(deeds)
        return deeds

    def settle(self, on: dt.date, actor: str) -> list[Deed]:
        """Pay what write-offs and kept deposits left open; nothing when nothing is."""
        done = self.books.deeds()
        count = sum(deed.kind is DeedKind.SETTLED for deed in done)
        funds = named(AccountCode.CUSTOMER_FUNDS, self.issuer)
        deeds = [
            Deed(
                kind=DeedKind.SETTLED, subject=f"{count} {int(name.code)} {name.owner}", on=on, amount=abs(amount),
                debit=name if amount > 0 else funds, credit=funds if amount > 0 else name, actor=actor,
            )
            for name, amount in sorted(open_lines(done).items(), key=lambda line: (line[0].code, line[0].owner))
        ]  # fmt: skip
        self.books.do(deeds)
        return deeds

    def custody(self, files: Sequence[Path], *, posting: bool, actor: str) -> tuple[Custody, list[Deed]]:
        """Hold a bank's statements of the custodian account against what is owed; with ``posting``, book the interest.

        The account is that of the float's party in ``settle.toml``. Raises `Refused` for a file that is none.
        """
        settings = read_settle_file(self._cleared.folder / SETTLE_FILE)
        party = settings.book.party(settings.funds)
        answers: list[Answer] = []
        findings: list[Finding] = []
        for path in files:
            found, unread = read_answer(statement_bytes(path), where=path.name)
            answers += found
            findings += unread
        owed = sum(row.owed for row in self.prove().issuers)
        rules = self.rules.custody
        made = examine(
            closings(answers, account=party.iban or party.account),
            owed=owed,
            rules=rules,
            where=settings.funds,
        )
        deeds = (
            interest_deeds(made, rules, self.books.deeds(), issuer=self.issuer, actor=actor)
            if posting
            else []
        )
        self.books.do(deeds)
        return replace(made, findings=(*findings, *made.findings)), deeds

    def _chased(self, found: Sequence[Gap], on: dt.date) -> list[ChasedGap]:
        written: dict[tuple[bytes, str], str] = {}
        for deed in self.books.deeds():
            if deed.kind is DeedKind.WRITE_OFF:
                written[deed.card, deed.subject] = deed.reason
            elif deed.kind is DeedKind.WRITE_BACK:
                written.pop((deed.card, deed.subject), None)
        made = []
        for gap in found:
            if (gap.card, gap.subject) in written:
                made.append(ChasedGap(gap=gap, todo="written-off", reason=written[gap.card, gap.subject]))
                continue
            rule = self.rules.for_gap(gap, on)
            last = max((r.days for r in self.rules.write_off if r.missing is gap.missing), default=0)
            age = (on - gap.shown_on).days
            todo = (
                "suspense" if gap.suspended else "found" if gap.filled else "write-off" if rule
                else "wait" if age < self.rules.ask_after_days else "officer" if age >= last else "ask"
            )  # fmt: skip
            made.append(ChasedGap(gap=gap, todo=todo, reason=rule.reason if rule else ""))
        return made

    def _limits(self, shadows: Shadows) -> list[Finding]:
        """Cards that hold more than their kind may."""
        least = min(self.rules.named_limit_fen, self.rules.anonymous_limit_fen)
        rows = shadows.engine.collect(
            shadows.cards.filter(shadows.cards.shown > least).select("card_no", "shown").order_by("card_no")
        )
        cards = rows["card_no"].cast("binary").to_pylist()
        if not cards:
            return []
        classes = holders_of(self.registry, cards)
        found = (
            over_limit(card, classes.get(card, 1), shown, self.rules)
            for card, shown in zip(cards, rows["shown"].to_pylist(), strict=True)
        )
        return [finding for finding in found if finding is not None]

    def _take_deposits(self) -> None:
        """The deposits of the cards that are registered, once."""
        each, count = self.rules.deposit_fen, self.registry.cards.num_rows
        if not each or any(deed.kind is DeedKind.DEPOSIT for deed in self.books.deeds()):
            return
        self.books.do(
            [
                Deed(
                    kind=DeedKind.DEPOSIT, subject="registered cards", on=self._first, amount=each * count,
                    debit=named(AccountCode.CUSTOMER_FUNDS, self.issuer),
                    credit=named(AccountCode.CARD_DEPOSIT, self.issuer), deposit=each * count, actor="rule",
                    detail=str(each),
                )
            ]
        )  # fmt: skip

    def _owed(self, books: BooksWithoutDisputes, code: AccountCode, owner: str) -> int:
        id_ = named(code, owner).id
        found = books.balances([id_]).get(id_)
        return found.credits_posted - found.debits_posted if found else 0


@contextmanager
def float_office(folder: Path) -> Iterator[FloatOffice]:
    """The office of a cleared day's folder, alone in it."""
    cleared = cleared_books(folder)
    if cleared.rounds and not cleared.issuer:
        raise Usage("no cards are of this centre", where=str(folder), fix="name a city's folder")
    with file_errors(folder), FolderLock(cleared.lock), database_at(cleared.database) as database:
        registry, ledger = load_registry(database), SqlLedger(database)
        rules = read_float_rules(folder, scheme=cleared.scheme or one_of(registry, Role.SCHEME))
        books = SqlFloat(database, ledger, zone=cleared.zone)
        yield FloatOffice(cleared, SqlDisputes(database, ledger), ledger, books, registry, rules)


def one_of(registry: Registry, role: Role) -> str:
    """The first participant of a role."""
    codes = registry.participants.filter(pc.equal(registry.participants["role"], role.value))[
        "code"
    ].to_pylist()
    if not codes:
        raise Usage(f"no participant is {role.value}", where="registry", fix="register one")
    return str(min(codes))


def holders_of(registry: Registry, cards: Sequence[bytes]) -> dict[bytes, int]:
    """The holder class of each of these cards."""
    wanted = set(cards)
    names = (registry.cards[name].to_pylist() for name in ("card_no", "holder"))
    return {card: holder for card, holder in zip(*names, strict=True) if card in wanted}


def _sums(cards: Any) -> Any:
    names = ("shown", "transit", "suspense", "unexplained", "paid")
    sums = {name: whole(cards[name].sum()) for name in names}
    return cards.group_by("issuer").aggregate(cards=cards.count(), **sums).order_by("issuer")
