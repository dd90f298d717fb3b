"""GS1's and OpenEPCIS's documents, GS1's schemas and the published hashes, where the shared data folder has them.

Two of GS1's own documents are none: `BROKEN` says which and why.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from lxml import etree

from jinka.codec.epcis import Document, read_json, read_xml
from tests.shared_data import DATA

FOLDER = DATA / "epcis"
needs_documents = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="shared data folder absent: epcis is not at JINKA_DATA"
)
# In JSON a name stands once in its object (RFC 7493); this one has two eventIDs, so which is meant nobody can say.
BROKEN = {"gs1/JSON/AssociationEvent/AssociationEvent-h.jsonld": "eventID"}


def documents(*endings: str) -> list[Path]:
    """Every document with one of the endings; the answers about capture jobs are none."""
    if not FOLDER.is_dir():
        return []
    found = [
        path
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in endings and path.parent.name != "CaptureJob" and path.parent != FOLDER / "gs1"
    ]
    return [path for path in found if name(path) not in BROKEN]


def name(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def read(path: Path) -> Document:
    data = path.read_bytes()
    return read_xml(data) if path.suffix == ".xml" else read_json(data)


@cache
def json_schema() -> jsonschema_rs.Draft7Validator:
    """GS1's JSON schema, formats checked, with what it forgets.

    The standard (7.4.3 to 7.4.6) and the XML schema give every event a persistentDisposition; this edition of the JSON
    schema gives it to two kinds of event alone, which GS1 has corrected since (gs1/EPCIS, issue 438).
    """
    schema: dict[str, Any] = json.loads((FOLDER / "gs1" / "EPCIS-JSON-Schema.json").read_bytes())
    for kind in ("AggregationEvent", "TransactionEvent", "AssociationEvent"):
        fields = schema["definitions"][kind]["allOf"][1]
        fields["properties"]["persistentDisposition"] = {"$ref": "#/definitions/persistentDisposition"}
        fields["propertyNames"]["anyOf"][1]["enum"].append("persistentDisposition")
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


@cache
def xml_schema(query: bool) -> etree.XMLSchema:
    edition = "EPCglobal-epcis-query-2_0.xsd" if query else "EPCglobal-epcis-2_0.xsd"
    return etree.XMLSchema(etree.parse(FOLDER / "gs1" / "XSD" / edition))


def check_json(data: bytes) -> None:
    json_schema().validate(json.loads(data))


def check_xml(data: bytes, *, query: bool = False) -> None:
    xml_schema(query).assertValid(etree.fromstring(data))
