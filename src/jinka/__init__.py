"""Jinka (金卡): a complete card scheme, from the chip to the clearing house.

The rooms and the direction of their imports are described in ARCHITECTURE.md and enforced by
import-linter (pyproject.toml).
"""

__version__ = "0.1.0"
