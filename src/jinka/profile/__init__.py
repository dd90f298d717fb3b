"""What an application on a card is made of, as inert declarations that other rooms interpret.

`card` makes files, keys and purses from it, `terminal` finds its way by it, `clearing` names it in records. Nothing
here acts. The fields follow the tables of JR/T 0025.2 (files), and of the CREATE FILE and WRITE KEY commands of the
native Chinese card systems (FMCOS 2.0 user manual).
"""

from jinka.profile.emv import EmvSpec
from jinka.profile.spec import (
    ALGORITHM_LABELS,
    FREE,
    NEVER,
    ApplicationKind,
    ApplicationProfile,
    FileKind,
    FileSpec,
    FolderSpec,
    GreySpec,
    KeySpec,
    KeyUse,
    PersonalDatum,
    PurseSpec,
    algorithm_of,
)

__all__ = [
    "ALGORITHM_LABELS",
    "FREE",
    "NEVER",
    "ApplicationKind",
    "ApplicationProfile",
    "EmvSpec",
    "FileKind",
    "FileSpec",
    "FolderSpec",
    "GreySpec",
    "KeySpec",
    "KeyUse",
    "PersonalDatum",
    "PurseSpec",
    "algorithm_of",
]
