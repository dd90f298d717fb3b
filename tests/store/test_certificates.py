"""The authority's books in SQL answer as those in memory do. Method: one life of certificates, acted on both at once.

Keys and times are the same on both sides; serial numbers come from the same seed, so what is answered must be equal.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason, read_list
from jinka.crypto.x509_fields import Constraints, organisation_tree
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_request import build_request
from jinka.identity import (
    ROOT_PROFILES,
    Act,
    Books,
    CertificateAuthority,
    MemoryBooks,
    ProfileName,
    SealedEscrow,
    SoftSeal,
    State,
)
from jinka.kit import NotFound, Refused
from jinka.store import SqlArchive, SqlBooks, SqlOfficers, open_database
from tests.crypto.sm2_rig import Seeded
from tests.crypto.x509_rig import CITY, signer
from tests.identity.rig import (
    CLERK,
    DAY,
    FIRST,
    NOW,
    OFFICERS,
    SECOND,
    THIRD,
    Scheme,
    approve_and_issue,
    subject,
)

KIND = KeyKind.ECDSA


def _life(books: Books) -> list[object]:
    """Everything that an outsider sees of four applications and three lists."""
    scheme = Scheme(KIND)
    own = CertificateAuthority(scheme.issuing_certificate, signer(KIND, 2), Seeded(50), OFFICERS, books=books)
    seen: list[object] = []

    def submit(key: int, renews: bytes | None = None, at: dt.datetime = NOW) -> bytes:
        request = build_request(subject(), signer(KIND, key))
        return own.submit(ProfileName.ORGANISATION, request, CLERK, at, renews=renews).id

    kept, held, rejected = submit(3), submit(4), submit(5)
    own.act(rejected, Act.REJECT, FIRST, NOW, note="no paper / 缺材料")
    seen.append(own.application_for(signer(KIND, 5).public_der))
    again = submit(5, at=NOW + DAY)
    seen.append((own.waiting(CLERK), own.waiting("CHEN.clerk"), own.waiting(FIRST)))
    for name in (kept, held):
        seen.append(read_certificate(approve_and_issue(own, name).certificate).serial)
    own.act(held, Act.SUSPEND, FIRST, NOW)
    lists = [own.complete_list(NOW, NOW + DAY)]
    own.act(held, Act.RESUME, SECOND, NOW + DAY)
    lists.append(own.delta_list(NOW + DAY, NOW + 2 * DAY))
    own.act(held, Act.REVOKE, FIRST, NOW + 2 * DAY, reason=Reason.KEY_COMPROMISE)
    lists.append(own.complete_list(NOW + 2 * DAY, NOW + 3 * DAY))
    renewal = submit(6, renews=kept, at=NOW + 2 * DAY)
    approve_and_issue(own, renewal, NOW + 2 * DAY)
    seen += [(read_list(raw).number, read_list(raw).base_number, read_list(raw).entries) for raw in lists]
    end = own.certificates_of(own.application(kept))[0].not_after
    seen.append([found.id for found in own.expire(end)])
    seen.append(sorted(found.id for found in own.expire(end + dt.timedelta(days=1))))
    seen += [own.application(name) for name in (kept, held, rejected, again, renewal)]
    return seen


def test_sql_and_memory_agree(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    with engine.begin() as connection:
        found = _life(SqlBooks(connection))
    assert found == _life(MemoryBooks())
    with engine.begin() as connection:
        books = SqlBooks(connection)
        assert books.listed() == sorted(found[-5:], key=lambda one: (one.asked_at, one.id))
        first = books.listed()[0]
        assert books.listed(first.id[:3]) == [first]
    engine.dispose()


def test_constraints_come_back(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    scheme = Scheme(KIND)
    rule = Constraints(
        permitted_dns=("sz.example",),
        excluded_dns=("x.sz.example",),
        permitted_trees=(organisation_tree(CITY),),
    )
    with engine.begin() as connection:
        root = CertificateAuthority(
            scheme.root_certificate,
            signer(KIND, 1),
            Seeded(1),
            OFFICERS,
            ROOT_PROFILES,
            books=SqlBooks(connection),
        )
        request = build_request(subject("深圳发证"), signer(KIND, 2))
        name = root.submit(ProfileName.AUTHORITY, request, CLERK, NOW, constraints=rule).id
    with engine.begin() as connection:
        found = SqlBooks(connection).application(name)
        assert found is not None
        assert found.constraints == rule
    engine.dispose()


def test_no_serial_twice_and_nothing_is_rewritten(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    scheme = Scheme(KIND)
    with engine.begin() as connection:
        own = CertificateAuthority(
            scheme.issuing_certificate, signer(KIND, 2), Seeded(50), OFFICERS, books=SqlBooks(connection)
        )
        names = [
            own.submit(ProfileName.ORGANISATION, build_request(subject(), signer(KIND, key)), CLERK, NOW).id
            for key in (3, 4)
        ]
        issued = approve_and_issue(own, names[0])
    with pytest.raises(Refused, match="given before"), engine.begin() as connection:
        SqlBooks(connection).put_issued(names[1], issued)
    for table in ("certificate_applications", "certificate_acts", "certificates"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    engine.dispose()


def test_the_escrow_outlives_the_process(tmp_path: Path) -> None:
    """A key is kept by one run, and given out by the next, to a certified key of the same owner alone."""
    scheme = Scheme(KeyKind.SM2)
    sealing, provider = SoftSeal(bytes(range(32)), Seeded(7)), choose_sm2(Seeded(8))
    serials, draws = Seeded(50), Seeded(9)
    engine = open_database(tmp_path / "a.db")

    def authority(connection: sa.Connection) -> CertificateAuthority:
        return CertificateAuthority(
            scheme.issuing_certificate, signer(KeyKind.SM2, 2), serials, OFFICERS, books=SqlBooks(connection),
            escrow=SealedEscrow(sealing, provider, draws, SqlArchive(connection)),
        )  # fmt: skip

    def submit(own: CertificateAuthority, key: int, who: str) -> bytes:
        request = build_request(subject(who), signer(KeyKind.SM2, key))
        return own.submit(ProfileName.PERSON, request, CLERK, NOW).id

    with engine.begin() as connection:
        own = authority(connection)
        lost, new, other = submit(own, 3, "a"), submit(own, 4, "a"), submit(own, 5, "b")
        issued = approve_and_issue(own, lost)
    with engine.begin() as connection:
        own = authority(connection)
        assert own.issued(lost) == issued
        with pytest.raises(Refused, match="issue it first"):
            own.recover(lost, new, (FIRST, SECOND), NOW)
        approve_and_issue(own, new)
        approve_and_issue(own, other)
        for recipient, officers in (
            (other, (FIRST, SECOND)),
            (new, (FIRST, FIRST)),
            (new, (FIRST, "nobody")),
        ):
            with pytest.raises(Refused):
                own.recover(lost, recipient, officers, NOW)
        with pytest.raises(NotFound):
            own.recover(bytes(16), new, (FIRST, SECOND), NOW)
        again = own.recover(lost, new, (FIRST, THIRD), NOW)
        assert again.public_der == read_certificate(issued.encryption).public_der
        assert own.application(new).state is State.ISSUED
        rows = connection.exec_driver_sql("SELECT first, second FROM escrow_recoveries").all()
        assert [tuple(row) for row in rows] == [(FIRST, THIRD)]
    engine.dispose()


def test_officers_come_and_go(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    with engine.begin() as connection:
        people = SqlOfficers(connection)
        for name, admitted in (
            ("a", True),
            ("b", True),
            ("a", False),
            ("c", True),
            ("c", False),
            ("c", True),
        ):
            people.put(name, ("x", "y"), NOW, admitted=admitted)
        assert people.names() == {"b", "c"}
    engine.dispose()
