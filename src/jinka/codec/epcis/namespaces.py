"""Which namespaces the extensions of an event use, for writers that have to declare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jinka.codec.epcis.model import Event, Extension, Extensions


def event_extensions(event: Event) -> Iterator[Extension]:
    """Every tree of an event, wherever it hangs."""
    yield from event.extensions
    yield from event.ilmd
    for place in (event.read_point, event.biz_location):
        if place is not None:
            yield from place.extensions
    if event.error is not None:
        yield from event.error.extensions
    for sensor in event.sensors:
        yield from sensor.extensions
        if sensor.metadata is not None:
            yield from sensor.metadata.extensions
        for report in sensor.reports:
            yield from report.extensions


def names_of(trees: Iterable[Extension]) -> tuple[set[str], set[str]]:
    """The namespaces within trees, and the names that stand there without one."""
    namespaces, bare, todo = set[str](), set[str](), list(trees)
    while todo:
        tree = todo.pop()
        if tree.namespace:
            namespaces.add(tree.namespace)
        else:
            bare.add(tree.name)
        todo += tree.children
    return namespaces, bare


def grouped(extensions: Extensions) -> dict[tuple[str, str], list[Extension]]:
    """Siblings by name, in the order of their first."""
    found = dict[tuple[str, str], list[Extension]]()
    for one in extensions:
        found.setdefault((one.namespace, one.name), []).append(one)
    return found
