"""The gateway as an ASGI application: OpenAPI 3.1, its limits, its errors, and how uvicorn is to run it."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from jinka import __version__
from jinka.api import merchant, pages, problems
from jinka.api.counting import Counting
from jinka.api.limits import BodyLimit, PatientProtocol, SafeHeaders
from jinka.api.services import Services

CONNECTIONS_MAX = 512
_HEAD_BYTES_MAX = 16 * 1024


def gateway_app(services: Services) -> FastAPI:
    """The application. It has no documentation page: those fetch scripts from elsewhere."""
    app = FastAPI(
        title="Jinka payment gateway",
        version=__version__,
        summary="Orders, cards, codes, bills",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.include_router(merchant.router)
    app.include_router(pages.router)
    app.add_api_route("/health", _health, include_in_schema=False)
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Counting, requests=services.requests)
    problems.honest_schema(app)
    return app


def server(app: FastAPI, *, host: str, port: int) -> uvicorn.Server:
    """A server that is ready to run; it logs nothing of requests, which hold card numbers."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=35,
            h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        )
    )


def _health() -> dict[str, str]:
    return {"status": "up"}
