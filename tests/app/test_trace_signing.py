"""What a participant shows. Goal: a server takes what was signed by the command, and files that do not fit are refused.

Method: a real server that demands both, documents captured by the command's function with a token and a key.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jinka.api.epcis import epcis_app
from jinka.api.epcis_server import epcis_server
from jinka.api.epcis_services import EpcisServices
from jinka.app.certificates import as_pem
from jinka.app.trace_access import Access, put_participant
from jinka.app.trace_config import read_trace_file
from jinka.app.trace_rules import judges_of
from jinka.app.trace_secret import TraceSecret
from jinka.app.trace_serving import capture_files, query_events
from jinka.app.trace_signers import Signers
from jinka.app.trace_signing import read_token, signer_of
from jinka.codec.epcis import Action
from jinka.codec.epcis.json_writer import write_json
from jinka.codec.epcis.model import Document
from jinka.crypto.x509_crl import Reason, Revocation, build_list
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_private import private_der
from jinka.kit import NotFound, Refused, Usage
from jinka.node.system import SystemRandomness
from jinka.store import database_at
from jinka.store.trace_queries import NamedQueries
from jinka.store.trace_store import TraceStore
from jinka.trace.access import Participant
from jinka.trace.signatures import SignatureRefused
from tests.app.access_rig import Clock
from tests.crypto.test_detached_jws import make_papers
from tests.trace.test_choreography import thing


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with what a participant has, and its server."""
    papers = make_papers(KeyKind.SM2)
    (anchor,) = papers.trust.anchors
    (tmp_path / "anchors.pem").write_bytes(as_pem(anchor.der))
    (tmp_path / "own.pem").write_bytes(as_pem(papers.leaf))
    (tmp_path / "own.key").write_bytes(as_pem(private_der(papers.signer), "PRIVATE KEY"))
    (tmp_path / "trace.toml").write_text(
        '[trace]\n[access]\nrequired = true\nsignatures = "required"\nanchors = "anchors.pem"\n',
        encoding="utf-8",
    )
    event = thing(10_000_000, Action.ADD, "commissioning")
    (tmp_path / "one.jsonld").write_bytes(write_json(Document(events=(event,), creation_time_us=0)))
    file, clock, randomness = read_trace_file(tmp_path / "trace.toml"), Clock(), SystemRandomness()
    token = put_participant(file.path, "farm", owns=["0614141"])["token"]
    (tmp_path / "token").write_text(token + "\n", encoding="ascii")
    with database_at(file.database) as database, socket.create_server(("127.0.0.1", 0)) as door:
        access = Access(database, file, TraceSecret.of_folder(tmp_path, randomness), clock)
        services = EpcisServices(
            store=TraceStore(database, clock, judges=judges_of({}, clock)), named=NamedQueries(database, clock),
            clock=clock, randomness=randomness, admit=access.admit, sight=access,
            check_signature=access.check_signature, signer=access.signer,
        )  # fmt: skip
        server = epcis_server(epcis_app(services))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield tmp_path, f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_a_document_is_captured_with_a_token_and_a_signature(place: tuple[Path, str]) -> None:
    folder, at = place
    document, token = folder / "one.jsonld", read_token(folder / "token")
    sign = signer_of(folder / "own.key", folder / "own.pem")
    for wrong in ({}, {"token": token}, {"sign": sign}):
        with pytest.raises(Refused, match="SecurityException"):
            capture_files(at, [document], proceed=False, **wrong)  # type: ignore[arg-type]
    (job,) = capture_files(at, [document], proceed=False, token=token, sign=sign)
    assert job["counts"]["accepted"] == 1
    with pytest.raises(Refused, match="SecurityException"):
        query_events(at, [], epc_format="Never_Translates", most=9)
    found = query_events(at, [], epc_format="Never_Translates", most=9, token=token)[0]
    assert "sgtin:0614141.107346.1" in json.dumps(found)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    papers, other = make_papers(KeyKind.ECDSA), make_papers(KeyKind.ECDSA)
    (tmp_path / "key").write_bytes(as_pem(private_der(papers.signer), "PRIVATE KEY"))
    (tmp_path / "other").write_bytes(as_pem(other.leaf))
    assert signer_of(None, None) is None
    with pytest.raises(Usage):
        signer_of(tmp_path / "key", None)
    with pytest.raises(Refused, match="another key's"):
        signer_of(tmp_path / "key", tmp_path / "other")
    (tmp_path / "token").write_text("no token", encoding="ascii")
    with pytest.raises(Usage):
        read_token(tmp_path / "token")
    assert read_token(None) == ""


def test_a_signer_who_was_revoked_signs_nothing_new_and_what_it_signed_says_so(
    tmp_path: Path,
) -> None:
    """One file of lists is replaced step by step, under one process's eyes."""
    papers, clock = make_papers(KeyKind.ECDSA), Clock()
    (anchor,) = papers.trust.anchors
    at = dt.datetime.fromtimestamp(clock.now_micros() / 1e6, dt.UTC)
    (tmp_path / "anchors.pem").write_bytes(as_pem(anchor.der))
    table = {"anchors": "anchors.pem", "lists": "lists.pem", "lists_hours": 48}

    def publish(number: int, *revoked: int, age_h: int = 1, days: int = 7) -> None:
        made = build_list(
            anchor, papers.authority, number=number, this_update=at - dt.timedelta(hours=age_h),
            next_update=at + dt.timedelta(days=days),
            entries={each: Revocation(since=at, reason=Reason.KEY_COMPROMISE) for each in revoked},
        )  # fmt: skip
        (tmp_path / "new.pem").write_bytes(as_pem(made, "X509 CRL"))
        (tmp_path / "new.pem").replace(tmp_path / "lists.pem")

    with pytest.raises(NotFound):
        Signers(table, tmp_path)
    publish(1)
    signers = Signers(table, tmp_path)
    farm, now, body = Participant(id="farm"), clock.now_micros(), b"{}"
    kept = signers.check(body, papers.sign(body), farm, now)
    assert signers.later(kept, now) == {"signer": "farm", "serial": "2"}
    year = 366 * 86_400_000_000
    publish(2, days=900)
    with pytest.raises(SignatureRefused, match="not valid at this time"):  # the certificate ended
        Signers(table | {"lists_hours": 99_999}, tmp_path).check(body, papers.sign(body), farm, now + year)
    publish(3, age_h=49)
    with pytest.raises(SignatureRefused, match="older than 48 h"):
        signers.check(body, papers.sign(body), farm, now)
    publish(4, 2)
    with pytest.raises(SignatureRefused, match="revoked since"):
        signers.check(body, papers.sign(body), farm, now)
    assert "revoked since" in signers.later(kept, now)["finding"]
    (tmp_path / "lists.pem").write_bytes(b"nothing")
    with pytest.raises(SignatureRefused, match="cannot be used"):
        signers.check(body, papers.sign(body), farm, now)
    assert signers.later(kept, now)["finding"]
    (tmp_path / "lists.pem").unlink()
    with pytest.raises(SignatureRefused, match="cannot be used"):
        signers.check(body, papers.sign(body), farm, now)
    assert signers.check(body, "", farm, now) == b""


@pytest.mark.parametrize(
    "table",
    [
        {"lists": "x"}, {"lists_hours": 4}, {"signatures": "perhaps"}, {"signatures": "required"},
        {"anchors": "anchors.pem", "lists": "anchors.pem", "lists_hours": 0},
    ],
)  # fmt: skip
def test_settings_that_say_nothing_are_refused(tmp_path: Path, table: dict[str, object]) -> None:
    with pytest.raises(Usage):
        Signers(table, tmp_path)


def test_a_job_says_who_signed_it_and_an_event_by_itself_has_a_job_then(place: tuple[Path, str]) -> None:
    folder, at = place
    sign = signer_of(folder / "own.key", folder / "own.pem")
    assert sign is not None
    token = read_token(folder / "token")
    (job,) = capture_files(at, [folder / "one.jsonld"], proceed=False, token=token, sign=sign)
    assert job["signature"] == {"signer": "farm", "serial": "2"}
    body = json.loads((folder / "one.jsonld").read_bytes())
    event = body["epcisBody"]["eventList"][0] | {"@context": body["@context"], "action": "OBSERVE"}
    raw = json.dumps(event).encode()
    headers = {
        "Authorization": f"Bearer {token}", "Content-Type": "application/json", "GS1-Signature": sign(raw),
    }  # fmt: skip
    link = http.client.HTTPConnection(at.removeprefix("http://"), timeout=20)
    link.request("POST", "/events", raw, headers)
    assert link.getresponse().read() is not None
    link.request("GET", "/capture", headers=headers)
    listed = json.loads(link.getresponse().read())
    link.close()
    assert len(listed) == 2
