"""Who may ask a repository, what each sees of it, and whose captures must be signed: its file, its participants.

``[access]`` of the file: ``required`` (who is not known gets no answer), ``signatures`` (``given``: checked where there
is one; ``required``: of every capture) and what else `jinka.app.trace_signers` reads. Who takes
part is known by an API token, or by the certificate of its connection where the server ends TLS (``certificate``,
``key``, ``authority``, ``crl``). Every look of a participant is written down before it is answered.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from jinka.api.epcis_exchange import Ask, Caller
from jinka.api.epcis_peers import PEER
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.problems import Unauthorised
from jinka.app.served_http import TLS_NAMES, tls_of
from jinka.app.trace_config import TraceFile, read_trace_file
from jinka.app.trace_secret import TraceSecret
from jinka.app.trace_signers import SETTINGS, Signers
from jinka.codec.epcis import Event
from jinka.codec.epcis.scalars import time_text
from jinka.kit import Clock, NotFound, Randomness, Usage
from jinka.node.switch_tls import LineTls
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import database_at
from jinka.store.database import Database
from jinka.store.trace_access import AccessBooks, Sight, token_hash
from jinka.store.trace_query import EventQuery
from jinka.trace.access import Along, Level, Participant, Veil, read_owns
from jinka.trace.signatures import HEADER, SignatureRefused

_SETTINGS = {"required", "captures"} | SETTINGS | TLS_NAMES
_TOKEN_BYTES = 32
_NOBODY = Participant(id="")


class Access:
    """Implements `jinka.api.epcis_services.SightOfCallers`, and tells who asks."""

    def __init__(self, database: Database, file: TraceFile, secret: TraceSecret, clock: Clock) -> None:
        table = file.tables.get("access", {})
        self._books, self._sight, self._clock = AccessBooks(database), Sight(database, secret.veil), clock
        self.required = _flag(table, "required")
        if (captures := table.get("captures", "own")) not in ("own", "any"):
            raise Usage(f"{captures!r}", where="access.captures", fix="own, or any")
        self._captures_any = captures == "any"
        if unknown := set(table) - _SETTINGS:
            raise Usage("no such setting", where=f"access.{min(unknown)}", fix=", ".join(sorted(_SETTINGS)))
        self._signers = Signers(table, file.path.parent)

    def admit(self, headers: Mapping[str, str]) -> Caller:
        """Who asks; raises `Unauthorised`. Nobody in particular where that is allowed."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        peer = headers.get(PEER, "")
        if token or kind:
            found = self._books.by_token(token.strip()) if kind.lower() == "bearer" else None
        elif peer:
            found = self._books.by_certificate(peer)
        elif self.required:
            found = None
        else:
            return Caller()
        if found is None:
            raise Unauthorised("nobody known", where="Authorization", fix="Bearer and a participant's token")
        return Caller(name=found.id)

    def let_in(self, name: str) -> bool:
        """Whether what is sent to somebody of this name is sent to one who takes part still."""
        return not name or self._viewer(Caller(name=name)) is not _NOBODY

    def bounded(self, caller: Caller) -> bool:
        return not self._viewer(caller).sees_all

    def narrow(self, caller: Caller, query: EventQuery) -> EventQuery:
        return self._sight.narrow(self._viewer(caller), query)

    def show(self, caller: Caller, events: Sequence[Event], what: str) -> Sequence[Event]:
        return [event for event in self.look(caller.name, events, what) if event is not None]

    def see(self, caller: Caller, events: Sequence[Event], along: Along | None = None) -> list[Event | None]:
        numbered = [(event.record_time_us or 0, event) for event in events]
        return self._sight.show(self._viewer(caller), numbered, along=along)

    def note(self, caller: Caller, what: str, shown: int, hidden: int) -> None:
        if caller.name:
            self._books.note(self._clock.now_micros(), caller.name, what, shown, hidden)

    def why_not(self, caller: Caller, events: Sequence[Event]) -> Sequence[tuple[str, str]]:
        if self._captures_any:
            return [("", "")] * len(events)
        return self._sight.why_not(self._viewer(caller), events)

    def others(self, caller: Caller, ids: Sequence[str]) -> str:
        return "" if self._captures_any else self._sight.others(self._viewer(caller), ids)

    def look(
        self, viewer: str, events: Sequence[Event], what: str, along: Along | None = None
    ) -> list[Event | None]:
        """What a participant sees of events, each with its record time; the look is written down."""
        caller = Caller(name=viewer)
        shown = self.see(caller, events, along)
        seen = sum(1 for event in shown if event is not None)
        self.note(caller, what, seen, len(shown) - seen)
        return shown

    def owns(self, caller: Caller, ids: Sequence[str]) -> set[str]:
        """Those of some places and parties that are the caller's; who sees all speaks for all."""
        return self._sight.owns(self._viewer(caller), ids)

    def owns_of(self, name: str, ids: Sequence[str]) -> set[str]:
        """`owns`, of a participant by its id; nothing where there is none."""
        return self.owns(Caller(name=name), ids) if name else set()

    def had(self, viewer: str, things: Sequence[str]) -> set[str]:
        """Of these things, those that a participant had."""
        one = self._viewer(Caller(name=viewer))
        return set(things) if one.sees_all else self._sight.had(one, things)

    def veil(self, viewer: str) -> Veil:
        """What hides identifiers from a participant."""
        return self._sight.veil(self._viewer(Caller(name=viewer)))

    def check_signature(self, ask: Ask) -> bytes:
        """The certificates that a capture was signed with; raises `EpcisError` (401) for a wrong or missing one."""
        signer = self._viewer(ask.caller) if ask.caller.name else None
        try:
            return self._signers.check(ask.body, ask.header(HEADER), signer, self._clock.now_micros())
        except SignatureRefused as error:
            raise EpcisError(Exceptions.UNAUTHORISED, error.what, where=error.where, fix=error.fix) from error

    def signer(self, kept: bytes) -> Mapping[str, Any]:
        """Who signed a capture, by what is kept of it, and what is known against its certificate by now."""
        return self._signers.later(kept, self._clock.now_micros())

    def _viewer(self, caller: Caller) -> Participant:
        """Who a caller is. Nobody in particular sees all, where such callers are let in at all."""
        if not caller.name:
            return replace(_NOBODY, sees_all=not self.required)
        return next(
            (one for one in self._books.participants() if one.id == caller.name and one.active), _NOBODY
        )


def access_of(at: str, database: Database) -> Access:
    """That of a repository's file, whose database is open; raises `Usage` for what is no file of one."""
    if not at.endswith(".toml"):
        raise Usage("only a repository's file says who sees what", where="--at", fix="trace.toml")
    randomness = SystemRandomness()
    secret = TraceSecret.of_folder(Path(at).parent, randomness)
    return Access(database, read_trace_file(Path(at)), secret, SystemClock())


def line_tls(file: TraceFile) -> LineTls | None:
    """The TLS that the server ends itself, if its file says so; raises `Usage`."""
    return tls_of(file.tables.get("access", {}), file.path.parent, "access")


def _flag(table: Mapping[str, Any], name: str) -> bool:
    value = table.get(name, False)
    if type(value) is not bool:
        raise Usage("neither true nor false", where=f"access.{name}", fix=f"{name} = true")
    return value


# What the operator does


def put_participant(
    path: Path,
    id_: str,
    *,
    name: str | None = None,
    owns: Sequence[str] | None = None,
    up: str | None = None,
    down: str | None = None,
    captures: Sequence[str] | None = None,
    sees_all: bool | None = None,
    signs: bool | None = None,
    certificate: str | None = None,
    new_token: bool = False,
    randomness: Randomness | None = None,
) -> dict[str, Any]:
    """Add a participant, or change what is named of it; its facts, with a new token, which is told only now.

    Who is new or was stopped gets a token in any case.
    """
    if not id_ or not id_.isprintable() or len(id_) > 100:
        raise Usage("no id", where="participant", fix="1 to 100 characters")
    levels = {level.value: level for level in Level}
    for word, where in ((up, "up"), (down, "down")):
        if word is not None and word not in levels:
            raise Usage(f"{word!r}", where=where, fix=", ".join(levels))
    raw = (randomness or SystemRandomness()).token_bytes(_TOKEN_BYTES)
    token = "jkt_" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    with database_at(read_trace_file(path).database) as database:
        books = AccessBooks(database)
        before = next((one for one in books.participants() if one.id == id_), None)
        if before is None or not before.active:
            new_token = True
        before = before or Participant(id=id_, name=id_)
        made = Participant(
            id=id_, name=before.name if name is None else name or id_,
            owns=before.owns if owns is None else read_owns(owns),
            up=before.up if up is None else levels[up], down=before.down if down is None else levels[down],
            captures=before.captures if captures is None else read_owns(captures),
            sees_all=before.sees_all if sees_all is None else sees_all,
            signs=before.signs if signs is None else signs,
            certificate=before.certificate if certificate is None else certificate,
            token_hash=token_hash(token) if new_token else before.token_hash,
        )  # fmt: skip
        books.put(made)
    return participant_facts(made) | ({"token": token} if new_token else {})


def stop_participant(path: Path, id_: str) -> dict[str, Any]:
    """Let a participant in no more; what it captured stays, and stays its own."""
    with database_at(read_trace_file(path).database) as database:
        books = AccessBooks(database)
        found = books.by_id(id_)
        if found is None:
            raise NotFound("no such participant", where=id_, fix="jinka trace access list")
        stopped = replace(found, active=False, token_hash=b"")
        books.put(stopped)
    return participant_facts(stopped)


def list_participants(path: Path) -> list[dict[str, Any]]:
    """Everybody, without tokens."""
    with database_at(read_trace_file(path).database) as database:
        return [participant_facts(one) for one in AccessBooks(database).participants()]


def list_looks(path: Path, participant: str, most: int) -> list[dict[str, Any]]:
    """Who looked at what, the newest first."""
    with database_at(read_trace_file(path).database) as database:
        found = AccessBooks(database).looks(participant, most)
    return [look | {"at": time_text(look["at_micros"])} for look in found]


def participant_facts(one: Participant) -> dict[str, Any]:
    """A participant as JSON has it; nothing of its token."""
    facts = asdict(one)
    del facts["token_hash"]
    return facts | {
        "owns": sorted(one.owns),
        "captures": sorted(one.captures),
        "up": one.up.value,
        "down": one.down.value,
    }
