"""What a sector's declaration says of persons: every personal value of a start, a write, a base record or an example.

Collected without the masking that it tests. ``in_text`` are values that can be told from any other in a text;
``after_title`` are short ones, which are looked for behind their record's title.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jinka.codec.fields import decode_field
from jinka.declaration import Keep, OpenFolder, Sector, Write
from jinka.identity.base_records import Catalogue, FieldType
from jinka.profile.records import RecordSpec
from jinka.profile.spec import PersonalDatum
from jinka.sectors.state_records import PART

# Printed as they are, since the name beside them is masked.
_WHOLE = (None, PersonalDatum.HOLDER_CLASS, PersonalDatum.SENSITIVE)


@dataclass(slots=True)
class Personal:
    in_text: set[str] = field(default_factory=set)
    after_title: set[tuple[str, str]] = field(default_factory=set)

    def add(self, spec: RecordSpec, value: str) -> None:
        if value in ("", "-") or value.startswith("="):
            return
        if len(value) > (3 if value.isascii() else 1):
            self.in_text.add(value)
        elif value != "0":
            self.after_title |= {(spec.title_en, value), (spec.title_zh, value)}

    def found_in(self, text: str) -> list[str]:
        whole = [value for value in self.in_text if value in text]
        short = [
            title + value
            for title, value in self.after_title
            if any(f"{title}{gap}{value}{end}" in text + "\n" for gap in ("", " ") for end in ",，;；\n")
        ]
        return sorted(whole + short)


def personal_of(sector: Sector, sectors: Iterable[Sector]) -> Personal:
    """Those of a sector and of the applications that its cards carry."""
    rows = {name: specs for one in sectors for name, specs in one.records.items()}
    parts = {one.name: one.part for one in sectors if one.part is not None}
    kinds = Catalogue((PART, *parts.values())).kinds
    made = Personal()
    for application, values in _on_cards(sector):
        for spec in rows[application] if application in rows else _named(rows, values):
            if spec.personal not in _WHOLE:
                made.add(spec, values.get(spec.name, ""))
    for application, specs in sector.records.items():
        for spec in specs:
            if spec.example and spec.personal not in _WHOLE and application:
                made.add(spec, decode_field(spec.coding, spec.example[2:]))
    for journey in sector.journeys:
        for step in journey.steps:
            if isinstance(step, Keep):
                fields = kinds[step.kind].by_name
                made.in_text |= {
                    value for name, value in step.values.items()
                    if name in fields and fields[name].personal and len(value) > (3 if value.isascii() else 1)
                    and fields[name].type in (FieldType.TEXT, FieldType.CITIZEN, FieldType.MOBILE, FieldType.DATE,
                                              FieldType.PLATE, FieldType.VIN, FieldType.CARD)
                }  # fmt: skip
    return made


def _on_cards(sector: Sector) -> Iterator[tuple[str, Mapping[str, str]]]:
    for journey in sector.journeys:
        for card in journey.cards:
            yield from ((start.application, start.records) for start in card.starts)
        for step in journey.steps:
            if isinstance(step, Write):
                yield step.application, step.values
            elif isinstance(step, OpenFolder):
                yield "", {**step.reads, **step.writes}


def _named(rows: Mapping[str, tuple[RecordSpec, ...]], values: Mapping[str, str]) -> list[RecordSpec]:
    """The records of a device's own application are not named by the step: any of such a name will do."""
    return [spec for specs in rows.values() for spec in specs if spec.name in values]
