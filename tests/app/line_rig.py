"""A parent and its child, each with a folder, papers of a played authority, a database and a desk: as fixtures."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jinka.app.centre_config import DATABASE
from jinka.app.centre_folder import NewCentre, admit, make_centre
from jinka.app.centre_line import open_desk
from jinka.app.centre_papers import CentreName, PlayedAuthority, request_line
from jinka.clearing.tiers import Tier
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.node.parcel_desk import ParcelDesk
from tests.parcels import CITY, CODE, PARENT, empty_database

Papers = tuple[Path, dict[str, SoftSigner]]


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """A folder with the papers of both, and their signing keys."""
    folder, authority = tmp_path_factory.mktemp("papers"), PlayedAuthority(dt.datetime.now(dt.UTC))
    signers = {code: SoftSigner.generate(KeyKind.ECDSA) for code in (CITY, PARENT)}
    for code, signer in signers.items():
        name = CentreName(
            code=code, organisation=f"Centre {code}", organisation_code=CODE, dns_name="localhost"
        )
        authority.certify(request_line(folder / code, name, signer))
    return folder, signers


@pytest.fixture
def line(tmp_path: Path, papers: Papers) -> Iterator[dict[str, ParcelDesk]]:
    """The desks, over folders of their own in ``tmp_path``."""
    shutil.copytree(papers[0], tmp_path, dirs_exist_ok=True)
    common = {"region": "440000", "zone": "Asia/Shanghai", "first_date": dt.date(2026, 6, 1)}
    make_centre(tmp_path / PARENT, NewCentre(tier=Tier.NATION, code=PARENT, **common))
    admit(tmp_path / PARENT, CITY, centres=[], participants=[])
    up = (PARENT, "https://localhost:1")
    make_centre(tmp_path / CITY, NewCentre(tier=Tier.PROVINCE, code=CITY, parent=up, **common))
    with ExitStack() as stack:
        yield {
            code: stack.enter_context(
                open_desk(
                    tmp_path / code, empty_database(tmp_path / code / DATABASE), centre=code,
                    neighbours=frozenset({other}), signer=papers[1][code],
                )
            )
            for code, other in ((CITY, PARENT), (PARENT, CITY))
        }  # fmt: skip
