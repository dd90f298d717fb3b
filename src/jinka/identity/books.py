"""The books of an authority: applications with their steps, what was issued, and the lists that were published.

`Books` is what the rules ask for and write down; `MemoryBooks` keeps it for as long as the process lives, `jinka.store`
for good. Whether a certificate is revoked follows from the steps of its application, so no book of its own can differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import Revocation
from jinka.identity.application import ENDED, UNDECIDED, Application, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What an applicant gets: the certificate, and with SM2 pairs the encryption certificate and its key's envelope."""

    certificate: bytes
    encryption: bytes = b""
    envelope: bytes = field(default=b"", repr=False)

    def certificates(self) -> tuple[Certificate, ...]:
        """One certificate, or the pair."""
        return tuple(read_certificate(der) for der in (self.certificate, self.encryption) if der)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedList:
    """A revocation list as it was signed (DER)."""

    number: int
    base_number: int | None
    der: bytes = field(repr=False)


class Books(Protocol):
    """What an authority reads and writes. One act is one transaction of whoever keeps the books."""

    def application(self, name: bytes) -> Application | None:
        """One application."""
        ...

    def application_for(self, public_der: bytes) -> Application | None:
        """The application in which a key stands, unless it was rejected."""
        ...

    def application_of(self, serial: int) -> Application | None:
        """The application for which a certificate was issued."""
        ...

    def undecided(self) -> Sequence[Application]:
        """All applications that wait for officers."""
        ...

    def ended(self, at: dt.datetime) -> Sequence[Application]:
        """Applications whose certificates have ended, and that do not say so yet."""
        ...

    def put(self, application: Application) -> None:
        """Write down a new application, or the steps that it took since."""
        ...

    def issued(self, name: bytes) -> Issued | None:
        """What was issued for an application."""
        ...

    def put_issued(self, name: bytes, issued: Issued) -> None:
        """Write down what was issued; a serial number that was there before is refused."""
        ...

    def standing(self, since: dt.datetime) -> Mapping[int, Revocation]:
        """All that is revoked or on hold and had not ended before ``since``."""
        ...

    def last_list(self, *, complete: bool) -> PublishedList | None:
        """The newest list, or the newest complete one."""
        ...

    def put_list(self, published: PublishedList) -> None:
        """Write down a list that was signed."""
        ...


class MemoryBooks:
    """Implements `Books` for as long as the process lives."""

    def __init__(self) -> None:
        self._applications: dict[bytes, Application] = {}
        self._by_key: dict[bytes, bytes] = {}
        self._issued: dict[bytes, Issued] = {}
        self._certificates: dict[int, tuple[bytes, Certificate]] = {}
        self._lists: list[PublishedList] = []

    def application(self, name: bytes) -> Application | None:
        return self._applications.get(name)

    def application_for(self, public_der: bytes) -> Application | None:
        name = self._by_key.get(public_der)
        return self._applications[name] if name else None

    def application_of(self, serial: int) -> Application | None:
        found = self._certificates.get(serial)
        return self._applications[found[0]] if found else None

    def undecided(self) -> Sequence[Application]:
        return [found for found in self._applications.values() if found.state in UNDECIDED]

    def ended(self, at: dt.datetime) -> Sequence[Application]:
        return [
            found
            for found in self._applications.values()
            if found.serials and found.state not in ENDED and max(self._ends(found)) < at
        ]

    def put(self, application: Application) -> None:
        self._applications[application.id] = application
        if application.state is not State.REJECTED:
            self._by_key[application.public_der] = application.id
        elif self._by_key.get(application.public_der) == application.id:
            del self._by_key[application.public_der]

    def issued(self, name: bytes) -> Issued | None:
        return self._issued.get(name)

    def put_issued(self, name: bytes, issued: Issued) -> None:
        self._issued[name] = issued
        self._certificates |= {found.serial: (name, found) for found in issued.certificates()}

    def standing(self, since: dt.datetime) -> Mapping[int, Revocation]:
        found = {}
        for serial, (name, certificate) in self._certificates.items():
            revocation = self._applications[name].revocation
            if revocation is not None and certificate.not_after >= since:
                found[serial] = revocation
        return found

    def last_list(self, *, complete: bool) -> PublishedList | None:
        newest_first = reversed(self._lists)
        return next((one for one in newest_first if not complete or one.base_number is None), None)

    def put_list(self, published: PublishedList) -> None:
        self._lists.append(published)

    def _ends(self, application: Application) -> list[dt.datetime]:
        return [self._certificates[serial][1].not_after for serial in application.serials]
