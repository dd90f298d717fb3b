"""A code as a picture: SVG without style or script, so that it may stand inside a page with a strict policy.

ISO/IEC 18004, error correction M; drawn by segno.
"""

from __future__ import annotations

import io

import segno


def qr_svg(text: str) -> str:
    """The picture of a text, black on white with the quiet zone of four modules; it takes the size of its place."""
    made = segno.make_qr(text, error="m", encoding="utf-8")
    out = io.BytesIO()
    made.save(
        out, kind="svg", border=4, light="#fff", xmldecl=False, svgclass=None, lineclass=None, omitsize=True
    )
    return out.getvalue().decode()
