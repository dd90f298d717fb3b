"""Files of the trade: layouts as data, and one reader and one writer for all of them.

Fixed widths in GB 18030, as UnionPay-style daily files and Jinka's own city-union file have them. Nothing here opens a
file; `jinka.app.trade_files` does, and holds two parties' files against each other.
"""

from jinka.codec.trade_files.layout import Coding, Field, Layout, Origin
from jinka.codec.trade_files.layouts import CITY_UNION, LAYOUTS, UNIONPAY_COM, UNIONPAY_ERR
from jinka.codec.trade_files.reader import TradeFile
from jinka.codec.trade_files.writer import written

__all__ = [
    "CITY_UNION",
    "LAYOUTS",
    "UNIONPAY_COM",
    "UNIONPAY_ERR",
    "Coding",
    "Field",
    "Layout",
    "Origin",
    "TradeFile",
    "written",
]
