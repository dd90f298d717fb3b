"""Card templates: thousands of cards that share what is equal and keep what differs.

A template is one card, personalised through real APDUs with empty data. `CardTemplate.clone` patches the places where
cards differ; a test proves that the bytes equal those of a card that saw nothing but APDUs. How a card is kept without
power: `jinka.card.image`.
"""

from __future__ import annotations

from dataclasses import dataclass

from jinka.card.cos import CardOs
from jinka.card.files import BY_ITSELF, COUNTING, FILE_HEAD, KEY_HEAD, KEY_X, WITH_ALL, blank_memory
from jinka.card.image import CardImage, ImageBase, difference
from jinka.card.nvm import Nvm
from jinka.card.personalise import Personal, holder_data, key_version, public_data, purse_start, script
from jinka.kit import JinkaError, Randomness, Usage
from jinka.profile import ApplicationProfile, KeySpec, KeyUse


class _NoRandomness:
    """Personalisation draws nothing; asking for randomness is a programmer's error."""

    def token_bytes(self, count: int) -> bytes:
        raise AssertionError(f"personalisation asked for {count} random bytes")


class Card(CardOs):
    """A card of a template."""

    __slots__ = ("template",)

    def __init__(self, nvm: Nvm, randomness: Randomness, template: ImageBase | None = None) -> None:
        self.template = template
        super().__init__(nvm, randomness, template.directory if template is not None else None)

    @classmethod
    def blank(cls, randomness: Randomness) -> Card:
        """A card as it leaves the factory."""
        return cls(Nvm(blank_memory()), randomness)

    @classmethod
    def from_image(cls, image: CardImage, randomness: Randomness) -> Card:
        """Give an image power; a transaction that was cut is finished or dropped now."""
        nvm = Nvm(image.memory(), journal=image.journal)
        card = cls.__new__(cls)
        card.template = image.template
        CardOs.__init__(card, nvm, randomness, None if image.own_directory else image.template.directory)
        return card

    def to_image(self) -> CardImage:
        """The card without power. Raises `Usage` for a card that no template made."""
        if self.template is None:
            raise Usage("the card has no template", where="image", fix="make a CardTemplate of its profile")
        memory = self.nvm.memory
        return CardImage(
            template=self.template,
            length=len(memory),
            overlay=difference(self.template.memory, memory),
            journal=bytes(self.nvm.journal),
            own_directory=self._directory is not self.template.directory,
        )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where cards of one template differ; offsets in memory."""

    keys: tuple[int, ...]
    public: int
    holder: int
    holder_size: int
    purse: int
    ride: int
    ride_size: int


class CardTemplate(ImageBase):
    """A personalised card without a person. Templates of equal profile and algorithm have the same id."""

    __slots__ = ("_places", "profile")

    def __init__(self, profile: ApplicationProfile) -> None:
        empty = Personal(card_no=bytes(10), keys=tuple(bytes(_key_size(key)) for key in profile.keys))
        card = personalised(profile, empty, _NoRandomness())
        super().__init__(profile.name, profile.version, bytes(card.nvm.memory))
        self.profile = profile
        self._places = self._find_places()

    def _find_places(self) -> _Places | None:
        """None for an application without the files of JR/T 0025.2: its cards are personalised by APDUs."""
        folder = self.directory.named(self.profile.aid)
        assert folder is not None, "the script creates it"
        if self.profile.purse is None or not {0x0015, 0x0016} <= folder.children.keys():
            return None
        key_file = folder.children[0x0000]
        ride = folder.children.get(0x001A)
        return _Places(
            keys=tuple(key_file.keys[(key.use, key.kid)] for key in self.profile.keys),
            public=folder.children[0x0015].at,
            holder=folder.children[0x0016].at,
            holder_size=folder.children[0x0016].size,
            purse=folder.children[self.profile.purse_spec.fid].at,
            ride=ride.at + 4 if ride is not None else 0,
            ride_size=ride.size - 4 if ride is not None else 0,
        )

    def earlier(self) -> ImageBase | None:
        """The base of this application's cards up to image version 3, when each folder's quota was for itself alone.

        None for an application without folders below its own: its cards are what they were.
        """
        memory = bytearray(self.memory)
        for folder in self.directory.folders.values():
            above = folder
            while above.a2 == WITH_ALL and above.parent is not None:
                above = above.parent
                quota = slice(above.header + 13, above.header + 15)
                own = sum(FILE_HEAD + child.size for child in folder.children.values())
                memory[quota] = (int.from_bytes(memory[quota], "big") - own).to_bytes(2, "big")
            memory[folder.header + COUNTING] = BY_ITSELF
        return (
            None
            if memory == self.memory
            else ImageBase(self.profile.name, self.profile.version, bytes(memory))
        )

    def clone(self, personal: Personal) -> CardImage:
        """One more card; a purse without its 20 APDUs."""
        profile, places = self.profile, self._places
        if places is None:
            return self._by_apdus(personal)
        memory = bytearray(self.memory)
        if len(personal.card_no) != 10 or len(personal.issuer) != 8:
            raise Usage("a card number has 10 bytes, an issuer 8", where="personal data")
        if personal.ride_record and len(personal.ride_record) != places.ride_size:
            raise Usage(f"a ride record has {places.ride_size} bytes", where="personal data")
        for key, at, raw in zip(profile.keys, places.keys, personal.keys, strict=True):
            if key.initial:
                continue
            if len(raw) != 16:
                raise Usage("a key has 16 bytes", where="personal data")
            memory[at + KEY_HEAD : at + KEY_HEAD + 16] = raw
            if key.use is KeyUse.TAC:
                memory[at + KEY_X] = key_version(key, personal)
        memory[places.public : places.public + 30] = public_data(profile, personal)
        holder = holder_data(personal, places.holder_size)
        memory[places.holder : places.holder + places.holder_size] = holder
        memory[places.purse : places.purse + 8] = purse_start(personal)
        if personal.ride_record:
            memory[places.ride : places.ride + places.ride_size] = personal.ride_record
        return CardImage(template=self, length=len(memory), overlay=difference(self.memory, memory))

    def _by_apdus(self, personal: Personal) -> CardImage:
        memory = personalised(self.profile, personal, _NoRandomness()).nvm.memory
        keys = zip(self.profile.keys, personal.keys, strict=True)
        moved = any(len(raw) != _key_size(key) for key, raw in keys)  # the keys after it lie elsewhere
        return CardImage(
            template=self,
            length=len(memory),
            overlay=difference(self.memory, memory),
            own_directory=moved,
        )


def _key_size(key: KeySpec) -> int:
    """What a template reserves: a PIN has at most 8 bytes, and so has a code (no derived key) that unblocks one."""
    code = key.use is KeyUse.PIN_UNBLOCK and not key.service_purpose
    return 8 if code or key.use is KeyUse.PIN else 16


def personalised(profile: ApplicationProfile, personal: Personal, randomness: Randomness) -> Card:
    """A card that saw every APDU of the script; `JinkaError` names the first that it refused."""
    card = Card.blank(randomness)
    for number, command in enumerate(script(profile, personal)):
        answer = card.transmit(command)
        if answer[-2:] != b"\x90\x00":
            raise JinkaError(
                f"SW {answer[-2:].hex().upper()}",
                where=f"{profile.name}, command {number}: {command[:5].hex().upper()}..",
                fix="correct the profile",
            )
    return card
