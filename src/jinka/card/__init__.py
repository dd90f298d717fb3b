"""The card operating system with its purse, the PSAM, templates and images of cards.

A card is bytes in, bytes out: `Card.transmit`. Standards: ISO/IEC 7816-4, JR/T 0025.1 and .2, CJ/T 166; native
personalisation commands of the FMCOS 2.0 user manual; ICAO Doc 9303 (travel document), 3GPP TS 31.102 (USIM),
ISO/IEC 7816-8 (identity). No terminal logic, no I/O, no randomness of its own.
"""

from jinka.card.cos import ATR, CardOs
from jinka.card.image import CardImage, ImageBase, ImageError
from jinka.card.nvm import Nvm, PowerCut
from jinka.card.personalise import Personal, script
from jinka.card.psam import Psam, SamKey, make_psam, psam_script
from jinka.card.records import record_contents
from jinka.card.template import Card, CardTemplate, personalised
from jinka.card.travel_issue import document_data
from jinka.card.usim import subscriber_data

__all__ = [
    "ATR",
    "Card",
    "CardImage",
    "CardOs",
    "CardTemplate",
    "ImageBase",
    "ImageError",
    "Nvm",
    "Personal",
    "PowerCut",
    "Psam",
    "SamKey",
    "document_data",
    "make_psam",
    "personalised",
    "psam_script",
    "record_contents",
    "script",
    "subscriber_data",
]
