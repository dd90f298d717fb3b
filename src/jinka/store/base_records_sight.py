"""What of a base record a department may see now: which record it means, whose it is, and what law and consent say."""

from __future__ import annotations

from jinka.identity.base_records import Decision, Look, LookRefused, Ref, Sought, checked, decide
from jinka.identity.base_records.access import CHILD_YEARS
from jinka.identity.base_records.statements import birth_date
from jinka.kit import Usage
from jinka.store.base_records_book import Book


def find(book: Book, kind: str, sought: Sought) -> tuple[Ref | None, str]:
    """The record, and a sign of the key that was looked for, keyed, so that the log does not tell it."""
    kind = book.catalogue.kind(kind).about or kind
    if sought.ref is not None:
        there = sought.ref.kind == kind and book.there(sought.ref)
        return (sought.ref if there else None), f"{kind}:{sought.ref.number}"
    spec = book.catalogue.kind(kind).field(sought.field)
    if not spec.key:
        known = ", ".join(one.name for one in book.catalogue.kind(kind).keys)
        raise Usage("not a key", where=f"{kind}.{spec.name}", fix=f"one of {known}")
    value = checked(spec, sought.value, today=book.today)
    return book.by_key(kind, spec, value, book.today), book.digest(kind, spec.name, value).hex()[:12]


def holder_and_grounds(book: Book, ref: Ref | None, look: Look) -> tuple[Ref | None, Decision | LookRefused]:
    """Whose record it is, and what may be seen of it. A record that is not there has no holder and no consents."""
    holder = book.holder(ref, book.today)
    given = book.consents(holder.number) if holder else []
    try:
        return holder, decide(book.catalogue, look, given, book.now, child=_is_child(book, holder))
    except LookRefused as refused:
        return holder, refused


def _is_child(book: Book, holder: Ref | None) -> bool:
    if holder is None or not book.catalogue.kind(holder.kind).person:
        return False
    kind, record = book.catalogue.kind(holder.kind), book.record(holder)
    known = {
        name: found[-1].value
        for name in ("birth_date", "identity_number")
        if name in kind.by_name and (found := record.values(kind.field(name), book.today))
    }
    born = birth_date(kind, known)
    return (
        born is not None
        and (book.today.year - born.year) - ((book.today.month, book.today.day) < (born.month, born.day))
        < CHILD_YEARS
    )
