"""What a centre offers its children: parcels up, parcels down, receipts both ways. HTTPS; the parent never dials.

The child is whom its certificate names, and nobody else's parcel is taken from it. Files go up in pieces: HEAD tells
how much is here, PUT brings the next piece (Content-Range, RFC 9110, 14.4), and the manifest comes last; its answer is
the receipt. Everything may be asked again. Rules are `jinka.node.parcel_desk`'s; here are limits, headers and statuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from jinka import __version__
from jinka.api import problems
from jinka.api.limits import BodyLimit, Buckets, SafeHeaders
from jinka.api.peer_tls import peer_code
from jinka.codec.parcel import Kind
from jinka.kit import Clock, NotFound, Usage
from jinka.node.parcel_desk import PIECE_MAX, ParcelDesk
from jinka.node.parcel_folder import WrongOffset

OFFSET = "Upload-Offset"
ENVELOPES_BYTES_MAX = 1 << 20  # of one answer
REQUESTS_PER_MINUTE = 12_000
_BODY_S = 120.0  # a piece takes so long at 9 kB/s
router = APIRouter(prefix="/v1")
_HASH = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,12})-([0-9]{1,12})/([0-9]{1,12})")
_RANGE = re.compile(r"bytes=([0-9]{1,12})-")


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreServices:
    """What the routes work with."""

    desk: ParcelDesk
    buckets: Buckets


def centre_app(desk: ParcelDesk, clock: Clock) -> FastAPI:
    """The application; run it with `jinka.api.peer_tls.tls_server`."""
    app = FastAPI(
        title="Jinka centre",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.centre = CentreServices(desk=desk, buckets=Buckets(clock))
    app.include_router(router)
    problems.install(app)
    app.add_middleware(BodyLimit, body_max=PIECE_MAX, body_s=_BODY_S)
    app.add_middleware(SafeHeaders)
    return app


def _desk(request: Request) -> ParcelDesk:
    services: CentreServices = request.app.state.centre
    return services.desk


def _child(request: Request) -> str:
    code, services = peer_code(request), request.app.state.centre
    services.buckets.take(code, REQUESTS_PER_MINUTE)
    return code


async def _body(request: Request) -> bytes:
    return await request.body()


Desk = Annotated[ParcelDesk, Depends(_desk)]
Child = Annotated[str, Depends(_child)]
Body = Annotated[bytes, Depends(_body)]


@router.head("/files/{sha256}", response_class=Response)
def offset(sha256: str, size: int, desk: Desk, code: Child) -> Response:
    """How much of a file is here."""
    return Response(headers={OFFSET: str(desk.offset(code, _digest(sha256), size))})


@router.put("/files/{sha256}", response_class=Response, status_code=HTTPStatus.NO_CONTENT)
def append(sha256: str, request: Request, desk: Desk, code: Child, piece: Body) -> Response:
    """The next piece of a file."""
    first, size = _content_range(request.headers.get("Content-Range", ""), len(piece))
    try:
        here = desk.append(code, _digest(sha256), size, first, piece)
    except WrongOffset as error:
        answer = problems.of_error(error)
        answer.headers[OFFSET] = str(error.offset)
        return answer
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={OFFSET: str(here)})


@router.post("/parcels", response_class=Response, status_code=HTTPStatus.ACCEPTED)
def take_in(desk: Desk, code: Child, envelope: Body) -> Response:
    """A manifest whose files are here; the answer is the receipt."""
    return Response(desk.take_in(code, envelope), HTTPStatus.ACCEPTED, media_type="application/json")


@router.get("/parcels", response_class=Response)
def waiting(desk: Desk, code: Child) -> Response:
    """The envelopes of what waits for this child, from the first in each stream."""
    found, size = list[str](), 0
    for sent in desk.waiting_for(code):
        size += len(sent.envelope)
        if found and size > ENVELOPES_BYTES_MAX:
            break
        found.append(sent.envelope.decode("ascii"))
    return JSONResponse({"parcels": found})


@router.get("/parcels/{kind}/{number}/files/{sha256}", response_class=Response)
def piece_of(kind: str, number: int, sha256: str, request: Request, desk: Desk, code: Child) -> Response:
    """A piece of a file of such a parcel."""
    first = _range(request.headers.get("Range", "bytes=0-"))
    raw = desk.piece(code, _kind(kind), number, _digest(sha256), first)
    if not raw:
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    headers = {"Content-Range": f"bytes {first}-{first + len(raw) - 1}/*"}
    return Response(raw, HTTPStatus.PARTIAL_CONTENT, headers, "application/octet-stream")


@router.post("/receipts", response_class=Response, status_code=HTTPStatus.NO_CONTENT)
def receipted(desk: Desk, code: Child, envelope: Body) -> Response:
    """The child's receipt for what it fetched."""
    desk.receipted(code, envelope)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _digest(text: str) -> bytes:
    if not _HASH.fullmatch(text):
        raise Usage("not 64 hexadecimal digits in lower case", where="sha256")
    return bytes.fromhex(text)


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise NotFound("no such stream", where="kind") from None


def _content_range(text: str, length: int) -> tuple[int, int]:
    """First byte and size of the whole file."""
    found = _CONTENT_RANGE.fullmatch(text)
    first, last, size = map(int, found.groups()) if found else (0, -1, 0)
    if not found or last - first + 1 != length or last >= size:
        raise Usage("not the range of the body", where="Content-Range", fix="bytes FIRST-LAST/SIZE")
    return first, size


def _range(text: str) -> int:
    found = _RANGE.fullmatch(text)
    if not found:
        raise Usage("not a range", where="Range", fix="bytes=FIRST-")
    return int(found.group(1))
