"""How uvicorn runs the EPCIS interface: HTTP/1.1, patient with nobody, no log of requests."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

from jinka.api.epcis import URL_MAX
from jinka.api.limits import PatientProtocol

CONNECTIONS_MAX = 512


def epcis_server(app: ASGIApp, *, websockets: bool = False) -> uvicorn.Server:
    """A server that is ready to run on the sockets that it is given."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="websockets-sansio" if websockets else "none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=35,
            h11_max_incomplete_event_size=4 * URL_MAX,
        )
    )
