"""`jinka trace serve`, `capture` and `query`: the EPCIS repository as a process, and files and questions for one.

One process serves one database; TLS belongs to a proxy. `capture` and `query` speak with a server over HTTP, or open
the database themselves.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.types import ASGIApp

from jinka.api.epcis import EpcisApplication, epcis_app
from jinka.api.epcis_exchange import Ask
from jinka.api.epcis_peers import PeerNames
from jinka.api.epcis_problems import facts_of
from jinka.api.epcis_server import epcis_server
from jinka.api.epcis_services import EpcisServices
from jinka.api.epcis_trace import TraceResources
from jinka.api.peer_tls import tls_server
from jinka.api.trace_check import CheckPage
from jinka.app.served_http import run_until_stopped
from jinka.app.trace_access import Access, line_tls
from jinka.app.trace_config import TraceFile, read_trace_file
from jinka.app.trace_delivery import Delivery, delivering
from jinka.app.trace_desk import ServedTraces
from jinka.app.trace_rules import judges_of
from jinka.app.trace_secret import TraceSecret
from jinka.kit import Clock, JinkaError, NotFound, Randomness, Refused, Usage
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import database_at
from jinka.store.database import Database
from jinka.store.trace_checks import SqlChecks
from jinka.store.trace_queries import NamedQueries
from jinka.store.trace_store import TraceStore
from jinka.trace.signatures import HEADER

PAGE = 1_000  # events that are asked for at once
_TIMEOUT_S = 120
_ANSWER_MAX = 256 << 20


def serve_trace(path: Path, *, listening: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    file = read_trace_file(path)
    with _served(file) as (made, database):
        app: ASGIApp = epcis_app(made.services, mount=file.mount, more=made.resources, websocket=made.sockets)
        if file.check_page:
            app = CheckPage(app, SqlChecks(database), made.services.clock, mount=file.mount)
        tls = line_tls(file)
        named = PeerNames(app)
        runner = epcis_server(named, websockets=True) if tls is None else tls_server(named, tls.server())
        scheme = "http" if tls is None else "https"

        def told(port: int) -> None:
            listening(
                {"host": file.host, "port": port, "epcis": f"{scheme}://{file.host}:{port}/{file.mount}"}
            )

        run_until_stopped(runner, file.path, file.host, file.port, told)


@contextmanager
def services_of(
    file: TraceFile, clock: Clock | None = None, randomness: Randomness | None = None
) -> Iterator[EpcisServices]:
    """The repository of a file, its database open."""
    with database_at(file.database) as database:
        yield repository_services(file, database, clock or SystemClock(), randomness or SystemRandomness())


def repository_services(
    file: TraceFile, database: Database, clock: Clock, randomness: Randomness
) -> EpcisServices:
    """The repository of a file over an open database."""
    terse = file.tables.get("access", {}).get("required", False) is True
    judges = judges_of(file.tables.get("rules", {}), clock, terse=terse)
    return EpcisServices(
        store=TraceStore(database, clock, judges=judges, query_s=file.query_s),
        named=NamedQueries(database, clock),
        clock=clock,
        randomness=randomness,
        prefixes=file.prefixes,
        capture_events_max=file.capture_events_max,
        capture_bytes_max=file.capture_bytes_max,
    )


@contextmanager
def _served(file: TraceFile) -> Iterator[tuple[Delivery, Database]]:
    """The repository with what delivers to its subscribers."""
    clock, randomness = SystemClock(), SystemRandomness()
    secret = TraceSecret.of_folder(file.path.parent, randomness)
    with database_at(file.database) as database:
        services = repository_services(file, database, clock, randomness)
        access = Access(database, file, secret, clock)
        sight = access if access.required else None  # where all see everything, texts need not be read
        services = replace(
            services, admit=access.admit, sight=sight, check_signature=access.check_signature, signer=access.signer,
            page_key=secret.pages,
        )  # fmt: skip
        table = file.tables.get("subscriptions", {})
        with delivering(
            database, services, table, secret, mount=file.mount, let_in=access.let_in, owns=access.owns_of
        ) as made:
            traces = TraceResources(desk=ServedTraces(database, clock, sight)).resources()
            yield replace(made, resources=(*made.resources, *traces)), database


def capture_files(
    at: str,
    paths: Sequence[Path],
    *,
    proceed: bool,
    token: str = "",
    sign: Callable[[bytes], str] | None = None,
) -> list[dict[str, Any]]:
    """Capture documents, each as one job; what became of each. Raises what the server refuses a whole document with.

    ``token`` is a participant's, ``sign`` makes the signature of a document (`jinka.app.trace_signing`).
    """
    found = []
    with _desk(at) as ask:
        for path in paths:
            if not path.is_file():
                raise NotFound("no such file", where=str(path))
            headers = {
                "content-type": "application/xml" if path.suffix == ".xml" else "application/json",
                "gs1-capture-error-behaviour": "proceed" if proceed else "rollback",
            }
            document, own = path.read_bytes(), _bearer(token)
            headers |= own | ({HEADER.lower(): sign(document)} if sign is not None else {})
            status, answered, body = ask("POST", ("capture",), (), headers, document)
            if status != 202:
                raise _refused(path.name, body)
            _, _, job = ask("GET", ("capture", answered["location"].rpartition("/")[2]), (), own, b"")
            found.append({"file": str(path)} | json.loads(job))
    return found


def query_events(
    at: str, parameters: Sequence[str], *, epc_format: str, most: int | None, token: str = ""
) -> tuple[dict[str, Any], bool]:
    """The events of a query as one document, following its pages until there are ``most``; whether there are more."""
    pairs = [_pair(text) for text in parameters]
    document: dict[str, Any] = {}
    events: list[Any] = []
    query = [*pairs, ("perPage", str(PAGE if most is None else min(most, PAGE)))]
    with _desk(at) as ask:
        while True:
            headers = {"gs1-epc-format": epc_format} | _bearer(token)
            status, answered, body = ask("GET", ("events",), query, headers, b"")
            if status != 200:
                raise _refused("query", body)
            page = json.loads(body)
            document = document or page
            events += page["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
            link = answered.get("link", "")
            if not link or (most is not None and len(events) >= most):
                break
            page_token = link.partition("nextPageToken=")[2].partition(">")[0].partition("&")[0]
            query = [*(pair for pair in query if pair[0] != "nextPageToken"), ("nextPageToken", page_token)]
    more = bool(link) or (most is not None and len(events) > most)
    document["epcisBody"]["queryResults"]["resultsBody"]["eventList"] = events[:most]
    return document, more


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Usage("not NAME=VALUE", where=text[:80], fix="EQ_bizStep=shipping")
    return name, value


def _refused(where: str, body: bytes) -> JinkaError:
    try:
        facts = json.loads(body)
    except ValueError:
        facts = {}
    what = f"{facts.get('type', 'no answer')}: {facts.get('what', facts.get('title', ''))}"
    return Refused(what, where=f"{where} {facts.get('where', '')}".strip(), fix=str(facts.get("fix", "")))


_Query = Sequence[tuple[str, str]]
_Asked = Callable[
    [str, tuple[str, ...], _Query, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]
]


@contextmanager
def _desk(at: str) -> Iterator[_Asked]:
    """Whom to ask: a server by its URL, or a database or a configuration that is opened here."""
    if at.startswith(("http://", "https://")):
        yield lambda *what: _over_http(at, *what)
        return
    if at.endswith(".toml"):
        file = read_trace_file(Path(at))
    else:
        if "://" not in at and not Path(at).exists():
            raise NotFound("no such database", where=at, fix="a path, a URL, or the server's file")
        file = TraceFile.opened(at)
    with services_of(replace(file, mount="")) as services:
        desk = EpcisApplication(services)

        def ask(
            method: str, path: tuple[str, ...], query: _Query, headers: Mapping[str, str], body: bytes
        ) -> tuple[int, Mapping[str, str], bytes]:
            try:
                made = desk.reply(Ask(method=method, path=path, query=query, headers=headers, body=body))
            except JinkaError as error:
                facts = facts_of(error)
                return int(facts["status"]), {}, json.dumps(facts).encode()
            return made.status, {name.lower(): value for name, value in made.headers.items()}, made.body

        yield ask


def _over_http(
    at: str, method: str, path: tuple[str, ...], query: _Query, headers: Mapping[str, str], body: bytes
) -> tuple[int, Mapping[str, str], bytes]:
    url = urlsplit(at)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    link = kind(url.netloc, timeout=_TIMEOUT_S)
    target = "/".join([url.path.rstrip("/"), *path]) + (f"?{urlencode(query)}" if query else "")
    try:
        link.request(method, target, body or None, dict(headers))
        answer = link.getresponse()
        said = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, said, answer.read(_ANSWER_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise NotFound(f"no answer: {error}", where=at, fix="is the server running?") from None
    finally:
        link.close()
