"""The Shenzhen bus and metro tariff as it stood in September 2018 (深圳通).

Ordinary cards: metro 95 % of the fare; bus 80 % of the first 3 yuan, 75 % of the next 3, 65 % beyond. A change between
buses, or between bus and metro, within 90 minutes takes 0.40 yuan off. Half fare and free travel by class of
holder. The rules were read off the city's open data of 2018-09-01 (see tests/tariff) and agree with it to the fen.
"""

from __future__ import annotations

import datetime as dt

from jinka.registry import Role
from jinka.tariff import (
    AmountOff,
    Bands,
    HolderClass,
    Mode,
    Product,
    Share,
    Tariff,
    Transfer,
    TransferRule,
)

_BOTH = (Mode.METRO, Mode.BUS)
_ORDINARY = (HolderClass.ORDINARY,)
_METRO = Share(95)
_BUS = Bands(((300, 80), (600, 75), (None, 65)))
TRANSFER_OFF_FEN = 40

SHENZHEN_2018 = Tariff(
    name="shenzhen.2018",
    gross_max_fen=5_000,
    products=(
        Product(
            code="metro.transfer",
            title_en="Metro, transfer",
            title_zh="地铁换乘优惠",
            modes=(Mode.METRO,),
            holders=_ORDINARY,
            transfer=Transfer.ONLY,
            rule=AmountOff(_METRO, TRANSFER_OFF_FEN),
            borne_by=Role.GOVERNMENT,
        ),
        Product(
            code="bus.transfer",
            title_en="Bus, transfer",
            title_zh="公交换乘优惠",
            modes=(Mode.BUS,),
            holders=_ORDINARY,
            transfer=Transfer.ONLY,
            rule=AmountOff(_BUS, TRANSFER_OFF_FEN),
            borne_by=Role.GOVERNMENT,
        ),
        Product(
            code="metro.ordinary",
            title_en="Metro, ordinary card",
            title_zh="地铁普通卡九五折",
            modes=(Mode.METRO,),
            holders=_ORDINARY,
            transfer=Transfer.ANY,
            rule=_METRO,
        ),
        Product(
            code="bus.ordinary",
            title_en="Bus, ordinary card",
            title_zh="公交普通卡分段折扣",
            modes=(Mode.BUS,),
            holders=_ORDINARY,
            transfer=Transfer.ANY,
            rule=_BUS,
        ),
        Product(
            code="half",
            title_en="Half fare",
            title_zh="半价优惠",
            modes=_BOTH,
            holders=(HolderClass.HALF_FARE,),
            transfer=Transfer.ANY,
            rule=Share(50),
            borne_by=Role.GOVERNMENT,
        ),
        Product(
            code="free",
            title_en="Free travel",
            title_zh="免费乘车",
            modes=_BOTH,
            holders=(HolderClass.FREE,),
            transfer=Transfer.ANY,
            rule=Share(0),
            borne_by=Role.GOVERNMENT,
        ),
        Product(
            code="full",
            title_en="Full fare, no discount",
            title_zh="全价",
            modes=_BOTH,
            holders=(HolderClass.FULL_FARE,),
            transfer=Transfer.ANY,
            rule=Share(100),
        ),
    ),
    transfer=TransferRule(
        within=dt.timedelta(minutes=90),
        pairs=frozenset({(Mode.BUS, Mode.BUS), (Mode.BUS, Mode.METRO), (Mode.METRO, Mode.BUS)}),
    ),
)
