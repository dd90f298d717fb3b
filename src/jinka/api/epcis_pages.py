"""Pages: ``perPage``, ``nextPageToken`` and the ``Link`` to what follows (EPCIS 2.0, 12.4; RFC 8288).

A token says where the next page begins, until when it counts, and of which request it is. It is sealed under a key of
the repository, and its length tells nothing either: where a page ends among the events that its reader may not see is
nobody's business. Nothing of it is kept; what a client gives back (DELETE) is remembered until it would have expired.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from jinka.api.epcis_exchange import Ask, Reply
from jinka.api.epcis_problems import EpcisError, Exceptions
from jinka.api.epcis_services import PER_PAGE, PER_PAGE_MAX, TOKEN_S, EpcisServices
from jinka.codec.epcis.scalars import time_text
from jinka.crypto.seal import seal, unseal
from jinka.kit import Refused

PAGING = frozenset({"perPage", "nextPageToken"})
_TOKEN_MAX = 4_000
_BLOCK = 128  # bytes: tokens are as long as the next multiple
_CONTEXT = "page of a repository"


def per_page(ask: Ask) -> int:
    """How many a page has; beyond the server's own limit it is that limit."""
    given = [value for name, value in ask.query if name == "perPage"]
    if not given:
        return PER_PAGE
    if len(given) > 1 or not (given[0].isascii() and given[0].isdigit()) or not int(given[0][:18]) > 0:
        raise EpcisError(Exceptions.QUERY_PARAMETER, "no number from 1 on", where="perPage", fix="perPage=30")
    return min(int(given[0][:18]), PER_PAGE_MAX)


def page_start(ask: Ask, services: EpcisServices) -> list[int | str]:
    """What the token of a request says; empty without one. Raises `EpcisError` for one that does not count."""
    given = [value for name, value in ask.query if name == "nextPageToken"]
    if not given:
        return []
    body = _read(services, given[0]) if len(given) == 1 else None
    if body is None or body[1] != _fingerprint(ask):
        raise EpcisError(
            Exceptions.QUERY_PARAMETER, "not a token of this request", where="nextPageToken",
            fix="follow the Link of the page before",
        )  # fmt: skip
    if int(body[0]) <= services.clock.now_micros() or services.named.token_dropped(_digest(given[0])):
        raise EpcisError(
            Exceptions.QUERY_PARAMETER, "the token has expired", where="nextPageToken", fix="begin again"
        )  # fmt: skip
    return body[2:]


def next_page(ask: Ask, services: EpcisServices, place: Sequence[int | str]) -> Mapping[str, str]:
    """The headers that lead to the next page, which begins behind ``place``."""
    expires = services.clock.now_micros() + TOKEN_S * 1_000_000
    plain = json.dumps([expires, _fingerprint(ask), *place]).encode()
    plain += b" " * (-len(plain) % _BLOCK)
    nonce = services.randomness.token_bytes(12)
    sealed = seal(services.page_key, plain, context=_CONTEXT, nonce12=nonce)
    token = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    query = [(name, value) for name, value in ask.query if name != "nextPageToken"]
    if not any(name == "perPage" for name, _ in query):
        query.append(("perPage", str(PER_PAGE)))
    query.append(("nextPageToken", token))
    path = "/".join(quote(segment, safe=":") for segment in ask.path)
    return {
        "Link": f'<{ask.base}/{path}?{urlencode(query)}>; rel="next"',
        "GS1-Next-Page-Token-Expires": time_text(expires),
    }


def drop_token(ask: Ask, services: EpcisServices) -> Reply:
    """DELETE /nextPageToken/{token}: it counts no more. One that is none, or is gone, is what was asked for."""
    token = ask.path[1]
    body = _read(services, token)
    if body is not None:
        services.named.drop_token(_digest(token), int(body[0]))
    return Reply(status=204)


def _read(services: EpcisServices, token: str) -> list[int | str] | None:
    """[expiry, fingerprint, place ...]; None for what is no token of this repository."""
    if len(token) > _TOKEN_MAX or not token.isascii():
        return None
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body: list[int | str] = json.loads(unseal(services.page_key, sealed, context=_CONTEXT))
    except (ValueError, Refused):
        return None
    return body


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _fingerprint(ask: Ask) -> str:
    """What of a request has to be the same for a token of it: everything but the size of the page."""
    said = [ask.path, sorted(pair for pair in ask.query if pair[0] not in PAGING), ask.caller.name]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
