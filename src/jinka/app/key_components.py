"""Components of a key between two parties: drawn for custodians here, or brought by them, and added up in a ceremony.

Each component lies at its custodian's place and nowhere else, as a file and as a form. What is brought is read from
those places, or typed from the forms; the check value of the sum has to be confirmed before the key is taken.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jinka.app.key_folder import Ask, Place
from jinka.keys import KeyName
from jinka.keys.components import Component, combine, draw_components
from jinka.kit import Randomness, Refused, Usage
from jinka.node import file_errors, write_durable
from jinka.node.system import SystemRandomness
from jinka.reports.key_forms import component_form


def hand_out_components(
    name: KeyName,
    places: Sequence[Place],
    *,
    issuer: str,
    date: str,
    simulated: bool = False,
    randomness: Randomness | None = None,
) -> str:
    """Draw a component for each custodian and write it with its forms to that person's place; returns the check value
    of the key, which as a whole is nowhere.
    """
    custodians = tuple(place.custodian for place in places)
    components = draw_components(name, custodians, randomness or SystemRandomness())
    taken = next((place for place in places if component_file(place, name).exists()), None)
    if taken is not None:
        raise Refused("a component lies there already", where=str(taken.path), fix="take another version")
    for place, component in zip(places, components, strict=True):
        path = component_file(place, name)
        form = component_form(component, issuer=issuer, date=date, simulated=simulated)
        body = json.dumps(component.as_dict(), indent=2).encode() + b"\n"
        with file_errors(path):
            write_durable(path, body, private=True)
            write_durable(path.with_suffix(".txt"), form.as_text().encode(), private=True)
            write_durable(path.with_suffix(".html"), form.as_html().encode(), private=True)
    return components[0].key_check


def take_components(name: KeyName, places: Sequence[Place], *, check: str, ask: Ask | None = None) -> bytes:
    """Add up what custodians bring or type; ``check`` is the check value that they were told. Raises `Refused`."""
    if not check:
        raise Usage("the check value of the key is not confirmed", where="--check", fix="read it from a form")
    return combine([_component(name, place, ask) for place in places], key=name, check=check)


def component_file(place: Place, name: KeyName) -> Path:
    """Where a custodian's component of a key lies."""
    return place.path / f"component-{str(name).replace('/', '-')}.json"


def _component(name: KeyName, place: Place, ask: Ask | None) -> Component:
    path = component_file(place, name)
    if ask is not None and not path.exists():
        line = ask(f"{place.custodian}, type the line of your component of {name}: ")
        return Component.from_typed(line, key=name, custodian=place.custodian)
    with file_errors(path):
        raw = path.read_bytes()
    try:
        found = Component.from_dict(json.loads(raw))
    except (ValueError, RecursionError):
        raise Refused("not a component of a key", where=str(path), fix="bring the custodian's file") from None
    if found.custodian != place.custodian:
        raise Refused(f"the component of {found.custodian}, not of {place.custodian}", where=str(path))
    return found
