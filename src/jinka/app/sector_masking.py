"""What players print of a person: a name's first character, a number's last four; the card and the rules see it all.

A third party's journey may be played on cards of real people, and pages are kept for years. Personal is what
`RecordSpec.personal` names on a card, what a field of a base record says of itself, and the name of whoever holds a
card (`JourneyCard.holder`) or a certificate of his own or of his post. A player shows a record's value by its kind
(`shown_value`); besides, whatever a journey says at all, failures included, goes through `Masks`, which hides every
personal value that the journey puts anywhere: a card's title, the subject of a certificate. Who is hidden in one
language is hidden in the other: "Li Ming's card" is known by its Chinese title. Names of companies are printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from jinka.codec.fields import decode_field
from jinka.declaration import Certify, Journey, JourneyCard, Keep, OpenFolder, Reads, Step, Write
from jinka.identity.base_records import Catalogue, FieldType
from jinka.kit import JinkaError
from jinka.profile.records import RecordSpec
from jinka.profile.spec import PersonalDatum
from jinka.reports.day import Text

_SHOWN = 4  # of a number, as on receipts; never more than half of it
_EMPTY = frozenset({"", "-"})
_LEAST = 4  # characters of a number that can be told from any other in a text
_OPEN = frozenset({FieldType.WORD, FieldType.REFERENCE, FieldType.COUNT, FieldType.DIVISION})
_OWNER = re.compile(r"([A-Z][a-z]+) ([A-Z][a-z]+)(?='s )")  # Li Ming's card
_HEAD = 2  # bytes of an example before its value: number, length


def masked_name(name: str) -> str:
    """The first character."""
    return name[:1] + "*" * (len(name) - 1)


def masked_number(number: str) -> str:
    """The last four, or as many as are half of it."""
    if number in _EMPTY:
        return number
    shown = min(_SHOWN, len(number) // 2)
    return "*" * (len(number) - shown) + number[len(number) - shown :]


def shown_value(spec: RecordSpec, value: str) -> str:
    """A record's value as it may be printed."""
    match spec.personal:
        case None | PersonalDatum.HOLDER_CLASS | PersonalDatum.SENSITIVE:
            return value
        case PersonalDatum.NAME:  # and what goes with it: a day of birth, a sex
            return masked_name(value) if not value[:1].isdigit() else "*" * len(value)
        case _:
            return masked_number(value)


class Masks:
    """The personal values of a sector's journeys, and what is printed for each."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(sorted(values.items(), key=lambda row: -len(row[0])))

    @classmethod
    def of(
        cls,
        journeys: Iterable[Journey],
        specs: Callable[[str], tuple[RecordSpec, ...]],
        application_of: Callable[[str], str],
        catalogue: Catalogue,
    ) -> Masks:
        """Those that cards start with, steps write or read, departments keep, and examples show."""
        found: dict[str, str] = {}
        told = list(journeys)
        for application, values in _on_cards(told, application_of):
            for spec in specs(application):
                if spec.personal is None:
                    continue
                example = decode_field(spec.coding, spec.example[_HEAD:]) if spec.example else ""
                for value in (values.get(spec.name, ""), example):
                    if shown_value(spec, value) != value and _is_telling(value):
                        found[value] = shown_value(spec, value)
        for step in _steps(told):
            if isinstance(step, Keep):
                found |= _kept(step, catalogue)
            elif isinstance(step, Certify) and (step.post or not step.organisation):
                found[step.holder] = masked_name(step.holder)
        cards = [card for journey in told for card in journey.cards]
        found |= {card.holder: masked_name(card.holder) for card in cards if not card.holder.isascii()}
        for card in cards:
            found |= _in_english(card, found)
        plates = {value[1:]: shown[1:] for value, shown in found.items()
                  if value[1:].isascii() and not value[0].isascii() and _is_telling(value[1:])}  # fmt: skip
        return cls({**plates, **found})

    def hide(self, text: str) -> str:
        """A text without any of them."""
        for value, shown in self._values.items():
            text = text.replace(value, shown)
        return text

    def text(self, said: Text) -> Text:
        return Text(self.hide(said.en), self.hide(said.zh))


def _steps(journeys: Iterable[Journey]) -> Iterator[Step]:
    for journey in journeys:
        yield from journey.steps


def _on_cards(
    journeys: list[Journey], application_of: Callable[[str], str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for journey in journeys:
        for card in journey.cards:
            yield from ((start.application, start.records) for start in card.starts)
    for step in _steps(journeys):
        if isinstance(step, Write | Reads | OpenFolder):
            try:
                application = getattr(step, "application", "") or application_of(step.device)
            except JinkaError:  # the step itself will say so
                continue
            yield from ((application, values) for values in _told(step))


def _told(step: Step) -> Iterator[Mapping[str, str]]:
    for name in ("values", "reads", "writes"):
        yield getattr(step, name, {})


def _kept(step: Keep, catalogue: Catalogue) -> dict[str, str]:
    kind = catalogue.kinds.get(step.kind)
    found = {}
    for name, value in step.values.items():
        field = kind.by_name.get(name) if kind else None
        if field is None or not field.personal or field.type in _OPEN or not _is_telling(value):
            continue
        is_name = field.type is FieldType.TEXT and not value[:1].isdigit()
        found[value] = masked_name(value) if is_name else masked_number(value)
    return found


def _in_english(card: JourneyCard, found: Mapping[str, str]) -> dict[str, str]:
    """The English name of a holder whose Chinese one is hidden, and both parts as one word, as records have it."""
    owner = _OWNER.match(card.title_en)
    if owner is None or not any(name in card.title_zh for name in found if not name.isascii()):
        return {}
    family, given = owner.groups()
    joined, shown = family + given.lower(), family + "*" * len(given)
    return {owner[0]: f"{family} {'*' * len(given)}", joined: shown, joined.lower(): shown.lower()}


def _is_telling(value: str) -> bool:
    """Whether it can be told from other words of a text: ``1`` cannot, and ``=name`` is no value."""
    if value.startswith(("=", "@")) or value in _EMPTY:
        return False
    return len(value) >= _LEAST if value.isascii() else len(value) > 1
