"""The acts of a window as canonical JSON, for a journal: what is read back is equal, anything else is refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from jinka.kit import JinkaError, Refused, Unit
from jinka.settlement.caps import NetDebitCap, OnBreach
from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.claims import Claim
from jinka.settlement.posting import BusinessDay
from jinka.settlement.window import Act, WindowEvent, WindowKey
from jinka.settlement.window_desk import Opening


def act_text(act: Act) -> str:
    """One act as a line."""
    return _line(
        {
            "event": act.event.name,
            "at_micros": act.at_micros,
            "claims": [_claim_row(claim) for claim in act.claims],
            "participant": act.participant,
            "caps": [[cap.participant, cap.limit, cap.on_breach.value] for cap in act.caps],
            "officer": act.officer,
            "reason": act.reason,
        }
    )


def read_act(text: str, *, where: str) -> Act:
    """Read `act_text`; raises `Refused` when the journal holds something else."""
    try:
        raw = json.loads(text)
        return Act(
            event=WindowEvent[raw["event"]],
            at_micros=raw["at_micros"],
            claims=tuple(_claim(row) for row in raw["claims"]),
            participant=raw["participant"],
            caps=tuple(
                NetDebitCap(participant=code, limit=limit, on_breach=OnBreach(rule))
                for code, limit, rule in raw["caps"]
            ),
            officer=raw["officer"],
            reason=raw["reason"],
        )
    except (ValueError, KeyError, TypeError, JinkaError) as problem:
        raise _spoiled(where) from problem


def opening_text(opening: Opening) -> str:
    """A window's beginning as a line."""
    key, day = opening.key, opening.key.day
    return _line(
        {
            "centre": key.centre,
            "chain": key.chain,
            "ordinal": key.ordinal,
            "date": day.date.isoformat(),
            "zone": day.zone,
            "cycle": day.cycle,
            "unit": day.unit.name,
            "claims": [_claim_row(claim) for claim in opening.claims],
            "suspended": sorted(opening.suspended),
        }
    )


def read_opening(text: str, *, where: str) -> Opening:
    """Read `opening_text`; raises `Refused` when the journal holds something else."""
    try:
        raw = json.loads(text)
        day = BusinessDay(
            date=dt.date.fromisoformat(raw["date"]),
            zone=raw["zone"],
            cycle=raw["cycle"],
            unit=Unit[raw["unit"]],
        )
        return Opening(
            key=WindowKey(centre=raw["centre"], chain=raw["chain"], ordinal=raw["ordinal"], day=day),
            claims=tuple(_claim(row) for row in raw["claims"]),
            suspended=frozenset(raw["suspended"]),
        )
    except (ValueError, KeyError, TypeError, JinkaError) as problem:
        raise _spoiled(where) from problem


def _spoiled(where: str) -> Refused:
    return Refused("is no act of a window", where=where, fix="the journal was changed: take it from a backup")


def _claim_row(claim: Claim) -> list[Any]:
    debit, credit = claim.debit, claim.credit
    return [
        claim.id.hex(), claim.number, debit.code.name, debit.owner, credit.code.name, credit.owner,
        claim.amount, claim.code.name, claim.at_micros,
    ]  # fmt: skip


def _claim(row: list[Any]) -> Claim:
    id_, number, debit, payer, credit, payee, amount, code, at_micros = row
    return Claim(
        id=bytes.fromhex(id_),
        number=number,
        debit=AccountName(code=AccountCode[debit], owner=payer),
        credit=AccountName(code=AccountCode[credit], owner=payee),
        amount=amount,
        code=TransferCode[code],
        at_micros=at_micros,
    )


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
