"""Lines under TLS: who has no certificate, another bank's, or a revoked one, never says a word to the core.

Method: certificates of the project's own authority, a switch behind real sockets, and as clients Python's ssl and
``openssl s_client``, which the project did not write.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from jinka.codec.framing import Frame, close_frame
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_crl import Reason, Revocation, build_list
from jinka.crypto.x509_fields import KeyUsage, Purpose, Subject
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.identity import make_root
from jinka.kit import Refused
from jinka.node.switch_tls import LineTls
from tests.crypto.x509_rig import END, START, pem, signer
from tests.identity.rig import Scheme
from tests.switch.ground import CODEC, config, request
from tests.switch.tcp import FRAMING, town

KIND = KeyKind.ECDSA


class Office:
    """The authority, and the files that it gives out."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scheme, self.serial = folder, Scheme(KIND), 100
        self.authority = folder / "root.pem"
        self.authority.write_text(pem(self.scheme.root_certificate.der))

    def give(self, name: str, *, stranger: bool = False) -> LineTls:
        key = SoftSigner.generate(KIND)
        self.serial += 1
        plan = CertificatePlan(
            serial=self.serial, subject=Subject(common_name=name, organisation="jinka"), public_der=key.public_der,
            not_before=START, not_after=END, usages=frozenset({KeyUsage.SIGNATURE}),
            purposes=frozenset({Purpose.SERVER, Purpose.CLIENT}), dns_names=(f"{name}.sz.example",),
        )  # fmt: skip
        top = Subject(common_name="another root", organisation="jinka")
        above = make_root(top, signer(KIND, 3), 1, START, END) if stranger else self.scheme.root_certificate
        made = build_certificate(plan, signer(KIND, 3 if stranger else 1), above)
        private = key.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.folder / f"{name}.pem").write_text(pem(made))
        (self.folder / f"{name}.key").write_bytes(private)
        return LineTls(
            certificate=self.folder / f"{name}.pem", key=self.folder / f"{name}.key", authority=self.authority,
            name="switch.sz.example",
        )  # fmt: skip

    def revoke(self, *serials: int) -> Path:
        """A list in force."""
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        since = Revocation(since=now - dt.timedelta(hours=2), reason=Reason.KEY_COMPROMISE)
        made = build_list(
            self.scheme.root_certificate, signer(KIND, 1), number=1, this_update=now - dt.timedelta(hours=1),
            next_update=now + dt.timedelta(days=1), entries=dict.fromkeys(serials, since),
        )  # fmt: skip
        path = self.folder / "list.pem"
        path.write_text(pem(made, "X509 CRL"))
        return path


async def ask(port: int, context: ssl.SSLContext) -> Any:
    """A payment's answer; what the line says otherwise is raised."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="switch.sz.example"
    )
    try:
        writer.write(close_frame(FRAMING, Frame(message=CODEC.encode(request(1)))))
        size = int.from_bytes(await reader.readexactly(2), "big")
        return CODEC.decode(await reader.readexactly(size))
    finally:
        writer.close()


def _switch(office: Office, crl: Path | None = None) -> dict[str, Any]:
    given = office.give("switch")
    tls = LineTls(
        certificate=given.certificate,
        key=given.key,
        authority=given.authority,
        name="till.sz.example",
        crl=crl,
    )
    return {"tls": tls}


def test_who_comes_in(tmp_path: Path) -> None:
    office = Office(tmp_path)
    till, bank = office.give("till"), office.give("bank")
    stranger = office.give("stranger", stranger=True)

    async def run() -> None:
        async with town(tmp_path, config(), till_link=_switch(office)) as there:
            assert (await ask(there.port, till.client())).text(39) == "00"
            bare = ssl.create_default_context(cafile=str(office.authority))
            for context in (bare, bank.client(), stranger.client()):
                with pytest.raises((OSError, EOFError)):
                    await ask(there.port, context)
            _, plain = await asyncio.open_connection("127.0.0.1", there.port)
            plain.write(close_frame(FRAMING, Frame(message=CODEC.encode(request(2)))))
            await plain.drain()
            plain.close()
            assert (await ask(there.port, till.client())).text(39) == "00"
            counts = there.runner.core.board.counts
            assert counts["requests", "till"] == 2
            assert there.runner.closed["tls_name", "till"] == 1

    asyncio.run(run())


def test_a_revoked_certificate_is_refused_from_the_next_connection_on(tmp_path: Path) -> None:
    office = Office(tmp_path)
    till = office.give("till")
    crl = office.revoke(999)

    async def run() -> None:
        async with town(tmp_path, config(), till_link=_switch(office, crl)) as there:
            assert (await ask(there.port, till.client())).text(39) == "00"
            office.revoke(101)
            with pytest.raises((OSError, EOFError)):
                await ask(there.port, till.client())
            crl.write_text("damaged")
            with pytest.raises((OSError, EOFError)):
                await ask(there.port, till.client())

    asyncio.run(run())


@pytest.mark.parametrize("name", ["bank.sz.example", "other.sz.example"])
def test_a_line_that_we_open_goes_to_whom_it_was_meant_for(tmp_path: Path, name: str) -> None:
    office = Office(tmp_path)
    ours, theirs = office.give("switch"), office.give("bank")
    outgoing = LineTls(certificate=ours.certificate, key=ours.key, authority=ours.authority, name=name)
    good = name == "bank.sz.example"

    async def run() -> None:
        async with town(tmp_path, config(), bank_link={"tls": outgoing}, bank_tls=theirs.server()) as there:
            for _ in range(1_000 if good else 20):
                await asyncio.sleep(0.01)
                if there.runner.core.board.ready_line("bank") is not None:
                    break
            assert (there.runner.core.board.ready_line("bank") is not None) is good

    asyncio.run(run())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_speaks_to_it(tmp_path: Path) -> None:
    office = Office(tmp_path)
    till = office.give("till")
    frame = close_frame(FRAMING, Frame(message=CODEC.encode(request(1))))

    async def run() -> bytes:
        async with town(tmp_path, config(), till_link=_switch(office)) as there:
            process = await asyncio.create_subprocess_exec(
                "openssl", "s_client", "-connect", f"127.0.0.1:{there.port}", "-quiet", "-tls1_3",
                "-cert", str(till.certificate), "-key", str(till.key), "-CAfile", str(office.authority),
                "-verify_return_error", "-verify_hostname", "switch.sz.example",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(frame)
            size = int.from_bytes(await asyncio.wait_for(process.stdout.readexactly(2), 20), "big")
            answer = await process.stdout.readexactly(size)
            process.kill()
            await process.communicate()
            return answer

    assert CODEC.decode(asyncio.run(run())).text(39) == "00"


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    office = Office(tmp_path)
    till, bank = office.give("till"), office.give("bank")
    mixed = LineTls(certificate=till.certificate, key=bank.key, authority=till.authority, name="x")
    with pytest.raises(Refused, match="not a certificate, its key"):
        mixed.client()
