"""One thing has one canonical name. Method: URNs, links and what is neither; the values are published examples.

Sources: GS1 Tag Data Standard 2.x, 6.3; Core Business Vocabulary 2.0, 8.9, and the examples of its reference
implementation (epcis-event-hash-generator).
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.codec.tags import canonical_id, canonical_ids
from jinka.codec.tags.identity import make_canonical

GS1 = "https://id.gs1.org/"

SAME = [
    ("urn:epc:id:sgtin:4012345.011111.98%22", "01/04012345111118/21/98%22"),
    ("urn:epc:id:sgtin:415056789012.0.987654", "01/04150567890128/21/987654"),
    ("urn:epc:id:sgtin:0614141.812345.6789%2F%26%25%22!%3F()", "01/80614141123458/21/6789%2F%26%25%22%21%3F%28%29"),
    ("urn:epc:id:sgtin:0614141.812345.a%2fb", "01/80614141123458/21/a%2Fb"),
    ("urn:epc:id:sscc:4012345.3111111111", "00/340123451111111111"),
    ("urn:epc:id:sgln:4012345.00005.122", "414/4012345000054/254/122"),
    ("urn:epc:id:sgln:4012345.00005.0", "414/4012345000054"),
    ("urn:epc:id:grai:4012345.00022.334455", "8003/04012345000221334455"),
    ("urn:epc:id:giai:4012345.ABC.345", "8004/4012345ABC.345"),
    ("urn:epc:id:gsrn:4012345.0000006765", "8018/401234500000067657"),
    ("urn:epc:id:gsrnp:4012345.0000000007", "8017/401234500000000074"),
    ("urn:epc:id:gdti:4012345.00009.PO-4711", "253/4012345000092PO-4711"),
    ("urn:epc:id:gdti:987659999999..9", "253/98765999999929"),
    ("urn:epc:id:sgcn:4012345.22222.17", "255/401234522222717"),
    ("urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234", "8010/061414111111111111111-A%23%2F/8011/1234"),
    ("urn:epc:id:ginc:0614141.xyz47%2F11", "401/0614141xyz47%2F11"),
    ("urn:epc:id:gsin:4012345.222333444", "402/40123452223334442"),
    ("urn:epc:id:itip:4012345.011111.01.02.987", "8006/040123451111180102/21/987"),
    ("urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB", "01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB"),
    ("urn:epc:id:pgln:4000001.00000", "417/4000001000005"),
    ("urn:epc:id:pgln:999999999999.", "417/9999999999994"),
    ("urn:epc:class:lgtin:4012345.012345.Lot987", "01/04012345123456/10/Lot987"),
    ("urn:epc:idpat:sgtin:4012345.012345.*", "01/04012345123456"),
    ("urn:epc:idpat:grai:4012345.99999.*", "8003/04012345999990"),
    ("urn:epc:idpat:gdti:4012345.11111.*", "253/4012345111118"),
    ("urn:epc:idpat:sgcn:4012345.22222.*", "255/4012345222227"),
    ("urn:epc:idpat:cpi:4012345.AB12.*", "8010/4012345AB12"),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102"),
    ("urn:epc:idpat:upui:4012345.012345.*", "01/04012345123456"),
    ("URN:EPC:id:sscc:4012345.3111111111", "00/340123451111111111"),
    ("https://id.gs1.org/gtin/09780345418913", "01/09780345418913"),
    ("https://example.com/gtin/09780345418913/21/765tz?abc=211121", "01/09780345418913/21/765tz"),
    ("http://example.de/gtin-8/01/97803111", "01/00000097803111"),
    ("http://us-company-with-UPC.com/01/001122334455/ser/GHB", "01/00001122334455/21/GHB"),
    ("HTTPS://ean-13.de/gtin/4012345123456/ser/ABC524#top", "01/04012345123456/21/ABC524"),
    ("https://id.gs1.org/01/9780345418913/22/344/10/1223/21/765tz", "01/09780345418913/21/765tz"),
    ("https://id.gs1.org/gtin/9780345418913/cpv/344", "01/09780345418913"),
    ("https://id.gs1.org/8006/040123451234560102/22/ABCD/10/XYZ", "8006/040123451234560102/10/XYZ"),
    ("https://example.co.uk/party/4226350800008", "417/4226350800008"),
    ("https://id.gs1.org/414/4280000000002/254/12", "414/4280000000002/254/12"),
    ("https://id.gs1.org/414/4280000000002/254/0", "414/4280000000002"),
    ("https://id.gs1.org/8004/0180451111ABC987", "8004/0180451111ABC987"),
    ("https://id.gs1.org/01/04012345123456/21/%41%2b", "01/04012345123456/21/A%2B"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), SAME)
def test_published_examples(text: str, canonical: str) -> None:
    assert canonical_id(text) == GS1 + canonical
    assert canonical_id(GS1 + canonical) == GS1 + canonical, "the canonical form is its own"
    assert canonical_id("https://shop.example/a/" + canonical + "?17=271231") == GS1 + canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "urn:epc:",
        "urn:epc:id:sgtin",
        "urn:epc:id:sgtin:",
        "urn:epc:id:sgtin:4012345.01111.1",  # twelve digits
        "urn:epc:id:sgtin:4012345.011111.",
        "urn:epc:id:sgtin:4012345.011111.123456789012345678901",
        "urn:epc:id:sgtin:4012345.011111.a b",
        "urn:epc:id:sgtin:4012345.011111.a%20b",
        "urn:epc:id:sgtin:4012345.011111.%E4",
        "urn:epc:id:sgtin:４012345.011111.1",
        "urn:epc:id:sgtin:4012345.011111.1\n",
        "urn:epc:id:sscc:4012345.3111111111\n",
        "urn:epc:id:sgcn:4012345.22222.A",
        "urn:epc:id:cpi:0614141.a.1",
        "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:id:gid:95100000.12345.400",
        "urn:epc:id:usdod:CJ2T3.1",
        "urn:epcglobal:cbv:bizstep:shipping",
        "http://example.org/123/4012345ABC987/456/4711",
        "http://id.gs1.org/01/9780345418913/99/utfgf",
        "http://example.de/01/97803",
        "https://id.gs1.org/8006/04012345123456/22/ABCD/10/XYZ",
        "https://id.gs1.org/01/09780345418913/21/" + "9" * 4000,
        "https://id.gs1.org/01/09780345418913/21/1/21/2",
        "urn:epc:id:sgtin:4012345.011111." + "%41" * 1000,
        "urn:epc:id:sscc:" + "1" * 1_000_000,
        "42",
    ],
)
def test_what_is_no_identity_is_its_own(text: str) -> None:
    assert canonical_id(text) == text


@given(
    st.text(max_size=60)
    | st.text("urn:epc:idsgtn0123456789.*%/", max_size=60).map(lambda end: "urn:epc:id:" + end)
)
def test_it_is_total_and_settles(text: str) -> None:
    once = canonical_id(text)
    assert canonical_id(once) == once


def test_what_is_remembered_of_a_class_changes_no_name() -> None:
    chance = random.Random(7)
    for _ in range(5_000):
        digits = chance.choice(
            ["0614141.107346", "4012345.011111", "401234.0111111", "4012345.01111", "614141.1"]
        )
        size = chance.choice([1, 2, 20, 21])
        serial = "".join(chance.choices("Ab019._-%2F/'*+", weights=[9] * 5 + [1] * 10, k=size))
        stem = chance.choice(["id:sgtin:", "class:lgtin:", "id:sgln:", "idpat:sgtin:"])
        text = f"urn:epc:{stem}{digits}.{serial}"
        assert canonical_id(text) == make_canonical(text)


def test_a_list_is_named_as_each_of_it_is() -> None:
    chance = random.Random(11)
    stems = [
        "urn:epc:id:sgtin:0614141.107346.",
        f"{GS1}01/10614141073464/21/",
        "urn:epc:class:lgtin:0614141.107346.",
    ]
    ends = [
        "1",
        "A_b-9",
        "1.2",
        "%2F",
        "",
        "2" * 20,
        "2" * 21,
        "7\n" + stems[0] + "8",
        "7\r8",
        "7\n",
        "a b",
        "/10/x",
    ]
    for _ in range(3_000):
        stem = chance.choice(stems)
        texts = [
            (stem if chance.random() < 0.9 else chance.choice([*stems, "x"]))
            + chance.choice(ends[: chance.choice([2, 12])])
            for _ in range(chance.randrange(12))
        ]
        assert canonical_ids(texts) == [make_canonical(text) for text in texts], texts
