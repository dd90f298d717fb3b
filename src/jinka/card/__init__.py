"""The card operating system with its purse, the PSAM, templates and images of cards.

A card is bytes in, bytes out: `Card.transmit`. Standards: ISO/IEC 7816-4, JR/T 0025.1 and .2, CJ/T 166; native
personalisation commands of the FMCOS 2.0 user manual. No terminal logic, no I/O, no randomness of its own.
"""

from jinka.card.cos import ATR, CardOs
from jinka.card.nvm import Nvm, PowerCut
from jinka.card.personalise import Personal, script
from jinka.card.psam import Psam, SamKey, make_psam, psam_script
from jinka.card.template import Card, CardImage, CardTemplate, ImageError, personalised

__all__ = [
    "ATR",
    "Card",
    "CardImage",
    "CardOs",
    "CardTemplate",
    "ImageError",
    "Nvm",
    "Personal",
    "PowerCut",
    "Psam",
    "SamKey",
    "make_psam",
    "personalised",
    "psam_script",
    "script",
]
