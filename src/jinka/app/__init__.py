"""The composition root: one function for each command, wiring rooms together and doing their I/O for them.

No rule of the scheme is decided here; that is the business of the rooms below. Nothing here prints: progress goes
to a `Progress`, results are returned. Import the module of the command that is meant (``jinka.app.day``), so that
``jinka --help`` does not pay for engines that it does not use.
"""

from jinka.app.options import DayOptions
from jinka.app.progress import Progress, Silent

__all__ = ["DayOptions", "Progress", "Silent"]
