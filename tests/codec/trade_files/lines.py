"""Lines of a UnionPay-style file put together by hand, from offsets that public programs cut them at."""

from __future__ import annotations

# Begin and end of each field as one public Java program has them; another one, in C, has the same widths.
CUTS = (
    (0, 11), (12, 23), (24, 30), (31, 41), (42, 61), (62, 74), (75, 87), (88, 100), (101, 105), (106, 112),
    (113, 117), (118, 126), (127, 142), (143, 155), (156, 158), (159, 165), (166, 177), (178, 184), (185, 187),
    (188, 191), (192, 204), (205, 217), (218, 230), (231, 232), (233, 236), (237, 238), (239, 240), (241, 251),
    (252, 263), (264, 265), (266, 268), (269, 271), (272, 284), (285, 299),
)  # fmt: skip
VALUES = (
    "01042900", "00010000", "123456", "0903081502", "6222021234567890123", "000000012345", "", "C00000000000",
    "0200", "000000", "5411", "00000001", "898440354110001", "090308150212", "00", "", "01020000", "000000", "00",
    "021", "000000000000", "000000000074", "D00000000003", "0", "000", "0", "0", "0000000000", "01020000", "0",
    "03", "00", "000000000000", "",
)  # fmt: skip


def com_line(end: bytes = b"\r\n", rest: str | None = None, **changed: str) -> bytes:
    """One record; ``f5="..."`` changes the fifth field."""
    line = bytearray(b" " * CUTS[-1][1])
    for number, ((begin, stop), value) in enumerate(zip(CUTS, VALUES, strict=True), 1):
        word = changed.get(f"f{number}", value).encode("gb18030")
        assert len(word) <= stop - begin
        line[begin : begin + len(word)] = word
    return bytes(line) + (b"" if rest is None else b" " + rest.encode("gb18030")) + end
