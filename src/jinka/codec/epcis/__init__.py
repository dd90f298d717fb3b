"""GS1 EPCIS 2.0: events between JSON-LD, XML (2.0, and 1.2 upgraded) and frozen values, and their hash (CBV 2.0, 8.9).

Pure: bytes in, values out, and back. It fetches no context and no schema, stores nothing, and judges no choreography
(that is `trace`). Identity of things is `jinka.codec.tags`.
"""

from jinka.codec.epcis.event_hash import event_digest, event_hash, pre_hash
from jinka.codec.epcis.json_documents import read_json
from jinka.codec.epcis.json_writer import document_text, event_text, write_event, write_json
from jinka.codec.epcis.model import (
    Action,
    Document,
    ErrorDeclaration,
    Event,
    EventType,
    Extension,
    Kind,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
    Vocabulary,
    VocabularyElement,
)
from jinka.codec.epcis.xml_documents import read_xml
from jinka.codec.epcis.xml_writer import write_xml

__all__ = [
    "Action",
    "Document",
    "ErrorDeclaration",
    "Event",
    "EventType",
    "Extension",
    "Kind",
    "Place",
    "Quantity",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "Typed",
    "Vocabulary",
    "VocabularyElement",
    "document_text",
    "event_digest",
    "event_hash",
    "event_text",
    "pre_hash",
    "read_json",
    "read_xml",
    "write_event",
    "write_json",
    "write_xml",
]
