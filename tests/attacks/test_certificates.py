"""The attacks on certificates, each by its name, each refused: keys, signatures, DER, paths.

Goal: no forged, foreign or misused certificate is believed. Method: a good path of root, issuing authority and terminal
is broken in one place, and where the attacker could sign, the result is signed again, so that the rule under test
refuses it and not the signature. Lists, answers, requests and approvals: `test_certificate_services.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from asn1crypto import core, keys, x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.crypto.sm2 import signature_der
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_fields import Constraints, KeyUsage, Purpose, Subject, sign_body
from jinka.crypto.x509_keys import KeyKind, Sm2Signer, key_kind
from jinka.crypto.x509_path import DEPTH_MAX, Trust, check_path
from jinka.kit import Refused, Usage
from tests.crypto.sm2_rig import Seeded
from tests.crypto.x509_rig import (
    CITY,
    CODE,
    END,
    NOW,
    START,
    issuing_plan,
    plan,
    root_plan,
    signer,
    tree,
)

kinds = pytest.mark.parametrize("kind", list(KeyKind), ids=lambda kind: kind.name)
EC = tree(KeyKind.ECDSA)
TRUST = Trust(anchors=(EC.root,))


def _judge(leaf: Certificate, kind: KeyKind = KeyKind.ECDSA, **more: Any) -> tuple[Certificate, ...]:
    found = tree(kind)
    wanted: dict[str, Any] = {"usage": KeyUsage.SIGNATURE, "purpose": Purpose.CLIENT, "at": NOW} | more
    at, authorities = wanted.pop("at"), wanted.pop("authorities", [found.issuing])
    return check_path(leaf, authorities, Trust(anchors=(found.root,)), at, **wanted)


def _signed_again(der: bytes, change: Callable[[Any], None], kind: KeyKind = KeyKind.ECDSA) -> bytes:
    """The certificate with its body changed, under a right signature of the issuing authority."""
    body = x509.Certificate.load(der)["tbs_certificate"].copy()
    change(body)
    return sign_body(x509.TbsCertificate.load(body.dump(force=True)), signer(kind, 2))


def _spki(key: Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(serialization.Encoding.DER, form))


@kinds
def test_the_good_path_is_believed(kind: KeyKind) -> None:
    assert _judge(tree(kind).leaf, kind) == (tree(kind).leaf, tree(kind).issuing, tree(kind).root)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.BrainpoolP256R1()),
        ec.generate_private_key(ec.SECP521R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),
        rsa.generate_private_key(3, 2048),
    ],
    ids=["secp256k1", "brainpool", "P-521", "Ed25519", "RSA-1024", "exponent 3"],
)
def test_unknown_curve_or_weak_key(key: Any) -> None:
    with pytest.raises(Refused):
        key_kind(_spki(key))

    def swap(body: Any) -> None:
        body["subject_public_key_info"] = keys.PublicKeyInfo.load(_spki(key))

    with pytest.raises(Refused):
        read_certificate(_signed_again(EC.leaf.der, swap))


def test_curve_spelled_out() -> None:
    """Explicit parameters with a generator of the attacker's choice (CVE-2020-0601)."""
    point = bytes.fromhex("04") + bytes(64)
    explicit = {
        "version": 1,
        "field_id": {"field_type": "prime_field", "parameters": 2**256 - 2**224 + 2**192 + 2**96 - 1},
        "curve": {"a": bytes(32), "b": bytes(32)},
        "base": point,
        "order": 5,
    }
    algorithm = {"algorithm": "ec", "parameters": keys.ECDomainParameters(name="specified", value=explicit)}
    with pytest.raises(Refused):
        key_kind(keys.PublicKeyInfo({"algorithm": algorithm, "public_key": point}).dump())


def test_sm2_point_off_the_curve() -> None:
    public = bytearray(tree(KeyKind.SM2).leaf.public_der)
    public[-1] ^= 1
    with pytest.raises(Refused, match="not a point"):
        key_kind(bytes(public))


def test_sm2_key_that_signs_ecdsa() -> None:
    """Some tokens make a key on sm2p256v1 and then sign plain ECDSA; that is not SM2."""
    found = tree(KeyKind.SM2)
    leaf = replace(found.leaf, algorithm=KeyKind.ECDSA.value)
    with pytest.raises(Refused, match="another algorithm"):
        leaf.require_signed_by(found.issuing)


def test_wrong_distinguishing_id() -> None:
    found, key = tree(KeyKind.SM2), signer(KeyKind.SM2, 2)
    assert isinstance(key, Sm2Signer)
    raw = key.key.sign(found.leaf.body, Seeded(1), user_id=b"ALICE123@YAHOO.COM")
    with pytest.raises(Refused, match="signature is wrong"):
        _judge(replace(found.leaf, signature=signature_der(raw)), KeyKind.SM2)


@kinds
def test_signature_of_somebody_else(kind: KeyKind) -> None:
    """Same names, same key identifiers, another key."""
    other = signer(kind, 9)
    forged_root = read_certificate(
        build_certificate(replace(root_plan(kind), public_der=other.public_der), other)
    )
    forged = read_certificate(build_certificate(plan(3, kind, "终端一"), other, forged_root))
    claimed = replace(forged, issuer=tree(kind).issuing.subject, issuer_key_id=tree(kind).issuing.key_id)
    with pytest.raises(Refused, match="signature is wrong"):
        _judge(claimed, kind)


def test_algorithm_swapped() -> None:
    """The outer algorithm is not signed; it must be the inner one, and that the key's own."""
    raw = EC.leaf.der
    for place in (raw.index(KeyKind.ECDSA.value), raw.rindex(KeyKind.ECDSA.value)):
        wrong = bytearray(raw)
        wrong[place + 11] = 0x03  # ecdsa-with-SHA384
        with pytest.raises(Refused):
            _judge(read_certificate(bytes(wrong)))


@kinds
def test_every_changed_byte(kind: KeyKind) -> None:
    found = tree(kind)
    for at in range(len(found.leaf.der)):
        wrong = bytearray(found.leaf.der)
        wrong[at] ^= 0x01
        with pytest.raises(Refused):
            _judge(read_certificate(bytes(wrong)), kind)


def test_malformed_der() -> None:
    good = EC.leaf.der
    indefinite = b"\x30\x80" + good[4:] + b"\x00\x00"
    long_length = b"\x30\x83\x00" + good[2:]
    for wrong in (
        b"",
        good[:-1],
        good + b"\x00",
        indefinite,
        long_length,
        b"\x30" * 60000,
        bytes(70000),
        b"\x30\x00",
    ):
        with pytest.raises(Refused):
            read_certificate(wrong)


def test_malformed_der_inside_an_extension() -> None:
    """The value of an extension is an octet string, where a lenient outer parser does not look."""

    body = x509.Certificate.load(EC.leaf.der)["tbs_certificate"].dump()
    key_usage, loose = bytes.fromhex("03020780"), bytes.fromhex("03020781")  # an unused bit is set
    assert body.count(key_usage) == 1
    wrong = x509.TbsCertificate.load(body.replace(key_usage, loose))
    with pytest.raises(Refused, match="unused bits"):
        read_certificate(sign_body(wrong, signer(KeyKind.ECDSA, 2)))


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_as_a_certificate(raw: bytes) -> None:
    with pytest.raises(Refused):
        read_certificate(raw)


def test_unknown_critical_extension_and_one_twice() -> None:
    def unknown(body: Any) -> None:
        value = core.ParsableOctetString(core.Null().dump())
        body["extensions"].append({"extn_id": "1.2.3.4", "critical": True, "extn_value": value})

    def twice(body: Any) -> None:
        body["extensions"].append(body["extensions"][0].copy())

    for change, why in ((unknown, "critical and unknown"), (twice, "comes twice")):
        with pytest.raises(Refused, match=why):
            read_certificate(_signed_again(EC.leaf.der, change))


def test_two_organisation_codes() -> None:
    def other(body: Any) -> None:
        for extension in body["extensions"]:
            if extension["extn_id"].native == "1.2.156.10260.4.1.4":
                value = core.PrintableString("911000001000013428").dump()
                extension["extn_value"] = core.ParsableOctetString(value)

    with pytest.raises(Refused, match="two organisations"):
        read_certificate(_signed_again(EC.leaf.der, other))


@pytest.mark.parametrize("at", [START - dt.timedelta(seconds=1), END + dt.timedelta(seconds=1)])
def test_not_yet_valid_or_expired(at: dt.datetime) -> None:
    with pytest.raises(Refused, match="not valid at this time"):
        _judge(EC.leaf, at=at)


@pytest.mark.parametrize("place", ["issuing", "root"])
def test_expired_authority(place: str) -> None:
    early = NOW - dt.timedelta(days=1)
    root, issuing = EC.root, EC.issuing
    if place == "root":
        root = read_certificate(
            build_certificate(replace(root_plan(KeyKind.ECDSA), not_after=early), signer(KeyKind.ECDSA, 1))
        )
    else:
        wanted = replace(issuing_plan(KeyKind.ECDSA), not_after=early)
        issuing = read_certificate(build_certificate(wanted, signer(KeyKind.ECDSA, 1), EC.root))
    with pytest.raises(Refused, match="not valid at this time"):
        check_path(EC.leaf, [issuing], Trust(anchors=(root,)), NOW, usage=KeyUsage.SIGNATURE)


def test_wrong_key_usage() -> None:
    with pytest.raises(Refused, match="not for key_encipherment"):
        _judge(EC.leaf, usage=KeyUsage.KEY_ENCIPHERMENT)
    with pytest.raises(Refused, match="not for ocsp_signing"):
        _judge(EC.leaf, purpose=Purpose.OCSP)
    with pytest.raises(Refused, match=r"does not name 'other\.sz\.example'"):
        _judge(EC.leaf, dns_name="other.sz.example")


def _under_leaf(usages: frozenset[KeyUsage], path_length: int | None) -> tuple[Certificate, Certificate]:
    """(a certificate that the terminal's key signed, the terminal's certificate with these rights)."""
    kind = KeyKind.ECDSA
    wanted = replace(plan(3, kind, "终端一"), usages=usages, path_length=path_length, dns_names=())
    middle = read_certificate(build_certificate(wanted, signer(kind, 1), EC.root))
    return read_certificate(build_certificate(plan(6, kind, "x"), signer(kind, 3), middle)), middle


@pytest.mark.parametrize(
    ("usages", "path_length"),
    [
        (frozenset({KeyUsage.SIGNATURE}), None),
        (frozenset({KeyUsage.CERTIFICATES}), None),  # the usage without the basic constraint
        (frozenset({KeyUsage.CRLS}), 0),  # the basic constraint without the usage
    ],
)
def test_holder_plays_authority(usages: frozenset[KeyUsage], path_length: int | None) -> None:
    leaf, middle = _under_leaf(usages, path_length)
    with pytest.raises(Refused, match="it is no authority"):
        _judge(leaf, authorities=[middle])


def test_authority_below_one_that_may_have_none() -> None:
    kind = KeyKind.ECDSA
    wanted = replace(issuing_plan(kind), serial=7, public_der=signer(kind, 3).public_der, constraints=None)
    wanted = replace(wanted, subject=Subject(common_name="below", organisation=CITY, organisation_code=CODE))
    below = EC.issue(wanted)
    leaf = read_certificate(build_certificate(plan(6, kind, "x"), signer(kind, 3), below))
    with pytest.raises(Refused, match="more than 0 authorities"):
        _judge(leaf, authorities=[below, EC.issuing])


@pytest.mark.parametrize(
    "dns",
    ["gz.example", "evilsz.example", "sz.example.evil", "bad.sz.example", "x.bad.sz.example", "example"],
)
def test_dns_name_outside_the_constraints(dns: str) -> None:
    leaf = EC.issue(replace(plan(6, KeyKind.ECDSA, "x"), dns_names=(dns,)))
    with pytest.raises(Refused, match="may not serve"):
        _judge(leaf)


@pytest.mark.parametrize("organisation", ["广州羊城通", CITY + "二", CITY[:-1]])
def test_organisation_outside_the_constraints(organisation: str) -> None:
    leaf = EC.issue(
        replace(plan(6, KeyKind.ECDSA, "x"), subject=Subject(common_name="x", organisation=organisation))
    )
    with pytest.raises(Refused, match="may not serve"):
        _judge(leaf)


def test_organisation_in_another_place_of_the_name() -> None:
    leaf = EC.issue(replace(plan(6, KeyKind.ECDSA, "x"), subject=Subject(common_name=CITY)))
    with pytest.raises(Refused, match="may not serve"):
        _judge(leaf)


def test_alternative_name_of_another_kind() -> None:
    """An address or a mailbox would slip past constraints that speak of DNS names alone."""

    def mailbox(body: Any) -> None:
        for extension in body["extensions"]:
            if extension["extn_id"].native == "subject_alt_name":
                names = [x509.GeneralName(name="rfc822_name", value="root@sz.example")]
                extension["extn_value"] = core.ParsableOctetString(x509.GeneralNames(names).dump())

    with pytest.raises(Refused, match="another kind than DNS"):
        _judge(read_certificate(_signed_again(EC.leaf.der, mailbox)))


def test_constraints_that_are_not_understood() -> None:
    """An authority constrained in a way that is not judged here is refused, not waved through."""
    wanted = replace(issuing_plan(KeyKind.ECDSA), constraints=Constraints(excluded_dns=("x.example",)))
    der = build_certificate(wanted, signer(KeyKind.ECDSA, 1), EC.root)

    def addresses(body: Any) -> None:
        for extension in body["extensions"]:
            if extension["extn_id"].native == "name_constraints":
                tree_of = {"base": x509.GeneralName(name="rfc822_name", value="sz.example")}
                rule = x509.NameConstraints({"excluded_subtrees": [tree_of]})
                extension["extn_value"] = core.ParsableOctetString(rule.dump())

    with pytest.raises(Refused, match="a tree of rfc822_name"):
        read_certificate(_signed_again(der, addresses))


def test_self_made_root() -> None:
    kind = KeyKind.ECDSA
    forged = read_certificate(
        build_certificate(replace(root_plan(kind), public_der=signer(kind, 9).public_der), signer(kind, 9))
    )
    leaf = read_certificate(build_certificate(plan(6, kind, "x"), signer(kind, 9), forged))
    with pytest.raises(Refused):
        _judge(leaf, authorities=[forged])
    with pytest.raises(Refused):
        _judge(forged, authorities=[forged], usage=KeyUsage.CERTIFICATES, purpose=None)


def test_path_in_a_circle_or_without_end() -> None:
    kind = KeyKind.ECDSA
    names = [Subject(common_name=f"ring {number}", organisation="金卡") for number in range(DEPTH_MAX + 2)]
    first = _ring(kind, names[0], names[1])
    second = _ring(kind, names[1], names[0])
    leaf = read_certificate(build_certificate(plan(6, kind, "x"), signer(kind, 9), second))
    with pytest.raises(Refused, match="in a circle"):
        _judge(leaf, authorities=[first, second])
    row = [_ring(kind, below, above) for below, above in pairwise(names)]
    leaf = read_certificate(build_certificate(plan(6, kind, "x"), signer(kind, 9), row[0]))
    with pytest.raises(Refused, match="more than 6"):
        _judge(leaf, authorities=row)
    with pytest.raises(Refused, match="17 certificates"):
        _judge(EC.leaf, authorities=[EC.issuing] * 17)


def _ring(kind: KeyKind, own: Subject, above: Subject) -> Certificate:
    """An authority certified by another of the same key, each by the next."""
    maker = signer(kind, 9)
    base = replace(root_plan(kind), public_der=maker.public_der, path_length=9)
    issuer = read_certificate(build_certificate(replace(base, subject=above), maker))
    return read_certificate(build_certificate(replace(base, subject=own, serial=8), maker, issuer))


def test_names_that_are_no_dns_names() -> None:
    for name in (
        "*.sz.example",
        "SZ.example",
        "a..b",
        "a_b",
        "a\x00.sz.example",
        "深圳.example",
        "-a",
        "a" * 64,
        "",
    ):
        wanted: CertificatePlan = replace(plan(6, KeyKind.ECDSA, "x"), dns_names=(name,))
        with pytest.raises(Usage, match="not a DNS name"):
            EC.issue(wanted)
