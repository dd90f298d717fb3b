"""``settle.toml``: the bank details of a centre's participants and its way to the bank, as docs/settlement.md tells it.

A simulated day that has no such file gets one with invented details: BICs marked as test codes (ISO 9362: a 0 in the
eighth place), numbers drawn from the participants' codes. A day that is not simulated needs its own.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.acquirer.currency import currency_of
from jinka.app.parts_file import only
from jinka.kit import NotFound, Usage, make_id
from jinka.node import file_errors
from jinka.registry import Participant, Role
from jinka.settlement import EVERY_DAY, Calendar, float_name
from jinka.settlement.business_day_file import BASES
from jinka.settlement.iso20022 import Agent, Charset, Method, Party, PaymentBook

PAGE, SETTLE_FILE = "docs/settlement.md", "settle.toml"
_NETWORK = {"sender", "receiver", "method", "system", "charset", "currency", "funds", "days", "calendar"}
_AGENT = {"bic", "member", "clearing"}
_PARTY = _AGENT | {"code", "name_en", "name_zh", "account", "iban", "institution"}
_DAYS_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFile:
    """What the file says: ``funds`` is the party that every order pays from or to.

    ``days`` are those until money moves, business days of ``calendar``.
    """

    book: PaymentBook
    funds: str
    days: int
    calendar: Calendar = EVERY_DAY

    def settles_on(self, business_date: dt.date) -> dt.date:
        """T+N. Raises `Usage` in a year whose holidays the calendar does not know."""
        return self.calendar.add(business_date, self.days)

    @property
    def issuer(self) -> str:
        """Whose purses the funds stand behind."""
        return self.funds.removesuffix(".float")


def read_settle_file(path: Path) -> SettleFile:
    """Read the file; raises `NotFound` and `Usage`."""
    with file_errors(path):
        if not path.exists():
            raise NotFound("no such file", where=str(path), fix=f"give the bank details with it; see {PAGE}")
        raw = path.read_bytes()
    try:
        tables = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    only(tables, {"network", "party"}, str(path), PAGE)
    network, rows = tables.get("network", {}), tables.get("party", [])
    only(network, _NETWORK, "network", PAGE)
    if not isinstance(rows, list):
        raise Usage("not a list of tables", where="party", fix="[[party]]")
    parties: dict[str, Party] = {}
    for row in rows:
        party = _party(row)
        if party.code in parties:
            raise Usage("stands twice", where=f"party {party.code}", fix="keep one")
        parties[party.code] = party
    receiver = network.get("receiver")
    book = PaymentBook(
        parties=parties,
        sender=_agent(network.get("sender", {}), "network.sender"),
        receiver=None if receiver is None else _agent(receiver, "network.receiver"),
        method=_one_of(Method, network.get("method", "CLRG"), "network.method"),
        system=_short(network.get("system", "CNAPS"), "network.system"),
        charset=_one_of(Charset, network.get("charset", "utf-8"), "network.charset"),
        currency=currency_of(_text(network, "currency", "CNY"), where="network.currency").code,
    )
    days = network.get("days", 1)
    if type(days) is not int or not 0 <= days <= _DAYS_MAX:
        raise Usage("not a number of days", where="network.days", fix=f"0 to {_DAYS_MAX}")
    funds = _text(network, "funds", "")
    if not funds.endswith(".float"):
        raise Usage("not the funds behind an issuer's purses", where="network.funds", fix="ISSUER.float")
    book.party(funds)
    name = _text(network, "calendar", EVERY_DAY.code)
    if name not in BASES:
        raise Usage(f"no calendar {name!r}", where="network.calendar", fix=", ".join(BASES))
    return SettleFile(book=book, funds=funds, days=days, calendar=BASES[name])


def invented_details(participants: Iterable[Participant]) -> str:
    """The text of a file for a simulated day; every number in it is made up."""
    known = sorted(participants, key=lambda party: party.code)
    issuer = next(party for party in known if party.role is Role.ISSUER)
    lines = [
        "# Invented bank details of a simulated day: no such bank, member or account exists.",
        "[network]",
        f"sender = {{ bic = {_quoted(_bic(issuer.code))}, member = {_quoted(_digits(issuer.code, 12))} }}",
        f"funds = {_quoted(float_name(issuer.code))}",
        "days = 1",
    ]
    funds = (float_name(issuer.code), f"{issuer.name_en}: customer funds", f"{issuer.name_zh}：客户备付金")
    rows = [(*funds, issuer.code, True)]
    banks = (Role.ISSUER, Role.ACQUIRER)
    rows += [(each.code, each.name_en, each.name_zh, each.code, each.role in banks) for each in known]
    for code, english, chinese, bank, institution in rows:
        lines += [
            "",
            "[[party]]",
            f"code = {_quoted(code)}",
            f"name_en = {_quoted(english)}",
            f"name_zh = {_quoted(chinese)}",
            f"bic = {_quoted(_bic(bank))}",
            f"member = {_quoted(_digits(bank, 12))}",
            f"account = {_quoted(_digits(code, 16))}",
            f"institution = {str(institution).lower()}",
        ]
    return "\n".join(lines) + "\n"


def _party(row: object) -> Party:
    code = row.get("code") if isinstance(row, dict) else None
    where = f"party {code}" if code else "party"
    only(row, _PARTY, where, PAGE)
    if not isinstance(row, dict) or type(row.get("institution", False)) is not bool:
        raise Usage("institution is true or false", where=where)
    texts = {name: _text(row, name, "") for name in ("code", "name_en", "name_zh", "account", "iban")}
    if not texts["code"]:
        raise Usage("has no code", where=where, fix="the participant's code in the registry")
    return Party(
        **texts,
        agent=_agent({name: row[name] for name in _AGENT if name in row}, where),
        institution=row.get("institution", False),
    )


def _agent(given: object, where: str) -> Agent:
    only(given, _AGENT, where, PAGE)
    assert isinstance(given, dict)
    try:
        return Agent(**{name: _text(given, name, "") for name in given})
    except Usage as problem:
        raise Usage(problem.what, where=f"{where}.{problem.where}", fix=problem.fix) from None


def _text(table: Mapping[str, Any], name: str, default: str) -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise Usage("not a text", where=name, fix="put it in quotes")
    return value


def _short(value: object, where: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 35 or not value.isprintable():
        raise Usage("not a name of 1 to 35 characters", where=where)
    return value


def _one_of(kind: Any, value: object, where: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise Usage("not one of them", where=where, fix=", ".join(each.value for each in kind)) from None


def _digits(code: str, count: int) -> str:
    return f"{int.from_bytes(make_id('jinka.invented', code, count)) % 10**count:0{count}d}"


def _bic(code: str) -> str:
    letters = "".join(chr(65 + byte % 26) for byte in make_id("jinka.invented", code)[:4])
    return f"{letters}CNB0"


def _quoted(text: str) -> str:
    """A TOML basic string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
