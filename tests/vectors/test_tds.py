"""GS1 Tag Data Standard: its own examples, bit for bit, both ways.

Source: GS1 EPC Tag Data Standard 2.3 (October 2025), annex E.3, the examples of all schemes.
Two rows of E.3 are printed with the header of the scheme with one plus (SSCC++ as F9, ITIP++ as F3) and
cannot be read so; they stand here with the headers of table 14-1, EF and ED, under which the same bits give the
links that the annex shows. The annex prints the host name of SGTIN++ and DSGTIN++ as example.com; the bits
say id.example.com, as in all its other examples.
"""

from __future__ import annotations

import pytest

from jinka.codec.tags import (
    compressed_tag,
    decode_hex,
    digital_link,
    encode_bits,
    make_tag,
    parse_link,
    parse_tag_urn,
)
from jinka.codec.tags.plus import make_plus_tag

LINK = "https://id.gs1.org"
# Scheme, hexadecimal, what follows urn:epc:tag:scheme:, what follows the canonical stem.
CLASSIC = [
    # The worked example of GS1 Digital Link URI: Compression Technical Standard for EPC binary strings 1.0.0, 4.2.
    (
        "sgtin-96",
        "30164596F40C0E5CBE991A83",
        "0.9528765.012345.123456789123",
        "/01/09528765123457/21/123456789123",
    ),
    ("sgtin-96", "3066C4409047E140075BCD15", "3.95060001343.05.123456789", "/01/09506000134352/21/123456789"),
    (
        "sgtin-198",
        "3666C4409047E159B2C2BF100000000000000000000000000000",
        "3.95060001343.05.32a%2Fb",
        "/01/09506000134352/21/32a%2Fb",
    ),
    ("sscc-96", "311BA1B300CE0A6A83000000", "0.952012.03456789123", "/00/095201234567891235"),
    ("sgln-96", "3276451FD46072000000162E", "3.9521141.12345.5678", "/414/9521141123454/254/5678"),
    (
        "sgln-195",
        "3976451FD46072CD9615F8800000000000000000000000000000",
        "3.9521141.12345.32a%2Fb",
        "/414/9521141123454/254/32a%2Fb",
    ),
    ("grai-96", "3376451FD40C0E400000162E", "3.9521141.12345.5678", "/8003/095211411234545678"),
    (
        "grai-170",
        "3776451FD40C0E59B2C2BF1000000000000000000000",
        "3.9521141.12345.32a%2Fb",
        "/8003/0952114112345432a%2Fb",
    ),
    ("giai-96", "3476451FD40000000000162E", "3.9521141.5678", "/8004/95211415678"),
    (
        "giai-202",
        "3876451FD59B2C2BF10000000000000000000000000000000000",
        "3.9521141.32a%2Fb",
        "/8004/952114132a%2Fb",
    ),
    ("gsrn-96", "2D76451FD4499602D2000000", "3.9521141.1234567890", "/8018/952114112345678906"),
    ("gsrnp-96", "2E76451FD4499602D2000000", "3.9521141.1234567890", "/8017/952114112345678906"),
    ("gdti-96", "2C76451FD46072000000162E", "3.9521141.12345.5678", "/253/95211411234545678"),
    (
        "gdti-174",
        "3E76451FD7039B061438997367D0C18B266D1AB66EE0",
        "3.9521141.98765.ABCDefgh012345678",
        "/253/9521141987650ABCDefgh012345678",
    ),
    ("cpi-96", "3C76451FD400C0E680003039", "3.9521141.98765.12345", "/8010/952114198765/8011/12345"),
    (
        "cpi-var",
        "3D76451FD75411DEF6B4CC00000003039000",
        "3.9521141.5PQ7%2FZ43.12345",
        "/8010/95211415PQ7%2FZ43/8011/12345",
    ),
    ("sgcn-96", "3F76451FD612640000019907", "3.9521141.67890.04711", "/255/952114167890904711"),
    (
        "itip-110",
        "4076451FD40C0E40820000000F54",
        "3.9521141.012345.01.02.981",
        "/8006/095211411234540102/21/981",
    ),
    (
        "itip-212",
        "4176451FD40C0E4082DBDD8B36600000000000000000000000000000",
        "3.9521141.012345.01.02.mw133",
        "/8006/095211411234540102/21/mw133",
    ),
    ("gid-96", "3500E86F8000A9E000000586", "952056.2718.1414", ""),
    ("usdod-96", "2F320434147455900000162E", "3.CAGEY.5678", ""),
    ("adi-var", "3B0E0CF5E76C9047759AD00373DC7602E7200", "3.35962.PQ7VZ4.M37GXB92", ""),
]
PLUS = [
    ("sgtin+", "F73795211411234538566CB0AFC4", "/01/79521141123453/21/32a%2Fb"),
    ("dsgtin+", "FB342CDE795211411234538566CB0AFC4", "/01/79521141123453/21/32a%2Fb?17=220630"),
    ("sgtin++", "FD3795211411234538566CB0AFC525065F1876F0D996D800", "/01/79521141123453/21/32a%2Fb"),
    (
        "dsgtin++",
        "FC342CDE795211411234538566CB0AFC525065F1876F0D996D80",
        "/01/79521141123453/21/32a%2Fb?17=220630",
    ),
    ("sscc+", "F90095201234567891235", "/00/095201234567891235"),
    ("sgln+", "F2395211411234548566CB0AFC4", "/414/9521141123454/254/32a%2Fb"),
    ("sgln++", "E9395211411234548566CB0AFC525065F1876F0D996D8000", "/414/9521141123454/254/32a%2Fb"),
    ("grai+", "F13095211411234548566CB0AFC4", "/8003/0952114112345432a%2Fb"),
    ("grai++", "EB3095211411234548566CB0AFC525065F1876F0D996D800", "/8003/0952114112345432a%2Fb"),
    ("giai+", "FA3952114132E83C2BF10", "/8004/952114132a%2Fb"),
    ("giai++", "EE3952114132E83C2BF1494197C61DBC3665B600", "/8004/952114132a%2Fb"),
    ("gsrn+", "F43952114112345678906", "/8018/952114112345678906"),
    ("gsrn++", "E7395211411234567890692832F8C3B786CCB6C0", "/8018/952114112345678906"),
    ("gsrnp+", "F53952114112345678906", "/8017/952114112345678906"),
    ("gsrnp++", "E8395211411234567890692832F8C3B786CCB6C0", "/8017/952114112345678906"),
    ("gdti+", "F6395211411234540458B8", "/253/95211411234545678"),
    ("gdti++", "EA395211411234540458BA4A0CBE30EDE1B32DB0", "/253/95211411234545678"),
    ("cpi+", "F0395211415E87A145BAFB4D19A8C0E4", "/8010/95211415PQ7%2FZ43/8011/12345"),
    ("cpi++", "E6395211415E87A145BAFB4D19A8C0E64A0CBE30EDE1B32DB000", "/8010/95211415PQ7%2FZ43/8011/12345"),
    ("sgcn+", "F839521141678909509338", "/255/952114167890904711"),
    ("sgcn++", "EC3952114167890950933C94197C61DBC3665B60", "/255/952114167890904711"),
    ("itip+", "F3309521141123454010266AE27FDF35", "/8006/095211411234540102/21/rif981"),
    ("sscc++", "EF009520123456789123592832F8C3B786CCB6C0", "/00/095201234567891235"),
    ("itip++", "ED309521141123454010266AE27FDF3592832F8C3B786CCB6C00", "/8006/095211411234540102/21/rif981"),
]


# GDTI-113 is no longer in the annex. These come from the tests of other programs: epctagcoder (Java) and translators of
# tag data in Java and C that followed TDS 1.6 and 1.9.
OLD = [
    ("3A28499602D218000000004C75290000", "1.1234567890.12.0021458"),
    ("3A28499602D218000000000000050000", "1.1234567890.12.0"),
    ("3A28075BCD1502000000006695170000", "1.0123456789.01.3445678"),
    ("3A74F4E4E7039AC790E65D7AA5C38000", "3.4012345.98765.12345678901234567"),
    ("3A14257BF46072000000000020E780", "0.0614141.12345.6847"),
]


@pytest.mark.parametrize(("bits", "urn"), OLD)
def test_gdti_113(bits: str, urn: str) -> None:
    tag = decode_hex(bits)
    assert tag.urn == f"urn:epc:tag:gdti-113:{urn}"
    scheme, filter_value, epc = parse_tag_urn(tag.urn)
    writer = encode_bits(make_tag(scheme, epc, filter_value))
    assert _padded(writer.value, writer.size, bits)


@pytest.mark.parametrize(("name", "bits", "urn", "link"), CLASSIC)
def test_schemes_of_tds_1(name: str, bits: str, urn: str, link: str) -> None:
    tag = decode_hex(bits)
    assert tag.urn == f"urn:epc:tag:{name}:{urn}"
    assert digital_link(tag.elements) == (LINK + link if link else "")
    scheme, filter_value, epc = parse_tag_urn(tag.urn)
    assert epc == tag.epc
    made = make_tag(scheme, epc, filter_value)
    assert made == tag
    assert _padded(encode_bits(made).value, encode_bits(made).size, bits)


@pytest.mark.parametrize(("name", "bits", "link"), PLUS)
def test_schemes_of_tds_2(name: str, bits: str, link: str) -> None:
    tag = decode_hex(bits)
    assert tag.scheme.name == name
    assert tag.plus.hostname == ("id.example.com" if name.endswith("++") else "")
    assert digital_link(tag.elements) == LINK + link
    made = make_plus_tag(tag.scheme, tag.elements, filter_value=tag.filter, hostname=tag.plus.hostname)
    assert made == tag
    assert _padded(encode_bits(made).value, encode_bits(made).size, bits)


@pytest.mark.parametrize("segment", ["eh30164596f40c0e5cbe991a83", "exMBZFlvQMDly-mRqD"])
@pytest.mark.parametrize("end", ["", "/", "?linkType=gs1:pip", "#top"])
def test_a_link_that_holds_a_tag(segment: str, end: str) -> None:
    """Both worked examples of Compression for EPC binary strings 1.0.0, 4.2."""
    text = f"https://example.com/a/{segment}{end}"
    assert digital_link(parse_link(text)) == LINK + "/01/09528765123457/21/123456789123"
    tag = compressed_tag(text)
    assert tag is not None
    assert tag.urn == "urn:epc:tag:sgtin-96:0.9528765.012345.123456789123"


def _padded(value: int, size: int, bits: str) -> bool:
    """Whether ``bits`` is the value with fewer than sixteen zeros behind it."""
    padding = 4 * len(bits) - size
    return 0 <= padding < 16 and value << padding == int(bits, 16)
