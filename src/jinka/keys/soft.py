"""`SoftKeyService`: the key service in process, over a store that shares open. Soft, not certified.

The roots lie in locked memory that `close` overwrites (`jinka.keys.soft_provider`), but whoever reads this process's
memory while it works has them. A certified service needs a security module behind the same verbs.
"""

from __future__ import annotations

from collections.abc import Callable

from jinka.keys.border import EMBEDDED, Audit, Caller, Holding
from jinka.keys.service import LocalKeyService
from jinka.keys.shares import Share
from jinka.keys.soft_provider import SoftProvider
from jinka.keys.store import KeyStore, open_store
from jinka.keys.working import Working


class SoftKeyService(LocalKeyService):
    """A `LocalKeyService` whose provider is this process."""

    def __init__(
        self,
        store: KeyStore,
        *,
        region: str,
        threads: int = 1,
        caller: Caller = EMBEDDED,
        audit: Audit | None = None,
        today: Callable[[], str] = str,
        working: Working | None = None,
    ) -> None:
        holding = Holding(
            issuer=store.issuer,
            simulated=store.simulated,
            provider=SoftProvider(store.roots),
            records=store.records,
            working=working or Working(),
        )
        super().__init__(holding, region=region, threads=threads, caller=caller, audit=audit, today=today)

    @classmethod
    def open(
        cls,
        sealed: bytes,
        shares: list[Share],
        *,
        region: str,
        threads: int = 1,
        working: Working | None = None,
    ) -> SoftKeyService:
        """Open a sealed store with its shares; ``region`` is the city's code of GB/T 2260. Raises `Refused`.

        Without ``working`` the verbs that need a clock or randomness are refused.
        """
        return cls(open_store(sealed, shares), region=region, threads=threads, working=working)
