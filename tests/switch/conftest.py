"""Fixtures of the switch's tests."""

from tests.switch.engines import engine

__all__ = ["engine"]
