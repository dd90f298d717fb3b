"""A record's history: statements that are only ever added, and what they say on a day, as it was known at a time.

A statement says that a field has a value from a day on, by whom, when it was said and why. A correction replaces an
earlier statement and leaves it readable; so there are two times, that of the fact and that of the knowledge. The end of
a fact is a correction with a last day.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jinka.identity.base_records.fields import FieldSpec, RecordKind, Ref
from jinka.kit import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One value of one field. ``valid_to`` is the last day, None until further notice."""

    seq: int
    field: str
    value: str
    valid_from: dt.date
    valid_to: dt.date | None
    at_micros: int
    source: str
    officer: str
    why: str
    corrects: int = 0

    def __repr__(self) -> str:
        return f"Statement({self.seq}, {self.field}=***, {self.valid_from} - {self.valid_to or ''})"

    def holds(self, on: dt.date) -> bool:
        """Whether it speaks of that day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def canonical(self, record: int) -> bytes:
        """The bytes that its proof in the log is made of."""
        to = self.valid_to.isoformat() if self.valid_to else ""
        body = [
            record, self.seq, self.field, self.value, self.valid_from.isoformat(), to, self.at_micros,
            self.source, self.officer, self.why, self.corrects,
        ]  # fmt: skip
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record with everything that was ever said of it, oldest first."""

    ref: Ref
    statements: tuple[Statement, ...] = ()

    def __repr__(self) -> str:
        return f"Record({self.ref}, {len(self.statements)} statements)"

    def values(self, spec: FieldSpec, on: dt.date, known_by: int | None = None) -> tuple[Statement, ...]:
        """What holds of a field on a day, as it was known at a time (microseconds UTC; None: now)."""
        known = [
            said
            for said in self.statements
            if said.field == spec.name and (known_by is None or said.at_micros <= known_by)
        ]
        replaced = {said.corrects for said in known}
        valid = [said for said in known if said.seq not in replaced and said.holds(on)]
        if spec.many:
            return tuple(sorted({said.value: said for said in valid}.values(), key=lambda said: said.seq))
        return tuple(sorted(valid, key=lambda said: (said.valid_from, said.seq))[-1:])

    def until(self, seq: int) -> Record:
        """The record as it stood after that statement."""
        return Record(ref=self.ref, statements=tuple(said for said in self.statements if said.seq <= seq))

    def standing(self, spec: FieldSpec) -> tuple[Statement, ...]:
        """What is said of a field and was not replaced, for whatever days."""
        replaced = {said.corrects for said in self.statements}
        return tuple(said for said in self.statements if said.field == spec.name and said.seq not in replaced)

    def check_correction(self, spec: FieldSpec, seq: int) -> Statement:
        """The statement that may be replaced; raises `Refused`."""
        found = next((said for said in self.statements if said.seq == seq), None)
        if found is None or found.field != spec.name:
            raise Refused(
                "no such statement of this field",
                where=f"{self.ref}.{spec.name}",
                fix="see jinka records show",
            )
        if any(said.corrects == seq for said in self.statements):
            raise Refused(
                "it was corrected already", where=f"{self.ref}.{spec.name}", fix="correct what replaced it"
            )
        return found

    def check_overlap(self, spec: FieldSpec, new: Statement) -> None:
        """Raises `Refused` when a value of a field of many would hold twice at a time."""
        if not spec.many:
            return
        replaced = {said.corrects for said in self.statements} | {new.corrects}
        for said in self.statements:
            same = said.field == spec.name and said.value == new.value and said.seq not in replaced
            if same and (overlap(said, new)):
                raise Refused("it holds already", where=f"{self.ref}.{spec.name}")


def overlap(one: Statement, other: Statement) -> bool:
    """Whether two statements speak of one day."""
    starts_before = other.valid_to is None or one.valid_from <= other.valid_to
    return starts_before and (one.valid_to is None or other.valid_from <= one.valid_to)


def check_source(kind: RecordKind, values: Iterable[str], department: str) -> None:
    """Raises `Refused` when a department would write what another one keeps."""
    for name in values:
        source = kind.field(name).source
        if source != department:
            raise Refused(
                f"{source} keeps this field", where=f"{kind.name}.{name}", fix=f"ask {source} to write it"
            )


def birth_date(kind: RecordKind, seen: Mapping[str, str]) -> dt.date | None:
    """When a person was born, by what is known of it."""
    if not kind.person:
        return None
    if "birth_date" in seen:
        return dt.date.fromisoformat(seen["birth_date"])
    number = seen.get("identity_number", "")
    return dt.date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}") if number else None


def check_number_agrees(kind: RecordKind, seen: Mapping[str, str]) -> None:
    """Raises `Refused` when sex or date of birth is another than the citizen number says (GB 11643, 4.1)."""
    number = seen.get("identity_number", "") if kind.person else ""
    if not number:
        return
    if seen.get("birth_date", number[6:14]).replace("-", "") != number[6:14]:
        raise Refused("the identity number tells another date of birth", where=f"{kind.name}.birth_date")
    sex = "male" if int(number[16]) % 2 else "female"
    if seen.get("sex", sex) != sex:
        raise Refused("the identity number tells another sex", where=f"{kind.name}.sex")
