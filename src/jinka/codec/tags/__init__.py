"""Tag data: what a tag, a URN, a GS1 Digital Link and a barcode say about which thing it is.

GS1 Tag Data Standard 2.3 and Tag Data Translation 2.2, from declared tables (`keys`, `schemes`, `ai_table`); Chinese
codes as far as public. `canonical_id` is the name under which events know a thing; `decode` reads a tag, `decode_urn`
its URN alone, and `encode` writes one. No reader protocol (`jinka.node`) and no events (`jinka.codec.epcis`) here.
"""

from jinka.codec.tags.binary import decode, decode_bits, decode_hex, encode, encode_bits, hex_bytes
from jinka.codec.tags.elements import parse_elements, scan_elements, show_elements
from jinka.codec.tags.epc import Elements, Epc, epc_of, parse_urn
from jinka.codec.tags.faults import TagError
from jinka.codec.tags.identity import canonical_id, canonical_ids
from jinka.codec.tags.link import compressed_tag, digital_link, parse_link
from jinka.codec.tags.plus import make_plus_tag, pack_elements
from jinka.codec.tags.prefixes import CHINA, PrefixList, prefix_digits, read_prefix_list, split_key
from jinka.codec.tags.schemes import SCHEME_BY_NAME, SCHEMES, Scheme, filter_title
from jinka.codec.tags.tag import Plus, Tag, make_tag, parse_tag_urn
from jinka.codec.tags.urns import decode_tag_urn, decode_urn

__all__ = [
    "CHINA",
    "SCHEMES",
    "SCHEME_BY_NAME",
    "Elements",
    "Epc",
    "Plus",
    "PrefixList",
    "Scheme",
    "Tag",
    "TagError",
    "canonical_id",
    "canonical_ids",
    "compressed_tag",
    "decode",
    "decode_bits",
    "decode_hex",
    "decode_tag_urn",
    "decode_urn",
    "digital_link",
    "encode",
    "encode_bits",
    "epc_of",
    "filter_title",
    "hex_bytes",
    "make_plus_tag",
    "make_tag",
    "pack_elements",
    "parse_elements",
    "parse_link",
    "parse_tag_urn",
    "parse_urn",
    "prefix_digits",
    "read_prefix_list",
    "scan_elements",
    "show_elements",
    "split_key",
]
