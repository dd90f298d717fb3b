"""What a kind of base record is made of: its fields as a table, each with its type, its source and its sensitivity.

A relation is a field too: it refers to another record (person to cards, card to applications). What is personal and
what is sensitive is said by the Personal Information Protection Law (个人信息保护法), Art. 4 and 28; which is which
stands in the declarations. Values are texts in one written form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from jinka.kit import Refused, Usage

Words = tuple[str, str]  # English, Chinese
_NAME = re.compile(r"[a-z][a-z0-9_]{1,31}")
_CODE = re.compile(r"[a-z][a-z0-9-]{1,31}")


class FieldType(Enum):
    """How a value is checked (`jinka.identity.base_records.checks`)."""

    TEXT = "text"
    DATE = "date"
    COUNT = "count"
    WORD = "word"  # one of the field's own words
    CITIZEN = "citizen number"
    ORGANISATION = "organisation code"
    DIVISION = "division"
    PLATE = "plate"
    VIN = "vin"
    MOBILE = "mobile number"
    CARD = "card number"
    AID = "aid"
    REFERENCE = "reference"  # to another record


class Sensitivity(Enum):
    """Who may be harmed by it: (value, Chinese title)."""

    OPEN = ("open", "公开")
    INTERNAL = ("internal", "内部")
    PERSONAL = ("personal", "个人信息")
    SENSITIVE = ("sensitive", "敏感个人信息")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field. ``source`` is the department that alone may write it.

    ``key``: it finds the record, and no two records have one value of it at a time. ``many``: several values hold at
    once. ``holds``: whoever refers so is the holder of what is referred to, and nobody else is at that time.
    ``held``: the record's holder is whom it refers to.
    """

    name: str
    title: Words
    type: FieldType
    source: str
    sensitivity: Sensitivity
    words: tuple[str, ...] = ()
    target: str = ""
    key: bool = False
    many: bool = False
    holds: bool = False
    held: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Usage("not a field's name", where=self.name[:40], fix="a-z, 0-9 and _, at most 32")
        if (self.type is FieldType.WORD) != bool(self.words):
            raise Usage("words belong to a field of words", where=self.name)
        if (self.type is FieldType.REFERENCE) != bool(self.target):
            raise Usage("a target belongs to a reference", where=self.name)
        if self.holds and self.type is not FieldType.REFERENCE:
            raise Usage("only who refers to a record holds it", where=self.name)
        if self.held and (self.type is not FieldType.REFERENCE or self.many or self.holds):
            raise Usage("a holder is one that is referred to", where=self.name)

    @property
    def personal(self) -> bool:
        """Whether it says something about a person."""
        return self.sensitivity in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind:
    """A kind of record."""

    name: str
    title: Words
    fields: tuple[FieldSpec, ...]
    person: bool = False  # its records are natural persons
    about: str = ""  # it has no records of its own and is looked at through those of another kind

    def __post_init__(self) -> None:
        check_code(self.name, "record kind")
        if len({field.name for field in self.fields}) != len(self.fields):
            raise Usage("two fields of one name", where=self.name)

    @property
    def by_name(self) -> Mapping[str, FieldSpec]:
        """The fields by their names."""
        return MappingProxyType({field.name: field for field in self.fields})

    def field(self, name: str) -> FieldSpec:
        """The field of that name; raises `Usage`."""
        found = next((field for field in self.fields if field.name == name), None)
        if found is None:
            known = ", ".join(field.name for field in self.fields)
            raise Usage("no such field", where=f"{self.name}.{echoed(name, 'field')}", fix=f"one of {known}")
        return found

    @property
    def keys(self) -> tuple[FieldSpec, ...]:
        """The fields that find a record."""
        return tuple(field for field in self.fields if field.key)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ref:
    """One record: its kind and its number, written ``person:12``. The number says nothing about anybody."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"

    @classmethod
    def parse(cls, text: str, *, where: str = "record") -> Ref:
        """Read ``person:12``; raises `Refused`."""
        kind, _, number = text.partition(":")
        if not (_CODE.fullmatch(kind) and re.fullmatch(r"[1-9][0-9]{0,17}", number)):
            raise Refused("not a record", where=where, fix="kind:number, such as person:12")
        return cls(kind=kind, number=int(number))


def check_code(text: str, where: str) -> None:
    """Raises `Usage` unless ``text`` can name a department, a purpose or a kind."""
    if not _CODE.fullmatch(text):
        raise Usage("not a code", where=where, fix="a-z, then a-z, 0-9 and -, at most 32")


def echoed(text: str, instead: str) -> str:
    """What was named, in an error: only if it can be a name of this table, for it may be somebody's number."""
    return text if _CODE.fullmatch(text.replace("_", "-")) else instead
