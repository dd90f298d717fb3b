"""Several ways from a certificate to an anchor: cross-certificates. Goal: the right one is found, no flood followed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.crypto.x509_build import build_certificate
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_fields import KeyUsage
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_path import DEPTH_MAX, Trust, check_path
from jinka.kit import Refused
from tests.crypto.x509_rig import NOW, issuing_plan, root_plan, signer, tree

KIND = KeyKind.ECDSA


def _other_root(name: str = "别省根") -> Certificate:
    plan = root_plan(KIND)
    own = replace(
        plan, subject=replace(plan.subject, common_name=name), public_der=signer(KIND, 8).public_der
    )
    return read_certificate(build_certificate(own, signer(KIND, 8)))


def _cross(root: Certificate, serial: int) -> Certificate:
    """The issuing authority's key and name, certified by another root."""
    return read_certificate(
        build_certificate(replace(issuing_plan(KIND), serial=serial), signer(KIND, 8), root)
    )


def test_each_way_up_is_tried() -> None:
    found, root = tree(KIND), _other_root()
    cross = _cross(root, 99)
    for sent in ([found.issuing, cross], [cross, found.issuing]):
        path = check_path(found.leaf, sent, Trust(anchors=(root,)), NOW, usage=KeyUsage.SIGNATURE)
        assert path == (found.leaf, cross, root)
        path = check_path(found.leaf, sent, Trust(anchors=(found.root,)), NOW, usage=KeyUsage.SIGNATURE)
        assert path == (found.leaf, found.issuing, found.root)


def test_a_flood_of_ways_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen authorities that certify one another in all directions: the signatures checked stay few."""
    found, root = tree(KIND), _other_root()
    checked: list[Certificate] = []
    real = Certificate.require_signed_by

    def counted(child: Certificate, parent: Certificate) -> None:
        checked.append(child)
        real(child, parent)

    monkeypatch.setattr(Certificate, "require_signed_by", counted)
    plan = replace(issuing_plan(KIND), path_length=DEPTH_MAX, constraints=None)
    loops = [
        read_certificate(build_certificate(replace(plan, serial=100 + n), signer(KIND, 2), found.issuing))
        for n in range(16)
    ]
    with pytest.raises(Refused):
        check_path(found.leaf, loops, Trust(anchors=(root,)), NOW, usage=KeyUsage.SIGNATURE)
    assert len(checked) <= 64
