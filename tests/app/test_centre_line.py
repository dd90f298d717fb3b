"""A centre's papers and its line. Goal: only what the line's authority issued for these very keys is taken in and used.

Method: a played authority certifies a parent and a child; then they exchange, with wrong papers and after revocations.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jinka.app.centre_files import Arrived
from jinka.app.centre_line import LineRoad, exchange_with, open_desk, open_door, parse_line
from jinka.app.centre_papers import CentreName, LinePapers, PlayedAuthority, install_line, request_line
from jinka.app.certificates import as_pem
from jinka.clearing.routing import CLAIMS
from jinka.clearing.verdicts import DEEMED, VERDICTS
from jinka.codec.parcel import Kind
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.kit import NotFound, Refused, Usage
from jinka.node.parcel_client import ParcelClient, Parent
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.store.parcel_findings import findings_in
from tests.parcels import CITY, CODE, DAY, PARENT, empty_database

NAMES = {
    code: CentreName(code=code, organisation=f"Centre {code}", organisation_code=CODE, dns_name="localhost")
    for code in (CITY, PARENT)
}
SIGNERS = {code: SoftSigner.generate(KeyKind.ECDSA) for code in NAMES}
AUTHORITY = PlayedAuthority(dt.datetime.now(dt.UTC))
EMPTY = OutgoingFile(name="verdicts.parquet", schema="jinka.verdicts/1", rows=VERDICTS.empty_table())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of a city and its parent, with papers."""
    folder = tmp_path_factory.mktemp("line")
    for code, name in NAMES.items():
        papers = request_line(folder / code, name, SIGNERS[code])
        AUTHORITY.certify(papers)
    return folder


@pytest.fixture
def folder(played: Path, tmp_path: Path) -> Path:
    shutil.copytree(played, tmp_path / "line", dirs_exist_ok=True)
    return tmp_path / "line"


@contextmanager
def _desk(folder: Path, code: str) -> Iterator[ParcelDesk]:
    other, database = frozenset(NAMES) - {code}, folder / code / "centre.sqlite"
    with open_desk(
        folder / code, empty_database(database), centre=code, neighbours=other, signer=SIGNERS[code]
    ) as made:
        yield made


@pytest.fixture
def desks(folder: Path) -> Iterator[tuple[ParcelDesk, ParcelDesk]]:
    with ExitStack() as stack:
        city, parent = (stack.enter_context(_desk(folder, code)) for code in (CITY, PARENT))
        yield city, parent


def test_the_road_carries_a_day_up_and_the_answer_down(
    folder: Path, desks: tuple[ParcelDesk, ParcelDesk]
) -> None:
    city, parent = (LineRoad(desk) for desk in desks)
    papers = {code: LinePapers(folder / code) for code in NAMES}
    both = {"claims": CLAIMS.empty_table(), "deemed": DEEMED.empty_table()}
    city.send(PARENT, Kind.POSITIONS, DAY, both)
    city.send(PARENT, Kind.POSITIONS, DAY, both)
    parent.send(CITY, Kind.VERDICTS, DAY, {"verdicts": VERDICTS.empty_table()})
    with open_door(desks[1], papers[PARENT], ("127.0.0.1", 0)) as port:
        up = Parent.at(PARENT, f"https://localhost:{port}")
        with exchange_with(desks[0], papers[CITY], up, 0.05):
            while desks[0].waiting_for(PARENT) or desks[1].waiting_for(CITY):
                time.sleep(0.01)
    found = parent.ready()
    assert [(one.sender, one.kind, one.date, sorted(one.files)) for one in found] == [
        (CITY, Kind.POSITIONS, DAY, ["claims", "deemed"])
    ]
    parent.applied(found[0])
    assert parent.ready() == []
    came: list[Arrived] = city.ready()
    city.parked(came[0], Refused("no such record", where="row 3"))
    city_findings = findings_in(desks[0].inbox._engine)
    assert [(one.code, one.what) for one in city_findings] == [("PARCEL_PARKED", "no such record")]
    with pytest.raises(Usage, match="no file"):
        city.send(PARENT, Kind.LISTS, DAY, {"lists": CLAIMS.empty_table()})


def test_who_is_revoked_comes_in_no_more_and_signs_for_nobody(tmp_path: Path) -> None:
    authority = PlayedAuthority(dt.datetime.now(dt.UTC))
    papers = {code: request_line(tmp_path / code, NAMES[code], SIGNERS[code]) for code in NAMES}
    for one in papers.values():
        authority.certify(one)
    papers[PARENT].crl.write_bytes(authority.lists())
    with _desk(tmp_path, CITY) as city, _desk(tmp_path, PARENT) as parent:
        sealed = city.send(PARENT, Kind.VERDICTS, "x", DAY, [EMPTY]).envelope
        with open_door(parent, papers[PARENT], ("127.0.0.1", 0)) as port:
            way = Parent(code=PARENT, host="localhost", port=port)
            client = ParcelClient(city, way, papers[CITY].line_tls().client)
            assert client.sync_once().sent == 1
            authority.revoke(papers[CITY])
            papers[PARENT].crl.write_bytes(authority.lists())
            assert client.sync_once().problems
        with pytest.raises(Refused, match="revoked"):
            parent.announced(CITY, sealed)


def test_only_answers_to_the_own_requests_are_installed(folder: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    own, other = (folder / code / "line" / "issued" for code in (CITY, PARENT))
    good = {"tls": own / "tls.pem", "sign": own / "sign.pem", "above": own / "above.pem"}
    strange = folder / "strange.pem"
    strange.write_bytes(as_pem(PlayedAuthority(now).root.der))
    install_line(folder / CITY, **good, at=now)
    for name, path, words in (
        ("tls", other / "tls.pem", "another key"),
        ("sign", other / "sign.pem", "another key"),
        ("sign", own / "tls.pem", "another key"),
        ("above", own / "tls.pem", "no authority"),
        ("above", strange, "no known authority"),
    ):
        with pytest.raises(Refused, match=words):
            install_line(folder / CITY, **good | {name: path}, at=now)
    with pytest.raises(Refused, match="not valid"):
        install_line(folder / CITY, **good, at=now + dt.timedelta(days=4000))


def test_two_codes_are_not_one_centre(tmp_path: Path) -> None:
    papers = request_line(tmp_path, NAMES[CITY], SoftSigner.generate(KeyKind.ECDSA))
    tls = papers.tls_request.read_bytes()
    request_line(tmp_path, NAMES[PARENT], SoftSigner.generate(KeyKind.ECDSA))
    papers.tls_request.write_bytes(tls)
    with pytest.raises(Refused, match="two names"):
        AUTHORITY.certify(papers)


def test_a_desk_opens_with_its_own_key_alone(folder: Path) -> None:
    common = {"centre": CITY, "neighbours": frozenset({PARENT})}
    for given in ({"signer": SIGNERS[PARENT]}, {"signer": SIGNERS[CITY], "centre": PARENT}):
        with (
            pytest.raises(Refused, match="another"),
            open_desk(
                folder / CITY,
                folder / "x.sqlite",
                **common | given,  # type: ignore[arg-type]
            ),
        ):
            pass
    with pytest.raises(NotFound, match="no certificate yet"):
        LinePapers(folder / "nobody").trust()


def test_a_tls_key_stays_and_is_the_owners_alone(folder: Path) -> None:
    papers = LinePapers(folder / CITY)
    before = papers.tls_key.read_bytes()
    assert papers.tls_key.stat().st_mode & 0o077 == 0
    request_line(folder / CITY, NAMES[CITY], SIGNERS[CITY])
    assert papers.tls_key.read_bytes() == before


def test_a_tls_key_is_renewed_beside_the_one_in_use(folder: Path) -> None:
    papers, city = LinePapers(folder / CITY), folder / CITY / "line"
    old_key, old_tls = papers.tls_key.read_bytes(), papers.tls.read_bytes()
    request_line(folder / CITY, NAMES[CITY], SIGNERS[CITY], renew=True)
    papers.line_tls().server()  # key and certificate in use belong together still
    assert papers.tls_key.read_bytes() == old_key
    issued = folder / "renewed.pem"
    issued.write_bytes(AUTHORITY.tls_certificate(papers))
    install_line(
        folder / CITY, tls=issued, sign=papers.sign, above=city / "issued" / "above.pem",
        at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    papers.line_tls().server()
    assert not papers.next_key.exists()
    assert old_key != papers.tls_key.read_bytes()
    assert old_tls != papers.tls.read_bytes()


def test_the_table_of_the_line() -> None:
    assert parse_line({}).listen is None
    assert parse_line({"line": {"listen": "0.0.0.0:1", "every_s": 0.5}}).listen == ("0.0.0.0", 1)
    for wrong in ({"every_s": 0}, {"every_s": "1"}, {"listen": "x"}, {"port": 1}):
        with pytest.raises(Usage):
            parse_line({"line": wrong})
