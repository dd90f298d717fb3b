"""Which cells of a table are too small to be shown: primary and secondary suppression.

A count of a few is about persons who may be known. Such a cell is hidden; and since a hidden cell may follow from the
totals and from the cells beside it, the hidden ones under one total are never alone and come to at least the same
minimum together, and totals go until no combination of what is shown gives a small cell away. Each table is protected
in itself: two tables that are laid beside each other are not looked at together, and that a cell lies within bounds may
follow from what is shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

_AUDITED_MAX = 400  # hidden cells; beyond that all totals go, and nothing follows from none


def suppressed(
    counts: Sequence[int], totals: Sequence[Sequence[Hashable]], minimum: int
) -> tuple[frozenset[int], frozenset[Hashable]]:
    """The cells and the totals to hide. ``totals`` names, for each cell, the sums that are shown and hold it.

    The smallest cells go first, ties by their place. A total that hides cells and has no other to hide is hidden.
    """
    members: dict[Hashable, list[int]] = {}
    for index, names in enumerate(totals):
        for name in names:
            members.setdefault(name, []).append(index)
    hidden = {index for index, count in enumerate(counts) if 0 < count < minimum}
    gone: set[Hashable] = set()
    while (found := _exposed(counts, members, hidden, gone, minimum)) is not None:
        left = [index for index in members[found] if index not in hidden and counts[index]]
        if left:
            hidden.add(min(left, key=lambda index: (counts[index], index)))
        else:
            gone.add(found)
    while (given := _giveaway(counts, members, hidden, gone, minimum)) is not None:
        gone.add(given)
    return frozenset(hidden), frozenset(gone)


def _exposed(
    counts: Sequence[int], members: Mapping[Hashable, list[int]], hidden: set[int], gone: set[Hashable],
    minimum: int,
) -> Hashable | None:  # fmt: skip
    """A total under which the hidden cells are alone or too small together."""
    for name, inside in members.items():
        mine = [counts[index] for index in inside if index in hidden]
        if mine and name not in gone and (len(mine) == 1 or sum(mine) < minimum):
            return name
    return None


def _giveaway(
    counts: Sequence[int], members: Mapping[Hashable, list[int]], hidden: set[int], gone: set[Hashable],
    minimum: int,
) -> Hashable | None:  # fmt: skip
    """The smallest of the shown totals, when together they determine a hidden small cell.

    The totals are equations in the hidden cells; a cell is determined when no solution of the equations without right
    sides moves it.
    """
    cells = sorted(hidden)
    shown = [name for name in members if name not in gone and hidden.intersection(members[name])]
    if not shown:
        return None
    if len(cells) <= _AUDITED_MAX:
        equations = np.array([[float(at in set(members[name])) for at in cells] for name in shown])
        _, sizes, across = np.linalg.svd(equations, full_matrices=True)
        free = across[int((sizes > 1e-9).sum()) :]
        small = [place for place, at in enumerate(cells) if counts[at] < minimum]
        if not small or bool((np.abs(free[:, small]) > 1e-9).any(axis=0).all()):
            return None
    return min(shown, key=lambda name: sum(counts[at] for at in members[name]))


__all__ = ["suppressed"]
