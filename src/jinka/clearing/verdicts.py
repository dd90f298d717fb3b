"""Records of foreign cards on their way to the cards' centre, and its verdicts on the way back.

A record travels as it is, beside the code of the centre that took it in and its number there, which names it until it
is answered. The card's centre numbers what arrives (`number_inbound`), judges it with its own cards' records in one
chain, and says of each what became of it (`verdicts_of`). The terminal's centre takes an answer for a record that it
sent, to that issuer, once (`take_answers`); silence counts as a yes after a number of rounds (`deemed`).

Tables in, tables out; no I/O. What is paid and to whom follows from the outcomes, as for a centre's own cards.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from jinka.clearing.port import ANSWERS, FIRST_INBOUND
from jinka.clearing.reasons import Outcome, Reason, Remark
from jinka.codec import RECORD_SCHEMA
from jinka.kit import Finding, Severity

_REF = [pa.field("centre", pa.string(), nullable=False), pa.field("ref", pa.int64(), nullable=False)]
# A record between centres: the centre that took it in, and its number there.
CROSSING = pa.schema([*_REF, *RECORD_SCHEMA], metadata={b"jinka.crossing": b"1"})
VERDICTS = pa.schema(
    [
        *_REF,
        pa.field("issuer", pa.string(), nullable=False),
        pa.field("txn_type", pa.uint8(), nullable=False),
        pa.field("amount", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("findings", pa.string(), nullable=False),
        pa.field("at_risk", pa.bool_(), nullable=False),
        pa.field("holder", pa.uint8()),
    ],
    metadata={b"jinka.verdicts": b"1"},
)
# Records that came from other centres, by the number that this one gives them.
INBOUND = pa.schema([pa.field("record_id", pa.int64(), nullable=False), *CROSSING])
# What a centre remembers of the records that it sent, and in which round; ``record_id`` is its own number.
SENT = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("round", pa.int64(), nullable=False),
        *RECORD_SCHEMA,
    ]
)
# Records that silence counted as accepted, for those whose books this crosses.
DEEMED = pa.schema(
    [*_REF, pa.field("issuer", pa.string(), nullable=False), pa.field("amount", pa.int64(), nullable=False)],
    metadata={b"jinka.deemed": b"1"},
)
_ROUND_BITS = 36
TAC_BYTES = 4
_SAID = {Outcome.PAID, Outcome.REJECTED, Outcome.DUPLICATE, Outcome.VOID}


def crossing(outcomes: pa.Table, centre: str) -> pa.Table:
    """The records of ``outcomes`` that await another centre, as `CROSSING`, in the order of their numbers."""
    waiting = outcomes.filter(pc.equal(outcomes["outcome"], Outcome.AWAITED.value)).sort_by("record_id")
    columns = {"centre": pa.array([centre] * waiting.num_rows, pa.string()), "ref": waiting["record_id"]}
    columns |= {name: waiting[name] for name in RECORD_SCHEMA.names}
    return pa.table([_cast(columns[field.name], field) for field in CROSSING], schema=CROSSING)


def sent_of(crossing_: pa.Table, round_: int) -> pa.Table:
    """What `crossing` sends, as `SENT`."""
    rounds = pa.array([round_] * crossing_.num_rows, pa.int64())
    columns = {"record_id": crossing_["ref"], "round": rounds} | {
        name: crossing_[name] for name in RECORD_SCHEMA.names
    }
    return pa.table([columns[field.name] for field in SENT], schema=SENT)


def number_inbound(parcels: Iterable[pa.Table], *, round_: int) -> pa.Table:
    """All records that came with a round, as `INBOUND`: numbers follow from their names, not from their arrival."""
    table = pa.concat_tables([CROSSING.empty_table(), *parcels]).sort_by(
        [("centre", "ascending"), ("ref", "ascending")]
    )
    first = FIRST_INBOUND + (round_ << _ROUND_BITS)
    numbers = pa.array(range(first, first + table.num_rows), pa.int64())
    return table.add_column(0, INBOUND.field("record_id"), numbers).cast(INBOUND)


def verdicts_of(outcomes: pa.Table, inbound: pa.Table, cards: pa.Table) -> pa.Table:
    """What this centre says of the inbound records that it has judged. Torn taps that nothing shows wait on.

    ``cards`` is the registry's; the holder's class is told of paid records alone, for a subsidy needs a right.
    """
    if not inbound.num_rows:
        return VERDICTS.empty_table()
    said = pa.array([outcome.value for outcome in _SAID])
    mine = outcomes.filter(
        pc.and_(pc.greater_equal(outcomes["record_id"], FIRST_INBOUND), pc.is_in(outcomes["outcome"], said))
    ).select(["record_id", "reason", "findings", "at_risk"])
    row = inbound.select(["record_id", "centre", "ref", "issuer", "txn_type", "amount", "card_no"]).join(
        mine, "record_id", join_type="inner"
    )
    row = row.join(cards.select(["card_no", "holder"]), "card_no", join_type="left outer")
    row = row.sort_by([("centre", "ascending"), ("ref", "ascending")])
    paid = pc.equal(row["reason"], Reason.ACCEPTED.name)
    holder = pc.if_else(paid, row["holder"], pa.scalar(None, pa.uint8()))
    row = row.set_column(row.schema.get_field_index("holder"), "holder", holder)
    return pa.table([_cast(row[field.name], field) for field in VERDICTS], schema=VERDICTS)


def strangers(records: pa.Table) -> pa.Table:
    """The verdicts of the topmost centre on records whose issuer nobody has."""
    count = records.num_rows
    columns = {name: records[name] for name in ("centre", "ref", "issuer", "txn_type", "amount")} | {
        "reason": pa.array([Reason.UNKNOWN_CARD.name] * count, pa.string()),
        "findings": pa.array([""] * count, pa.string()),
        "at_risk": pa.array([False] * count, pa.bool_()),
        "holder": pa.nulls(count, pa.uint8()),
    }
    return pa.table([_cast(columns[field.name], field) for field in VERDICTS], schema=VERDICTS)


def take_answers(
    sent: pa.Table, known: pa.Table, verdicts: pa.Table, *, centre: str
) -> tuple[pa.Table, list[Finding]]:
    """The `ANSWERS` that are new and fit, and a finding for each that is not.

    ``sent`` has ``record_id``, ``issuer`` and ``amount`` of all records that this centre sent; ``known`` the answers
    so far, those that silence gave included. An answer counts for the record of that number, when it names its issuer
    and amount; the first one stands.
    """
    asked = dict(
        zip(
            sent["record_id"].to_pylist(),
            zip(sent["issuer"].to_pylist(), sent["amount"].to_pylist(), strict=True),
            strict=True,
        )
    )
    there = dict(zip(known["w_id"].to_pylist(), known.to_pylist(), strict=True))
    rows, findings = [], []
    for said in verdicts.to_pylist():
        made, problem = _answer(said, asked, there, centre)
        if problem is not None:
            findings.append(problem)
        elif made is not None:
            rows.append(made)
            there[made["w_id"]] = made
    return pa.Table.from_pylist(rows, schema=ANSWERS), findings


def deemed(sent: pa.Table, known: pa.Table, *, until_round: int) -> pa.Table:
    """`ANSWERS` for records that were sent in ``until_round`` or before and that nobody answered: silence is a yes.

    A torn tap without a TAC is no claim that silence could prove.
    """
    old = with_tac(sent.filter(pc.less_equal(sent["round"], until_round)))
    silent = old.filter(pc.invert(pc.is_in(old["record_id"], known["w_id"].combine_chunks())))
    rows = [
        {
            "w_id": number,
            "w_reason": int(Reason.ACCEPTED),
            "w_remarks": int(Remark.DEEMED_ACCEPTED),
            "w_risk": False,
            "w_holder": None,
        }
        for number in silent["record_id"].to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=ANSWERS)


def with_tac(records: pa.Table) -> pa.Table:
    """Those of the records that carry a whole TAC: 4 bytes, as JR/T 0025.1 has it."""
    return records.filter(pc.equal(pc.binary_length(records["tac"]), TAC_BYTES))


def deemed_notice(sent: pa.Table, silent: pa.Table, centre: str) -> pa.Table:
    """`DEEMED` of the records to which silence was the answer: their cards' centre has to know."""
    told = sent.filter(pc.is_in(sent["record_id"], silent["w_id"].combine_chunks())).sort_by("record_id")
    columns = {"centre": pa.array([centre] * told.num_rows, pa.string()), "ref": told["record_id"]}
    columns |= {name: told[name] for name in ("issuer", "amount")}
    return pa.table([columns[field.name] for field in DEEMED], schema=DEEMED)


def _answer(
    said: dict[str, object],
    asked: dict[int, tuple[str, int]],
    there: dict[int, dict[str, object]],
    centre: str,
) -> tuple[dict[str, object] | None, Finding | None]:
    """The answer as a row of `ANSWERS`, or what is wrong with it; neither when it is known already."""
    number = said["ref"]
    assert isinstance(number, int)
    where = f"verdict on {centre} {number}"
    if said["centre"] != centre or number not in asked:
        return None, _finding("VERDICT_UNASKED", where, "no such record was sent")
    if (said["issuer"], said["amount"]) != asked[number]:
        return None, _finding("VERDICT_MISMATCH", where, "another issuer or amount than was sent")
    if said["reason"] not in Reason.__members__ or not set(str(said["findings"]).split()) <= set(
        Remark.__members__
    ):
        return None, _finding("VERDICT_UNKNOWN", where, f"no such reason: {said['reason']}")
    reason = Reason[str(said["reason"])]
    made: dict[str, object] = {
        "w_id": number,
        "w_reason": int(reason),
        "w_remarks": sum(Remark[word] for word in str(said["findings"]).split()),
        "w_risk": said["at_risk"],
        "w_holder": said["holder"],
    }
    before = there.get(number)
    if before is None:
        return made, None
    if before == made or (_was_silence(before) and reason is Reason.ACCEPTED):
        return None, None
    if _was_silence(before):
        return None, _finding(
            "VERDICT_LATE", where, f"{reason.name} after silence counted as a yes",
            fix="paid already: the loss stays with the card's centre",
        )  # fmt: skip
    return None, _finding(
        "VERDICT_CHANGED", where, f"{reason.name} after another answer; the first one stands"
    )


def _was_silence(answer: dict[str, object]) -> bool:
    remarks = answer["w_remarks"]
    assert isinstance(remarks, int)
    return bool(remarks & Remark.DEEMED_ACCEPTED)


def _finding(code: str, where: str, what: str, fix: str = "ask the card's centre") -> Finding:
    return Finding(code=code, severity=Severity.WARNING, where=where, what=what, fix=fix)


def _cast(column: pa.Array | pa.ChunkedArray, field: pa.Field) -> pa.Array | pa.ChunkedArray:
    return column if column.type == field.type else column.cast(field.type)
