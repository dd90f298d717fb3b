"""Fields of the state's own base records, and the departments that keep them."""

from __future__ import annotations

from jinka.identity.base_records.fields import FieldSpec, FieldType, Sensitivity, Words

POLICE, TRAFFIC, MARKET = "public-security", "traffic-police", "market-regulation"
LABOUR, EDUCATION, CARDS = "human-resources", "education", "card-centre"
OPEN, INTERNAL = Sensitivity.OPEN, Sensitivity.INTERNAL
PERSONAL, SENSITIVE = Sensitivity.PERSONAL, Sensitivity.SENSITIVE


def field_of(
    name: str,
    title: Words,
    kind: FieldType,
    source: str,
    sensitivity: Sensitivity,
    *words: str,
    key: bool = False,
) -> FieldSpec:
    return FieldSpec(
        name=name, title=title, type=kind, source=source, sensitivity=sensitivity, words=words, key=key
    )


def refers_to(
    name: str, title: Words, target: str, source: str, sensitivity: Sensitivity = PERSONAL, *,
    many: bool = False, holds: bool = False,
) -> FieldSpec:  # fmt: skip
    return FieldSpec(
        name=name, title=title, type=FieldType.REFERENCE, source=source, sensitivity=sensitivity, target=target,
        many=many, holds=holds,
    )  # fmt: skip
