"""Stage classify: the reason for which each record is rejected on its own, by the table of precedence.

Built as one Ibis expression. Duplicates and chains are not judged here: see `jinka.clearing.chain`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import ibis
import pyarrow as pa

from jinka.clearing.port import (
    ATTESTED,
    FIRST_INBOUND,
    ClearingEngine,
    ClearingParams,
    ClearingTables,
    Expr,
    Table,
)
from jinka.clearing.reasons import REASONS, Outcome, Reason, Remark, Side
from jinka.clearing.verify import LIKE, TAC_COLUMNS, moments
from jinka.codec import CounterKind, RecordState
from jinka.codec.record import ATTESTED_DEBITS, CREDITS, DEBITS, NO_CLAIMS, PASSBOOK
from jinka.keys.port import TacStatus
from jinka.kit import Finding
from jinka.registry import Role
from jinka.risk import listing_status

ACTIVE = 1
LOAD_TYPES = tuple(map(int, CREDITS))
PURCHASE_TYPES = tuple(map(int, DEBITS))
ATTESTED_TYPES = tuple(
    map(int, ATTESTED_DEBITS)
)  # their last word is the issuer's host's to check, see `Attested`
NO_CLAIM_TYPES = tuple(map(int, NO_CLAIMS))
PASSBOOK_TYPES = tuple(map(int, PASSBOOK))
_NO_BALANCE = 2**61  # more than any purse can hold; no TAC binds the balance of a purchase
Facts = Callable[[pa.RecordBatch], pa.RecordBatch]
# What a record's own reason rests on.
COLUMNS = (
    *TAC_COLUMNS, "state", "profile", "profile_version", "gross_fare", "product", "counter_kind", "psam_id", "zone",
    "business_date", "acquirer", "operator",
)  # fmt: skip
PAID_ROLES = (Role.OPERATOR.value, Role.LOAD_AGENT.value)


def moment_number(moment: dt.datetime) -> int:
    """``2018-09-01 07:57`` as 20180901075700, the form in which local times are compared."""
    return int(moment.strftime("%Y%m%d%H%M%S"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """Two kept tables: every record's reason with what later stages need of it, and the cards by their numbers."""

    records: Table  # see `classify`
    cards: Table  # ``c_card``, the number; ``c_no``, the card's own; ``o_counter`` and so on, its opening


def classify(
    engine: ClearingEngine, tables: ClearingTables, facts: Facts, prices: Table, params: ClearingParams
) -> tuple[Classified, list[Finding]]:
    """Return the reason of every record, and what later stages need of it: integers and flags only.

    ``facts`` adds the columns of `jinka.clearing.verify` to batches of records; all records pass through it once.

    ``record_id``; ``card``, a number in place of the card's; ``place``, see `place_of`; ``step`` and ``rest``, the
    counter and the balance less the card's opening; ``moved``, what the purse gained; ``torn``; ``passbook``, of the
    card's other purse, whose opening nobody registered; ``load``, a credit; ``remarks``, those that do not come from
    the chain; ``price_id``, the price of a card with a right to it, or 0; ``reason``.
    """
    beside = _registry(engine, tables)
    checked = engine.map_batches(
        "checked",
        tables.records.select("record_id", *COLUMNS),
        facts,
        like=LIKE,
        then=lambda rows: _checked(_with_registry(rows, beside, tables, prices, params), params),
    )
    return Classified(records=checked, cards=beside.cards), []


def _checked(row: Table, params: ClearingParams) -> Table:
    cases = [(rule, ibis.literal(int(reason), "uint8")) for reason, rule in _cases(row, params)]
    row = row.mutate(reason=ibis.cases(*cases, else_=ibis.literal(int(Reason.ACCEPTED), "uint8")))
    if params.issuers:  # prices are the business of the terminal's centre
        row = row.mutate(explained=row.explained | ~_taken_in_here(row))
    right = (row.q_holders < 0) | ((row.q_holders >> row.c_holder.cast("int64")) & 1 == 1)
    if params.issuers:
        right = right | ~_taken_in_here(row)
    row = row.mutate(entitled=row.online | right.fill_null(False))
    good = row.reason == int(Reason.ACCEPTED)
    opening = ibis.ifelse(row.online, row.o_online, row.o_counter).cast("int32")
    rest = ibis.ifelse(
        row.balance.between(-_NO_BALANCE, _NO_BALANCE), row.balance - row.o_balance, _NO_BALANCE
    )
    return row.select(
        "record_id",
        "torn",
        "reason",
        card="c_card",
        # Of good records only: what others claim may be beyond all numbers.
        place=ibis.ifelse(good, place_of(row), 0),
        step=ibis.ifelse(good, row.counter.cast("int32") - opening, 0).cast("int32"),
        rest=ibis.ifelse(good, rest, 0),
        moved=ibis.ifelse(good, ibis.ifelse(row.credit, row.amount, -row.amount), 0),
        passbook=row.txn_type.isin(PASSBOOK_TYPES),
        load="credit",
        remarks=_flag(row.late.fill_null(False), Remark.CARD_LISTED_LATE)
        + _flag(~row.explained, Remark.UNEXPLAINED_CHARGE)
        + _flag(row.explained & ~row.entitled, Remark.SUBSIDY_UNPROVEN),
        price_id=ibis.ifelse(row.online | ~row.explained | ~row.entitled, 0, row.q_id).cast("int32"),
    )


def place_of(row: Table) -> Expr:
    """One number that orders a card's records: the moment, online before offline in the same second, the counter.

    Good records that are equal in it share a second, so their card is imperfect whichever comes first.
    """
    return (row["at"] * 2 + ibis.ifelse(row.online, 0, 1)) * 65_536 + row.counter.cast("int64")


def _flag(condition: Expr, remark: Remark) -> Expr:
    return ibis.ifelse(condition, int(remark), 0).cast("int32")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registry:
    """What all records are joined with; the tables that cost something are kept, and not computed twice."""

    operators: Table
    terminals: Table
    psams: Table
    cards: Table
    classes: Table
    listed: Table


def _registry(engine: ClearingEngine, tables: ClearingTables) -> _Registry:
    """The registry as the records need it. A card's words stand in a small table of those that occur together."""
    parties, records = tables.participants, tables.records
    held = tables.cards.select(
        k_issuer="issuer", k_profile="profile", k_edition="profile_version", k_algorithm="algorithm",
        k_version="key_version",
    )  # fmt: skip
    classes = engine.keep_numbered("classes", held.distinct(), number="k_class")
    alike = [
        ("issuer", "k_issuer"), ("profile", "k_profile"), ("profile_version", "k_edition"),
        ("algorithm", "k_algorithm"), ("key_version", "k_version"),
    ]  # fmt: skip
    cards = tables.cards.inner_join(classes, alike)
    cards = cards.select(
        c_no="card_no", c_class="k_class", c_holder="holder", c_status="status", o_counter="opening_counter",
        o_online="opening_online", o_balance="opening_balance",
    )  # fmt: skip
    named = tables.listings.select(l_card="card_no").distinct()
    taps = records.select("record_id", "card_no", "terminal_id", "local_date", "local_time")
    listed = engine.map_batches(
        "listed",
        taps.semi_join(named, [("card_no", "l_card")]),
        moments,
        like=LIKE,
        then=lambda rows: listing_status(rows, tables.listings, tables.acknowledgements),
    )
    return _Registry(
        operators=parties.filter(parties.role.isin(PAID_ROLES)).select(p_code="code"),
        terminals=tables.terminals.select(
            t_id="terminal_id", t_operator="operator", t_acquirer="acquirer", t_status="status"
        ),
        psams=tables.psams.select(m_id="psam_id", m_terminal="terminal_id", m_status="status"),
        cards=engine.keep_numbered("cards", cards, number="c_card"),
        classes=classes,
        listed=listed.rename(s_id="record_id"),
    )


def _with_registry(
    rows: Table, beside: _Registry, tables: ClearingTables, prices: Table, params: ClearingParams
) -> Table:
    """The records with what the registry and the tariff say of them; nulls of missed joins count as false facts.

    What a fact is made of goes as soon as the fact is there: columns that nobody needs are not carried further.
    """
    row = _own_facts(rows, tables.attested, params)
    row = row.left_join(prices, [("product", "q_product"), ("gross_fare", "q_gross")])
    row = row.mutate(explained=row.online | (row.q_charge == row.amount).fill_null(False))
    row = row.drop("product", "gross_fare", "q_product", "q_gross", "q_charge")
    row = row.left_join(beside.operators, [("operator", "p_code")])
    row = row.left_join(beside.terminals, [("terminal_id", "t_id")])
    fits = (row.t_status == ACTIVE) & (row.t_operator == row.operator) & (row.t_acquirer == row.acquirer)
    row = row.mutate(operator_known=row.p_code.notnull(), terminal_fits=fits.fill_null(False))
    row = row.drop("operator", "acquirer", "p_code", "t_id", "t_status", "t_operator", "t_acquirer")
    row = row.left_join(beside.psams, [("psam_id", "m_id")])
    fits = (row.m_status == ACTIVE) & (row.m_terminal == row.terminal_id)
    row = row.mutate(psam_fits=fits.fill_null(False))
    row = row.drop("psam_id", "terminal_id", "m_id", "m_status", "m_terminal")
    row = row.left_join(beside.cards, [("card_no", "c_no")]).left_join(
        beside.classes, [("c_class", "k_class")]
    )
    fits = (
        (row.c_status == ACTIVE)
        & (row.k_issuer == row.issuer)
        & (row.k_profile == row.profile)
        & (row.k_edition == row.profile_version)
        & (row.k_algorithm == row.algorithm)
        & (row.k_version == row.key_version)
    )
    row = row.mutate(card_fits=fits.fill_null(False))
    row = row.drop(
        "card_no", "profile", "profile_version", "algorithm", "key_version", "c_no", "c_class", "c_status", "k_class",
        "k_issuer", "k_profile", "k_edition", "k_algorithm", "k_version",
    )  # fmt: skip
    row = row.left_join(beside.listed, [("record_id", "s_id")])
    if tables.answers is not None:
        said = tables.answers.select("w_id", "w_holder")
        row = row.left_join(said, [("record_id", "w_id")])
        row = row.mutate(c_holder=row.c_holder.coalesce(row.w_holder))
    return row


def _own_facts(rows: Table, attested: Table | None, params: ClearingParams) -> Table:
    """What a record says of itself, and whether the issuer's hosts vouch for it."""
    online = rows.txn_type.isin(LOAD_TYPES + ATTESTED_TYPES)
    kind = ibis.ifelse(online, int(CounterKind.ONLINE), int(CounterKind.OFFLINE))
    timely = (rows["at"] >= moment_number(params.window_from)) & (
        rows["at"] < moment_number(params.window_to)
    )
    row = rows.mutate(
        online=online,
        credit=rows.txn_type.isin(LOAD_TYPES),
        attested=rows.txn_type.isin(ATTESTED_TYPES),
        no_claim=rows.txn_type.isin(NO_CLAIM_TYPES),
        supported=rows.txn_type.isin(LOAD_TYPES + PURCHASE_TYPES + ATTESTED_TYPES)
        & (rows.counter_kind == kind),
        torn=(rows.state == int(RecordState.UNCONFIRMED)) & rows.tac.isnull(),
        timely=timely & (rows.zone == params.zone) & (rows.business_date == params.business_date),
    )
    if attested is None:
        row = row.mutate(vouched=ibis.literal(False))
    else:
        said = attested.distinct().rename({f"h_{name}": name for name in ATTESTED.names})
        row = row.left_join(said, [(name, f"h_{name}") for name in ATTESTED.names])
        row = row.mutate(vouched=row.h_card_no.notnull()).drop(*said.columns)
    return row.drop("counter_kind", "state", "tac", "zone", "business_date", "local_date", "local_time")


def _taken_in_here(row: Table) -> Expr:
    return row.record_id < FIRST_INBOUND


def _cases(row: Table, params: ClearingParams) -> Iterator[tuple[Reason, Expr]]:
    """The reasons in the order of precedence with their conditions; where cards of others come, each side its own.

    What came from another centre passed that one's side. A torn tap of another's card is asked about only when the
    tariff explains it: the card's centre does not know this tariff.
    """
    rules = _rules(row, params)
    lines = [(line, rules[line.reason]) for line in REASONS if line.reason in rules]
    if not params.issuers:
        yield from ((line.reason, rule) for line, rule in lines)
        return
    here = _taken_in_here(row)
    judged = row.issuer.isin(params.issuers) | ~here
    sides = {Side.ACQUIRER: here, Side.ISSUER: judged, Side.BOTH: ibis.literal(True)}
    yield from ((line.reason, rule & sides[line.side]) for line, rule in lines)
    yield Reason.UNRESOLVED, ~judged & row.torn & ~row.explained
    yield Reason.AWAITED, ~judged


def _rules(row: Table, params: ClearingParams) -> dict[Reason, Expr]:
    """The condition of each reason that a record can get on its own."""
    tac = row.tac_status
    rules = {
        Reason.UNKNOWN_OPERATOR: ~row.operator_known,
        Reason.UNKNOWN_TERMINAL: ~row.terminal_fits,
        Reason.UNKNOWN_PSAM: ~(row.online | row.no_claim | row.psam_fits),
        Reason.UNKNOWN_CARD: ~row.card_fits,
        Reason.DATE_OUT_OF_WINDOW: ~row.timely,
        Reason.AMOUNT_OUT_OF_RANGE: ~row.amount.between(0, params.purse_limit),
        Reason.CARD_BLOCKED: row.blocked.fill_null(False),
        Reason.TRUNCATED_TAC: ~row.torn & tac.isin([int(TacStatus.MALFORMED), int(TacStatus.ABSENT)]),
        Reason.NO_CLAIM: row.no_claim,
        Reason.WRONG_TAC: (~row.torn & ~row.attested & (tac != int(TacStatus.OK)))
        | (row.credit & (row.terminal_serial != 0)),
        Reason.NOT_CONCLUDED: row.attested & ~row.vouched,
        Reason.UNSUPPORTED_TYPE: ~row.supported,
    }
    assert rules.keys() == {line.reason for line in REASONS if line.outcome is Outcome.REJECTED}
    return rules
