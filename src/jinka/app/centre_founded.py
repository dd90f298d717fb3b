"""Claims that take money, held against the verdicts that a centre gave or passed on: what has no ground is held.

| what is claimed of a party away from the claim's centre | what it may come to |
|---|---|
| CHARGE, of an issuer | what was accepted of its cards' records there, or silence accepted |
| RISK, of the scheme | what was accepted at the scheme's risk |
| INTERCHANGE | the list's highest price for what was accepted; without a list that sum, where it only passes |
| FEE, SUBSIDY, SHARE, LOAD | nothing: these are paid where the terminal is, and go to the other party |
| LOAD, to an issuer | what it accepted of loads there, or silence accepted |
| CHARGE, from an issuer at home to others | what it accepted of its cards' records elsewhere |

The sums run over all rounds. What is claimed beyond is the finding `CLAIM_EXCEEDS` at each centre that sees it, and
lies in suspense at the payer's. Of an issuer's CHARGE its own centre knows more: `jinka.app.centre_claims`.

`require_bounds` and `require_grounds` are asked when a child's parcel comes: what no record of it could explain, or no
verdict that passed here did, is not taken in at all. So what is held here is what a parent let through.
RISK is left out there, for a city's own cards cause it too, and their records cross nowhere; beyond what crossed it is
held, so that officers look at it. No standard describes this exchange: it is Jinka's own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.app.centre_files import ArrivedFiles, RoundFiles, days_of
from jinka.app.centre_grounds import (
    LATE_DAYS,
    NOTE,
    add_grounds,
    add_silent,
    given_away,
    is_of,
    key_of,
    may_give,
    noted_sums,
    of_scheme,
    payer_of,
    settled_days,
    silent_in,
)
from jinka.app.centre_silence import LOOK_BACK_DAYS
from jinka.clearing import FeeSchedule, LineKind
from jinka.clearing.fees import PPM, FeeLine, FeeParty
from jinka.clearing.routing import CLAIMS
from jinka.clearing.tiers import Surroundings
from jinka.clearing.verdicts import CROSSING, DEEMED
from jinka.codec.parcel import Kind
from jinka.kit import Refused
from jinka.settlement.centre_posting import Excess

# A record is of 10 million yuan at most, and a centre's claims of a day of 100 billion: sums stay far from 64 bits.
MOST_OF_RECORD, MOST_OF_CENTRE = 10**9, 10**13
ROWS_OF_CENTRE = 10_000  # claims in a round: so that one centre does not fill what its parent may send
DAYS_BEFORE, DAYS_AFTER = 366, 31  # of a record's business day and its round
_IN_SUM = (LineKind.RISK.value, LineKind.INTERCHANGE.value)  # bounded for each centre, whoever is to pay
_EPOCH = dt.date(1970, 1, 1).toordinal()
_LAST = dt.date.max.toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfounded:
    """What was claimed beyond its ground in a round: of parties at home here, and of others by what passes."""

    home: list[Excess]
    passing: list[Excess]


def hold_unfounded(
    folder: Path,
    date: dt.date,
    claims: pa.Table,
    around: Surroundings,
    *,
    issuer: str,
    fees: FeeSchedule | None,
) -> Unfounded:
    """Hold a round's claims against the verdicts so far; what it comes to is noted down for the next round.

    ``issuer`` is whose CHARGE is judged elsewhere, at its own city; "" above the cities.
    """
    files, (number, sums) = RoundFiles(folder, date), noted_sums(folder, date)
    told = silent_in(folder, around, settled_days(folder, number, date))
    add_grounds(sums, folder, date, around, issuer, told)
    claimed: Counter[str] = Counter()
    for row in claims.to_pylist():
        by_others = row["far"] == row["payer"] and row["centre"] != around.code
        if by_others and (row["kind"], row["payer"]) != (LineKind.CHARGE.value, issuer):
            claimed[key_of(row["kind"], row["centre"], row["payer"])] += row["amount"]
    sums["claimed"] += claimed
    found = Unfounded(home=[], passing=[])
    for key in sorted(claimed):
        kind, centre, payer = json.loads(key)
        home = payer in around.participants
        allowed, own = 0, sums["claimed"][key] - sums["excess"][key]
        standing = own
        if kind == LineKind.CHARGE.value:
            allowed = sums["charges"][key_of(centre, payer)]
        elif kind == LineKind.RISK.value and of_scheme(payer, around):
            allowed = sums["risks"][centre]
        elif kind == LineKind.INTERCHANGE.value:
            allowed = _highest(fees, date, sums["volumes"][centre], sums["counts"][centre], home=home)
        if kind in _IN_SUM and allowed:  # whoever is to pay: the same records are the ground
            standing = sum(
                sums["claimed"][other] - sums["excess"][other]
                for other in sums["claimed"]
                if is_of(other, kind, centre) and (payer_of(other) in around.participants) is home
            )
        over = min(standing - allowed, own)
        if over > 0:
            sums["excess"][key] += over
            each = Excess(centre=centre, issuer=payer, amount=over, kind=LineKind(kind))
            (found.home if home else found.passing).append(each)
    found.passing.extend(_given_too_much(sums, claims, around, issuer))
    noted = {name: dict(sorted(counted.items())) for name, counted in sums.items()}
    files.note(NOTE, {"seq": number, **noted})
    return found


def require_dates(records: pa.Table, date: dt.date, *, where: str) -> None:
    """Raise `Refused` for records of a business day so far from their round that nobody could judge them."""
    if not records.num_rows:
        return
    here = date.toordinal() - _EPOCH
    days = pc.unique(records["business_date"].cast(pa.int32())).to_pylist()  # for some Python has no date
    if wrong := [day for day in days if not here - DAYS_BEFORE <= day <= here + DAYS_AFTER]:
        raise Refused(
            f"a business day {wrong[0] - here} days from its round",
            where=f"{where}.records.business_date",
            fix=f"{DAYS_BEFORE} days before the round to {DAYS_AFTER} after it",
        )


def require_bounds(
    folder: Path, around: Surroundings, sender: str, date: dt.date, claims: pa.Table, *, where: str
) -> None:
    """Raise `Refused` for claims too large for any books, or, a child's, beyond all records that it ever sent."""
    child = around.children.get(sender)
    most = MOST_OF_CENTRE * (len(child.centres) if child else 100)
    rows = claims.to_pylist()
    total = sum(row["amount"] for row in rows)
    if total > most or any(row["amount"] > MOST_OF_CENTRE for row in rows):
        raise Refused(f"claims of {total} minor units", where=where, fix=f"at most {most} in a day")
    if wrong := [row["round"] for row in rows if not 0 < row["round"] <= _LAST]:
        raise Refused(f"no such round: {wrong[0]}", where=where)
    if child is None:
        return
    if at_home := [row["far"] for row in rows if row["far"] in child.participants]:
        raise Refused(f"{at_home[0]} is below {sender} itself", where=where, fix="it settles that by itself")
    rounds = Counter((row["centre"], row["round"]) for row in rows)
    if flood := [(name, count) for name, count in rounds.items() if count > ROWS_OF_CENTRE]:
        raise Refused(
            f"{flood[0][1]} claims of {flood[0][0][0]} in one round",
            where=where,
            fix=f"at most {ROWS_OF_CENTRE}",
        )
    if not around.parent and (strange := [row["far"] for row in rows if not around.hop_to_party(row["far"])]):
        raise Refused(
            f"nobody has {strange[0]}", where=where, fix="admit who it is, or claim of who there is"
        )
    taken = _taken(rows, around)
    if not taken:
        return
    arrived, since = ArrivedFiles(folder), date - dt.timedelta(days=LOOK_BACK_DAYS)
    for day in arrived.days(sender, Kind.POSITIONS):
        if since <= day < date:
            taken += _taken(arrived.read(sender, Kind.POSITIONS, day, "claims", CLAIMS).to_pylist(), around)
    for _, place in arrived.released(sender, Kind.POSITIONS, None):  # released, and in no round yet
        taken += _taken(pq.read_table(place / "claims.parquet").to_pylist(), around)
    crossed: Counter[str] = Counter()
    for day in arrived.days(sender, Kind.RECORDS):
        if since - dt.timedelta(days=LATE_DAYS) <= day <= date:
            table = arrived.read(sender, Kind.RECORDS, day, "records", CROSSING)
            whole = pc.and_(pc.greater(table["amount"], 0), pc.less_equal(table["amount"], MOST_OF_RECORD))
            sums = table.filter(whole).group_by("centre").aggregate([("amount", "sum")])
            crossed.update(dict(zip(sums["centre"].to_pylist(), sums["amount_sum"].to_pylist(), strict=True)))
    for centre in sorted(taken):
        if taken[centre] > crossed[centre]:
            raise Refused(
                f"{centre} claims {taken[centre]} minor units, and sent records of {crossed[centre]}",
                where=where,
                fix="a claim follows from records that crossed",
            )


def require_grounds(
    folder: Path,
    around: Surroundings,
    sender: str,
    date: dt.date,
    claims: pa.Table,
    deemed: pa.Table,
    *,
    where: str,
) -> None:
    """Raise `Refused` for a child's claims beyond what this centre itself saw accepted, or now sees as silence.

    Every verdict that pays the child went down through here, so what exceeds them is invented, and nothing of it
    reaches an order. RISK is left out, and of INTERCHANGE the sum alone is known here (see the table above).
    """
    if sender not in around.children:
        return
    taken, given, silent = _claimed_away(claims), given_away(claims, around), [deemed]
    if not taken and not given:
        return
    open_ = {day for day in days_of(folder) if RoundFiles(folder, day).noted(NOTE) is None}
    (number, sums), arrived = noted_sums(folder, dt.date.max), ArrivedFiles(folder)
    told = silent_in(folder, around, settled_days(folder, number, date))
    for day in sorted(day for day in open_ if day <= date):
        add_grounds(sums, folder, day, around, "", told)
    for day in arrived.days(sender, Kind.POSITIONS):
        if day in open_ and day != date:
            waiting = arrived.read(sender, Kind.POSITIONS, day, "claims", CLAIMS)
            taken, given = taken + _claimed_away(waiting), given + given_away(waiting, around)
            silent.append(arrived.read(sender, Kind.POSITIONS, day, "deemed", DEEMED))
    for _, place in arrived.released(sender, Kind.POSITIONS, None):
        waiting = pq.read_table(place / "claims.parquet")
        taken, given = taken + _claimed_away(waiting), given + given_away(waiting, around)
        silent.append(pq.read_table(place / "deemed.parquet"))
    add_silent(sums, folder, date, around, pa.concat_tables(silent), told)
    issuers = {json.loads(key)[1] for key in sums["charges"]}
    for key in sorted(taken):
        kind, centre, payer = json.loads(key)
        ground, of = 0, [key]
        if kind == LineKind.RISK.value and of_scheme(payer, around) and payer not in issuers:
            continue
        if kind == LineKind.CHARGE.value:
            ground = sums["charges"][key_of(centre, payer)]
        elif kind == LineKind.INTERCHANGE.value:
            ground = max(sums["volumes"][centre], 0)
            of = [other for other in sums["claimed"] | taken if is_of(other, kind, centre)]
            if around.parent and of_scheme(payer, around):  # as the next centre above will judge it
                ground = max(sums["outside"][centre], 0)
                of = [other for other in of if of_scheme(payer_of(other), around)]
        claimed = sum(sums["claimed"][each] - sums["excess"][each] + taken[each] for each in of)
        if claimed > ground:
            raise Refused(
                f"{centre} claims {claimed} minor units ({kind}) of {payer}, and {ground} were accepted",
                where=where,
                fix="a claim follows from verdicts that were sent down, or from silence on a record with its TAC",
            )
    for key in sorted(given):
        kind, centre, party, _ = json.loads(key)
        ground, owed = (
            may_give(sums, key, around),
            sums["given"][key] + given[key] - sums["excess"][key_of("given", key)],
        )
        if owed > ground:
            raise Refused(
                f"{centre} gives {owed} minor units ({kind}) for {party}, and {ground} were accepted",
                where=where,
                fix="a debt follows from verdicts too: what no record shows is none",
            )


def _given_too_much(
    sums: dict[str, Counter[str]], claims: pa.Table, around: Surroundings, issuer: str
) -> list[Excess]:
    """Claims that give more than verdicts explain; of cards' payments a city sees its own verdicts alone."""
    others = claims.filter(pc.not_equal(claims["centre"], around.code))
    given, found = given_away(others, around), []
    sums["given"] += given
    for key in sorted(given):
        kind, centre, party, _ = json.loads(key)
        if issuer and kind == LineKind.CHARGE.value:
            continue
        noted = key_of("given", key)
        over = sums["given"][key] - may_give(sums, key, around) - sums["excess"][noted]
        if over > 0:
            sums["excess"][noted] += over
            found.append(Excess(centre=centre, issuer=party, amount=over, kind=LineKind(kind)))
    return found


def _claimed_away(claims: pa.Table) -> Counter[str]:
    """What is claimed of others, by kind, centre and payer."""
    sums: Counter[str] = Counter()
    for row in claims.to_pylist():
        if row["far"] == row["payer"]:
            sums[key_of(row["kind"], row["centre"], row["payer"])] += row["amount"]
    return sums


def _taken(rows: Iterable[dict[str, object]], around: Surroundings) -> Counter[str]:
    """What each centre takes of others by its claims, the scheme's risk aside."""
    sums: Counter[str] = Counter()
    for row in rows:
        risk = row["kind"] == LineKind.RISK.value and of_scheme(str(row["payer"]), around)
        if row["far"] == row["payer"] and not risk:
            sums[str(row["centre"])] += int(str(row["amount"]))
    return sums


def _highest(fees: FeeSchedule | None, date: dt.date, volume: int, count: int, *, home: bool) -> int:
    """No fee that others than an operator pay comes to more by the price list."""
    if (
        fees is None
    ):  # the plain table has operators pay alone; whoever only passes it on cannot know another's list
        return 0 if home else max(volume, 0)
    lines = [line for line in fees.on(date).lines if set(line.payers) != {FeeParty.OPERATOR}]
    return sum(_highest_of(line, max(volume, 0), count) for line in lines) if count else 0


def _highest_of(line: FeeLine, volume: int, count: int) -> int:
    rate = max(rate for _, rate in line.bands)
    # Each record may be rounded up by itself, and have the floor and the fixed part by itself.
    return line.taxed((volume * rate + PPM - 1) // PPM + (line.fixed + line.floor + 1) * count)[0]


__all__ = ["Unfounded", "hold_unfounded", "require_bounds", "require_dates", "require_grounds"]
