"""Renewal over EST by the old certificate (RFC 7030, 4.2.2). Goal: it renews what it is, and nothing else.

Method: one machine with a certificate; everything that a thief or a mistaken machine could bring instead.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_request import build_request
from jinka.identity import Act, CertificateAuthority, Enrolment, ProfileName, State
from jinka.kit import Refused
from tests.crypto.x509_rig import signer
from tests.identity.rig import DAY, FIRST, NOW, SECOND, Scheme, approve_and_issue, subject

KIND = KeyKind.ECDSA
DNS = ("centre.sz.example",)


class Machine:
    """A centre with its certificate (key 3)."""

    def __init__(self) -> None:
        self.scheme = Scheme(KIND)
        self.name = self.scheme.submit(ProfileName.CENTRE, 3, subject("centre"), DNS).id
        self.held = approve_and_issue(self.scheme.issuing, self.name).certificate
        self.est = Enrolment(authority=self.scheme.issuing)

    def renew(
        self, key: int = 4, *, who: str = "centre", dns: tuple[str, ...] = DNS, label: str = "", held: bytes = b"",
        at: dt.datetime = NOW,
    ) -> bytes | None:  # fmt: skip
        request = build_request(subject(who), signer(KIND, key), dns)
        return self.est.renew(label, request, held or self.held, at)


def _asked(authority: CertificateAuthority, key: int) -> bytes:
    found = authority.application_for(signer(KIND, key).public_der)
    assert found is not None
    return found.id


def test_officers_decide_on_a_renewal_too() -> None:
    machine = Machine()
    assert machine.renew() is None
    assert machine.renew() is None, "asked again, and still one application"
    new = _asked(machine.scheme.issuing, 4)
    assert machine.scheme.issuing.application(new).renews == machine.name
    issued = approve_and_issue(machine.scheme.issuing, new)
    assert machine.scheme.issuing.application(machine.name).state is State.RENEWED
    found = machine.renew()
    assert found is not None
    assert issued.certificate in found
    with pytest.raises(Refused, match="renewed is not renewed"):
        machine.renew(5)
    assert machine.renew(5, held=issued.certificate) is None, "the new one renews in its turn"


def _suspended(machine: Machine) -> None:
    machine.scheme.issuing.act(machine.name, Act.SUSPEND, FIRST, NOW)


def _revoked(machine: Machine) -> None:
    machine.scheme.issuing.act(machine.name, Act.REVOKE, FIRST, NOW, reason=Reason.KEY_COMPROMISE)


@pytest.mark.parametrize(("act", "why"), [(_suspended, "is suspended"), (_revoked, "is revoked")])
def test_who_is_blocked_renews_nothing_and_fetches_nothing(act: Callable[[Machine], None], why: str) -> None:
    machine = Machine()
    act(machine)
    with pytest.raises(Refused, match=why):
        machine.renew()
    machine = Machine()
    assert machine.renew() is None
    approve_and_issue(machine.scheme.issuing, _asked(machine.scheme.issuing, 4))
    machine.scheme.issuing.act(machine.name, Act.REVOKE, SECOND, NOW, reason=Reason.KEY_COMPROMISE)
    with pytest.raises(Refused, match="is revoked"):
        machine.renew()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"who": "another"}, "subject, profile and DNS"),
        ({"dns": ("other.sz.example",)}, "subject, profile and DNS"),
        ({"dns": (*DNS, "more.sz.example")}, "subject, profile and DNS"),
        ({"key": 3}, "asked for before"),
        ({"key": 2}, "asked for before"),
        ({"label": "device"}, "of a centre"),
        ({"at": NOW + 5 * 365 * DAY}, "not valid at this time"),
        ({"held": Scheme(KIND).issued(ProfileName.TERMINAL, 9, subject("440300000001")).certificate}, "did not issue"),
        ({"held": b"\x30\x00"}, "."),
    ],
)  # fmt: skip
def test_what_is_no_renewal(wrong: dict[str, object], why: str) -> None:
    machine = Machine()
    with pytest.raises(Refused, match=why):
        machine.renew(**wrong)
    assert not machine.scheme.issuing.application_for(signer(KIND, 4).public_der)


def test_the_authoritys_own_certificate_and_a_forged_one_renew_nothing() -> None:
    machine = Machine()
    with pytest.raises(Refused, match="did not issue"):
        machine.renew(held=machine.scheme.issuing_certificate.der)
    forged = bytearray(machine.held)
    forged[-1] ^= 1
    assert read_certificate(bytes(forged)).serial == read_certificate(machine.held).serial
    with pytest.raises(Refused, match="did not issue"):
        machine.renew(held=bytes(forged))


def test_another_machine_does_not_fetch_a_renewal() -> None:
    machine = Machine()
    other = machine.scheme.submit(ProfileName.CENTRE, 6, subject("centre"), DNS).id
    theirs = approve_and_issue(machine.scheme.issuing, other).certificate
    assert machine.renew() is None
    approve_and_issue(machine.scheme.issuing, _asked(machine.scheme.issuing, 4))
    with pytest.raises(Refused, match="asked for before"):
        machine.renew(held=theirs)
