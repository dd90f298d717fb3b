"""Cards and security modules as files: opened, made fresh for a test, and written back when their memory changed.

A file holds one image (`JCI`, a card; `JSI`, a PSAM), plain or sealed by a key service. Fresh cards are made under
test keys that follow from a fixed seed: everybody has them, so nothing that they protect is worth anything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jinka.app.keyring import open_keys
from jinka.app.workspace import Workspace
from jinka.card import Card, CardImage, CardTemplate, Psam, SamKey, make_psam
from jinka.card.domains import with_issuer_domain
from jinka.card.emv_template import EmvTemplate
from jinka.card.files import blank_memory
from jinka.card.image import ImageBase
from jinka.codec import Algorithm
from jinka.crypto.scp import KeyFamily, KeySet
from jinka.keys import Purpose, SoftKeyService, hold_ceremony
from jinka.kit import JinkaError, NotFound, Randomness, Refused, Usage
from jinka.node import write_durable
from jinka.node.system import SystemRandomness
from jinka.profile import ApplicationProfile
from jinka.sectors import PROFILES, bank
from jinka.sim.randomness import SeededRandomness

TEST_REGION = "440300"
TEST_ISSUER = "issuer.test"
TEST_NUMBER = "5180000000012345"
ISSUER_NUMBER = bytes.fromhex("4403000000000001")
TEST_TERMINAL = bytes.fromhex("440300000001")
BANK_ENTRY = (bank.AID_DEBIT, bank.SPEC.label, bank.SPEC.priority)  # as the payment environments name it
_SEALED = b"JCS\x01"  # magic 3 | version 1 | length of the context 1 | context | blob of the key service
_CARD, _PSAM = b"JCI", b"JSI"
_NEEDED = 2


def declared_profiles() -> dict[str, ApplicationProfile]:
    """Every application that a sector declares, by its name."""
    return {profile.name: profile for profile in sorted(PROFILES, key=lambda profile: profile.name)}


def profile_named(name: str, algorithm: Algorithm = Algorithm.TDES) -> ApplicationProfile:
    """The declared application of this name, with its keys in ``algorithm``; `NotFound` lists the names."""
    profile = declared_profiles().get(name)
    if profile is None:
        raise NotFound(
            f"no application {name!r}", where="--profile", fix=f"one of {', '.join(declared_profiles())}"
        )
    return profile.with_algorithm(algorithm) if algorithm is not Algorithm.TDES else profile


def known_templates() -> Iterator[ImageBase]:
    """The templates of the declared applications in both algorithms, made one by one as they are asked for."""
    for profile in declared_profiles().values():
        for algorithm in Algorithm:
            with suppress(JinkaError):  # some applications have their keys in one algorithm alone
                template = template_of(profile, algorithm)
                yield template
                if (earlier := template.earlier()) is not None:  # of images up to version 3
                    yield earlier
    for algorithm in Algorithm:
        yield bank_template(algorithm)
    yield domain_base()


@functools.cache
def bank_template(algorithm: Algorithm) -> EmvTemplate:
    """A whole bank card, with both payment environments: what bank cards are issued as."""
    return EmvTemplate(profile_named(bank.PROFILE.name, algorithm), bank.ENVIRONMENT, [BANK_ENTRY])


@functools.cache
def domain_base() -> ImageBase:
    """What images of cards with security domains differ from: a card as its maker delivers it, without its keys."""
    zeros = KeySet(version=1, family=KeyFamily.AES, enc=bytes(16), mac=bytes(16), dek=bytes(16))
    return ImageBase.of_specimen("jinka.domains", 1, domain_memory(zeros))


def domain_memory(keys: KeySet) -> bytes:
    """The memory of a card with an issuer domain under these keys and nothing else."""
    return with_issuer_domain(blank_memory(), keys)


def template_of(profile: ApplicationProfile, algorithm: Algorithm) -> CardTemplate:
    """The template of a declared application, made once; `Usage` when its keys cannot be in this algorithm."""
    try:
        return _template(profile.name, algorithm)
    except JinkaError as refused:
        if algorithm is Algorithm.TDES:
            raise
        raise Usage(
            f"the keys of this application are not {algorithm.name}", where=profile.name, fix="leave it out"
        ) from refused


@functools.cache
def _template(name: str, algorithm: Algorithm) -> CardTemplate:
    return CardTemplate(profile_named(name, algorithm))


@dataclass(slots=True)
class CardFile:
    """A chip and the file that it came from and goes back to; ``path`` None keeps it in memory alone."""

    chip: Card | Psam
    path: Path | None = None
    keys: SoftKeyService | None = None  # of a sealed file
    context: str = ""
    _written: bytes = b""

    def save(self) -> None:
        """Write the file when the chip's memory changed since; durable before it returns."""
        if self.path is None:
            return
        raw = _image_bytes(self.chip)
        if raw == self._written:
            return
        write_durable(self.path, self._sealed(raw), private=True)
        self._written = raw

    def seal(self, keys: SoftKeyService, context: str) -> None:
        """Write the file sealed from now on; one that is sealed already keeps its context."""
        if self.keys is None:
            self.keys, self.context, self._written = keys, context, b""

    def _sealed(self, raw: bytes) -> bytes:
        return raw if self.keys is None else sealed_file(raw, self.context, self.keys)


def sealed_file(raw: bytes, context: str, keys: SoftKeyService) -> bytes:
    """The bytes of a sealed card file; the context stands in the clear and is authenticated."""
    name = context.encode()
    return _SEALED + bytes((len(name),)) + name + keys.seal_image(raw, context=context)


def write_sealed(path: Path, raw: bytes, context: str, keys: SoftKeyService) -> None:
    """Write a sealed file durably, after what the key service's audit log says of it."""
    sealed = sealed_file(raw, context, keys)
    keys.commit()
    write_durable(path, sealed, private=True)


def open_card(path: Path, keys: SoftKeyService | None = None) -> CardFile:
    """Give the image in a file power; raises `NotFound`, `Refused` (the seal) and `ImageError`."""
    raw, context = read_opened(path, keys)
    chip = _chip(raw, str(path))
    return CardFile(chip, path, keys if context else None, context, _image_bytes(chip))


def read_opened(path: Path, keys: SoftKeyService | None = None) -> tuple[bytes, str]:
    """A file's bytes without the seal, and the context that it was sealed for; empty for a plain file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise NotFound("no such file", where=str(path), fix="check the name") from None
    except OSError as problem:
        raise Usage(f"cannot be read: {problem.strerror}", where=str(path)) from None
    if raw[: len(_SEALED)] != _SEALED:
        return raw, ""
    if keys is None:
        raise Refused("the file is sealed", where=str(path), fix="name the key folder with --keys")
    size = raw[len(_SEALED)] if len(raw) > len(_SEALED) else 0
    head = len(_SEALED) + 1
    context = raw[head : head + size].decode("utf-8", "replace")
    return keys.open_image(raw[head + size :], context=context), context


def _chip(raw: bytes, where: str) -> Card | Psam:
    if raw[:3] == _PSAM:
        return Psam.from_bytes(raw, SystemRandomness())
    if raw[:3] != _CARD:
        raise Usage("not a card image", where=where, fix="a file that jinka issue or jinka card vpcd wrote")
    last: JinkaError | None = None
    for template in known_templates():
        try:
            image = CardImage.from_bytes(raw, {template.id: template})
        except JinkaError as error:
            last = error
            continue
        return Card.from_image(image, SystemRandomness())
    raise Usage(
        "an image of no application that this version declares", where=where, fix="see jinka card tree"
    ) from last


def _image_bytes(chip: Card | Psam) -> bytes:
    return chip.to_image().to_bytes() if isinstance(chip, Card) else chip.to_bytes()


@functools.cache
def make_test_keys() -> SoftKeyService:
    """The key service of the test cards, the same on every machine."""
    ceremony = hold_ceremony(
        issuer=TEST_ISSUER,
        date="2018-09-01",
        custodians=("test-1", "test-2", "test-3"),
        randomness=SeededRandomness("jinka test cards"),
        simulated=True,
    )
    return SoftKeyService.open(ceremony.sealed, list(ceremony.shares[:_NEEDED]), region=TEST_REGION)


def fresh_psam(algorithm: Algorithm = Algorithm.TDES, randomness: Randomness | None = None) -> Psam:
    """A security module with the test purchase keys, versions 1 to 3."""
    keys, randomness = make_test_keys(), randomness or SystemRandomness()
    return make_psam(
        terminal_id=TEST_TERMINAL,
        psam_id=TEST_TERMINAL.rjust(10, b"\x01"),
        keys=[
            SamKey(
                version=version,
                algorithm=algorithm,
                level=2,
                key=keys.sam_key(Purpose.PURCHASE, algorithm=algorithm, version=version),
            )
            for version in (1, 2, 3)
        ],
        transport_key=randomness.token_bytes(16),
        randomness=randomness,
    )


def open_key_folder(folder: Path, region: str = TEST_REGION) -> SoftKeyService:
    """The key service whose store and shares lie in a folder of `jinka issue` or `jinka day`."""
    return open_keys(Workspace(folder), region)
