"""Who may see what, as data: departments, purposes, laws, kinds of records and the rules that join them.

A rule names a department, a purpose, a kind, fields, and the clause that lets it. A `Part` is a set of such
declarations; the room has one (`declared`), and a sector, also a third party's, adds its own: it may add kinds,
departments, purposes, laws and rules, and change nothing that stands already. An installed package's rules open kinds
that are not its own by no law of its own (`check_reach`). Nothing is decided here (see `access`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from jinka.identity.base_records.fields import FieldSpec, FieldType, RecordKind, Words, check_code, echoed
from jinka.kit import Usage

ANYONE = "anyone"  # in a rule: every declared department, for every declared purpose
UPKEEP = "upkeep"  # the purpose of a source that looks at what it writes itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A department, or a purpose."""

    code: str
    title: Words

    def __post_init__(self) -> None:
        check_code(self.code, "code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A law or a regulation that clauses are cited from."""

    code: str
    title: Words

    def __post_init__(self) -> None:
        check_code(self.code, "law")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One article, as it is cited."""

    law: str
    article: str  # 57, or 13(1)(3): article, paragraph, item

    def __str__(self) -> str:
        return f"{self.law} {self.article}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRule:
    """A department may see fields of a kind for a purpose, because a clause says so.

    ``case``: the number of the case that asks for it must be given. ``commissioned``: the clause wants the holder's
    commission, so a consent for the same department and purpose must stand beside it. ``emergency``: only by breaking
    the glass, which always leads to a review.
    """

    department: str
    purpose: str
    kind: str
    fields: tuple[str, ...]
    clause: Clause
    case: bool = False
    commissioned: bool = False
    emergency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a room or a sector declares."""

    departments: tuple[Named, ...] = ()
    purposes: tuple[Named, ...] = ()
    laws: tuple[Law, ...] = ()
    kinds: tuple[RecordKind, ...] = ()
    rules: tuple[ViewRule, ...] = ()


class Catalogue:
    """All parts together, checked against one another. Raises `Usage` where they do not fit."""

    def __init__(self, parts: Iterable[Part]) -> None:
        merged: dict[str, list[Any]] = {field.name: [] for field in fields(Part)}
        for part in parts:
            _check_holds_its_own(part)
            for name, found in merged.items():
                found.extend(getattr(part, name))
        self.departments = _by_code("department", merged["departments"])
        self.purposes = _by_code("purpose", merged["purposes"])
        self.laws = _by_code("law", merged["laws"])
        self.kinds: dict[str, RecordKind] = {}
        for kind in merged["kinds"]:
            if kind.name in self.kinds:
                raise Usage("declared twice", where=f"kind {kind.name}", fix="choose another name")
            self.kinds[kind.name] = kind
        self.rules: tuple[ViewRule, ...] = tuple(merged["rules"])
        for kind in self.kinds.values():
            self._check_kind(kind)
        for rule in self.rules:
            self._check_rule(rule)

    def kind(self, name: str) -> RecordKind:
        """The kind of that name; raises `Usage`."""
        if name not in self.kinds:
            raise Usage(
                "no such kind of record", where=echoed(name, "kind"), fix=f"one of {', '.join(self.kinds)}"
            )
        return self.kinds[name]

    def check_department(self, code: str) -> None:
        """Raises `Usage` unless it is declared."""
        if code not in self.departments:
            raise Usage(
                "no such department",
                where=echoed(code, "department"),
                fix=f"one of {', '.join(self.departments)}",
            )

    def check_purpose(self, code: str) -> None:
        """Raises `Usage` unless it is declared."""
        if code not in self.purposes:
            raise Usage(
                "no such purpose", where=echoed(code, "purpose"), fix=f"one of {', '.join(self.purposes)}"
            )

    def rules_for(self, department: str, purpose: str, kind: str) -> Iterator[ViewRule]:
        """The rules that bear on a look."""
        for rule in self.rules:
            if rule.kind != kind or rule.department not in (department, ANYONE):
                continue
            if rule.purpose in (purpose, ANYONE):
                yield rule

    def holding(self, kind: str) -> Iterator[tuple[RecordKind, FieldSpec]]:
        """The relations through which a record of ``kind`` has a holder."""
        for other in self.kinds.values():
            for spec in other.fields:
                if spec.holds and spec.target == kind:
                    yield other, spec

    def cite(self, clause: Clause) -> Words:
        """The clause in words."""
        law = self.laws[clause.law].title
        places = clause.article.replace(")", "").split("(")
        chinese = "".join(f"第{place}{unit}" for place, unit in zip(places, "条款项", strict=False))
        return f"{law[0]}, Art. {clause.article}", f"《{law[1]}》{chinese}"

    def _check_kind(self, kind: RecordKind) -> None:
        if kind.about and kind.about not in self.kinds:
            raise Usage("it is about no kind", where=f"kind {kind.name}")
        for spec in kind.fields:
            where = f"{kind.name}.{spec.name}"
            if spec.source not in self.departments:
                raise Usage("its source is no department", where=where)
            if spec.type is FieldType.REFERENCE and spec.target not in self.kinds:
                raise Usage("it refers to no kind", where=where)
        held = [spec for spec in kind.fields if spec.held]
        if len(held) > 1 or (held and any(self.holding(kind.name))):
            raise Usage("its holder would be said twice", where=f"kind {kind.name}", fix="by one field alone")

    def _check_rule(self, rule: ViewRule) -> None:
        where = f"rule {rule.department}/{rule.purpose}/{rule.kind}"
        kind = self.kinds.get(rule.kind)
        if kind is None or not rule.fields or not set(rule.fields) <= set(kind.by_name):
            raise Usage("it names fields that there are not", where=where)
        if rule.department != ANYONE and rule.department not in self.departments:
            raise Usage("it names no department", where=where)
        if rule.purpose != ANYONE and rule.purpose not in self.purposes:
            raise Usage("it names no purpose", where=where)
        if rule.clause.law not in self.laws or not rule.clause.article:
            raise Usage("it cites no law that is declared", where=where)
        if rule.department == ANYONE and any(kind.by_name[name].personal for name in rule.fields):
            raise Usage("what is personal is not for everybody", where=where, fix="name the department")


def check_reach(part: Part) -> None:
    """Raises `Usage` for an installed part that opens kinds which it does not bring, by a law that it brings itself:
    what others keep is seen by laws that stand without it.
    """
    kinds, laws = {kind.name for kind in part.kinds}, {law.code for law in part.laws}
    for rule in part.rules:
        if rule.kind not in kinds and rule.clause.law in laws:
            raise Usage(
                f"it opens {rule.kind} by a law of its own, {rule.clause}",
                where=f"rule {rule.department}/{rule.purpose}/{rule.kind}",
                fix="cite a law that the state's records know, or ask for consent",
            )


def _check_holds_its_own(part: Part) -> None:
    """Raises `Usage` for a part that would make its own records the holders of another part's."""
    own = {kind.name for kind in part.kinds}
    for kind in part.kinds:
        for spec in kind.fields:
            if spec.holds and spec.target not in own:
                raise Usage(
                    "it would hold another part's records",
                    where=f"{kind.name}.{spec.name}",
                    fix="refer to them",
                )


def _by_code(what: str, found: Iterable[Any]) -> dict[str, Any]:
    by_code: dict[str, Any] = {}
    for one in found:
        if one.code in by_code or one.code == ANYONE:
            raise Usage("declared twice", where=f"{what} {one.code}", fix="choose another code")
        by_code[one.code] = one
    return by_code
