"""The host name of a "++" scheme: text with short signs for frequent domains.

GS1 Tag Data Standard 2.3, 14.5.16 with tables 14-11 to 14-15. Two rows of table 14-14 (.org.cn, .net.cn) are printed
with the beginning of another table; they are read and written with that of their own, as their neighbours have it.
"""

from __future__ import annotations

from jinka.codec.tags.ai_codec import read_code_40, write_code_40
from jinka.codec.tags.bits import BitReader, BitWriter
from jinka.codec.tags.faults import TagError, at_bits

HOSTNAME_MAX = 63
_SEVEN = {
    0x1E: "qr.", 0x1F: "www.", 0x20: "id.", 0x5B: ".com", 0x5C: ".org", 0x5D: ".net", 0x5E: ".int", 0x60: ".edu",
    0x7B: ".gov", 0x7C: ".mil", 0x7D: ".biz", 0x7E: ".eco", 0x7F: ".med",
}  # fmt: skip
_CHARACTERS = frozenset(
    "!\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
)
_COUNTRIES = """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo bq br bs
    bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg
    eh er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn
    hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li
    lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne
    nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb
    sc sd se sg sh si sk sl sm sn sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv
    tw tz ua ug us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
""".split()  # noqa: SIM905 - a list of quoted words is no easier to read
_COMPOUND = """
    com.au net.au org.au co.at com.bd co.bd com.br net.br co.nz com.ng com.pk co.in com.in co.il
    co.jp co.za co.kr com.es com.lk co.th co.tt com.tt com.tr biz.tr com.ua co.uk co.zm com.zm
    com.cn org.cn net.cn gov.cn
""".split()  # noqa: SIM905 - a list of quoted words is no easier to read
# Fourteen bits: the table's number, then the row's.
_FOURTEEN = (
    {at: f".{name}" for at, name in enumerate(_COUNTRIES)}
    | {256 + at: f".{name}" for at, name in enumerate(_COMPOUND)}
    | {384: ".tech"}
)
_SHORT = sorted(
    [(text, code, 7) for code, text in _SEVEN.items()]
    + [(text, code, 14) for code, text in _FOURTEEN.items()],
    key=lambda row: -len(row[0]),
)


def read_hostname(reader: BitReader) -> str:
    """Read a host name. Its length counts signs of seven bits, or characters of URN Code 40. Raises `TagError`."""
    start = reader.at
    seven = reader.take(1, "the encoding of the host name")
    length = reader.take(6, "the length of the host name")
    if not length:
        raise at_bits("an empty host name", start, reader.at)
    if not seven:
        return read_code_40(reader, length)
    text, end = "", reader.at + 7 * length
    while reader.at < end:
        place = reader.at
        code = reader.take(7, "a character of the host name")
        if code < 4 and reader.at < end:
            code = code << 7 | reader.take(7, "a domain")
            sign = _FOURTEEN.get(code, "")
        else:
            sign = _SEVEN.get(code) or (chr(code) if chr(code) in _CHARACTERS else "")
        if not sign:
            raise at_bits("a reserved sign in the host name", place, reader.at)
        text += sign
    if len(text) > HOSTNAME_MAX:
        raise at_bits(
            f"a host name of {len(text)} characters", start, reader.at, fix=f"at most {HOSTNAME_MAX}"
        )
    return text


def write_hostname(text: str, writer: BitWriter) -> None:
    """Write a host name with the short signs. Raises `TagError` for characters that have none."""
    if not 1 <= len(text) <= HOSTNAME_MAX or not set(text) <= _CHARACTERS:
        raise TagError(
            "no host name", where="host name", fix=f"1 to {HOSTNAME_MAX} characters of the GS1 set"
        )
    signs: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        found = next((row for row in _SHORT if text.startswith(row[0], at)), None)
        signs.append((found[1], found[2]) if found else (ord(text[at]), 7))
        at += len(found[0]) if found else 1
    count = sum(width for _, width in signs) // 7
    upper = all(letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:" for letter in text)
    if upper and 16 * -(-len(text) // 3) < 7 * count:
        writer.put(0, 1)
        writer.put(len(text), 6)
        write_code_40(text, writer)
        return
    writer.put(1, 1)
    writer.put(count, 6)
    for code, width in signs:
        writer.put(code, width)
