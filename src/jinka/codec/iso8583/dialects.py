"""Every dialect by its name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from jinka.codec.iso8583.compile import Codec, compile_spec
from jinka.codec.iso8583.iso1987 import ISO1987_ASCII, ISO1987_BCD, ISO1987_BINARY, ISO1987_EBCDIC
from jinka.codec.iso8583.iso1993 import ISO1993_ASCII, ISO1993_BCD, ISO1993_BINARY
from jinka.codec.iso8583.iso2003 import ISO2003_ASCII, ISO2003_BINARY
from jinka.codec.iso8583.spec import MessageSpec
from jinka.codec.iso8583.unionpay_interbank import UNIONPAY_INTERBANK
from jinka.codec.iso8583.unionpay_pos import UNIONPAY_POS
from jinka.kit import NotFound

_ALL = (
    ISO1987_ASCII, ISO1987_BINARY, ISO1987_BCD, ISO1987_EBCDIC,
    ISO1993_ASCII, ISO1993_BINARY, ISO1993_BCD,
    ISO2003_ASCII, ISO2003_BINARY,
    UNIONPAY_POS, UNIONPAY_INTERBANK,
)  # fmt: skip
DIALECTS: Mapping[str, MessageSpec] = {spec.name: spec for spec in _ALL}


@cache
def dialect(name: str) -> Codec:
    """The codec of a dialect; `NotFound` lists them all."""
    if name not in DIALECTS:
        raise NotFound(f"no dialect {name!r}", where="dialect", fix="one of " + ", ".join(DIALECTS))
    return compile_spec(DIALECTS[name])
