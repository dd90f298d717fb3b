"""Master data that came in the header of a document: the newest of each element counts. EPCIS 2.0, 6.5 and 9.4.

Kept whole for who asks, and as attributes and children for WD_, HASATTR_ and EQATTR_ of queries. Identifiers are kept
in their canonical form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Extension, Vocabulary, VocabularyElement
from jinka.store import trace_tables as table
from jinka.store.trace_terms import ATTRIBUTE_MAX, canonical


def save_vocabularies(connection: sa.Connection, vocabularies: Sequence[Vocabulary]) -> None:
    """Put elements in the place of what is kept of them."""
    for vocabulary in vocabularies:
        for element in vocabulary.elements:
            _save(connection, vocabulary.type, element)


def _save(connection: sa.Connection, type_: str, element: VocabularyElement) -> None:
    id_ = canonical(element.id)
    text = json.dumps(_facts(element), ensure_ascii=False)
    key = {"type": type_, "id": id_}
    columns = table.vocabulary.c
    here = sa.and_(columns.type == type_, columns.id == id_)
    if not connection.execute(table.vocabulary.update().where(here).values(element=text)).rowcount:
        connection.execute(table.vocabulary.insert(), key | {"element": text})
    connection.execute(table.attributes.delete().where(table.attributes.c.id == id_))
    connection.execute(table.children.delete().where(table.children.c.parent == id_))
    attributes = {(name[:ATTRIBUTE_MAX], text[:ATTRIBUTE_MAX]) for name, text in _texts(element)}
    if attributes:
        connection.execute(
            table.attributes.insert(),
            [{"id": id_, "attribute": name, "value": value} for name, value in sorted(attributes)],
        )
    children = {canonical(child) for child in element.children} - {id_}
    if children:
        connection.execute(
            table.children.insert(), [{"parent": id_, "child": child} for child in sorted(children)]
        )


def _texts(element: VocabularyElement) -> Iterator[tuple[str, str]]:
    for name, value in element.attributes:
        yield name, value.text


def _facts(element: VocabularyElement) -> dict[str, Any]:
    return {
        "id": element.id,
        "attributes": [{"id": name, "attribute": _tree(value)} for name, value in element.attributes],
        "children": list(element.children),
    }


def _tree(value: Extension) -> Any:
    if not value.children:
        return value.text
    return {"text": value.text} | {child.name: _tree(child) for child in value.children}
