"""Fixtures of the issuer's tests."""

from tests.issuer.engines import books_engine

__all__ = ["books_engine"]
