"""From values to the content of variable record files, for personalisation (LD/T 33; ISO/IEC 7816-4, simple TLV)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinka.codec.fields import encode_field
from jinka.kit import Usage
from jinka.profile.records import RecordSpec


def record_contents(records: Sequence[RecordSpec], values: Mapping[str, str]) -> dict[tuple[int, int], bytes]:
    """What `Personal.contents` takes: every record of each file in order, empty (FF) where no value is given."""
    unknown = set(values) - {record.name for record in records}
    if unknown:
        raise Usage(
            f"no record {sorted(unknown)[0]!r}", where="record values", fix="see the profile's records"
        )
    contents: dict[tuple[int, int], bytes] = {}
    for record in records:
        place = (record.folder, record.fid)
        value = values.get(record.name)
        body = b"\xff" * record.length
        if value is not None:
            try:
                body = encode_field(record.coding, value, record.length)
            except Usage as error:
                raise Usage(error.what, where=record.name, fix=error.fix) from None
        contents[place] = contents.get(place, b"") + bytes((record.number, record.length)) + body
    return contents
