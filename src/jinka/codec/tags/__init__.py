"""Tag data: what a tag, a URN, a GS1 Digital Link and a barcode say about which thing it is.

GS1 Tag Data Standard 2.x and Tag Data Translation 2.x, from declared tables; Chinese codes as far as public. No reader
protocol (`jinka.node`) and no events (`jinka.codec.epcis`) here.
"""

from jinka.codec.tags.identity import canonical_id

__all__ = ["canonical_id"]
