"""Copies that departments keep, and the messages that hold them to the source: each field whole, with its version.

A message carries everything that stands of a field (values with their days), so one that is lost is made good by the
next, and one that comes again or late changes nothing. The version is the number of the last statement of the record.
When the ground of a copy is gone (a consent was withdrawn or is over), the last message erases it. Personal
Information Protection Law (个人信息保护法) Art. 8 (accuracy), 46 (correction), 47 (erasure). How a message travels is
not said here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jinka.identity.base_records.fields import Ref
from jinka.kit import Refused

ERASE = -1  # the version of the last message of a copy
Span = tuple[str, str, str]  # value, first day, last day (empty: until further notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A department's copy of some fields of one record. ``ended_us`` 0: it stands."""

    number: int
    department: str
    purpose: str
    record: Ref
    fields: tuple[str, ...]
    opened_us: int
    ended_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a copy is told. The same number has the same content for good."""

    number: int
    copy: int
    record: Ref
    field: str
    version: int
    spans: tuple[Span, ...] = ()

    def __repr__(self) -> str:
        return f"Message({self.number}, {self.record}.{self.field}, version {self.version})"

    @property
    def erases(self) -> bool:
        """Whether the copy has to forget the field."""
        return self.version == ERASE

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for the department that the copy belongs to."""
        spans = [{"value": value, "from": start, "to": end} for value, start, end in self.spans]
        return {
            "message": self.number,
            "copy": self.copy,
            "record": str(self.record),
            "field": self.field,
            "version": self.version,
            "erase": self.erases,
            "values": spans,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a department has of its copies, by copy and field. The receiver's half of the exchange."""

    fields: Mapping[tuple[int, str], tuple[int, tuple[Span, ...]]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def __repr__(self) -> str:
        return f"Held({len(self.fields)} fields)"

    def take(self, message: Message) -> Held:
        """What is held after a message; raises `Refused` when one version has two contents."""
        key = (message.copy, message.field)
        before = self.fields.get(key)
        if before is not None:
            version, spans = before
            if version == ERASE or (not message.erases and message.version < version):
                return self
            if version == message.version and spans != message.spans:
                raise Refused(
                    "one version with two contents", where=f"message {message.number}", fix="ask the source"
                )
        return Held(fields=MappingProxyType({**self.fields, key: (message.version, message.spans)}))
