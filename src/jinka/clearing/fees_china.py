"""A public price list as data: what China's bank cards cost since 6 September 2016, as a file that can be read.

发改价格〔2016〕557号, 关于完善银行卡刷卡手续费定价机制的通知, with its table of ceilings: the issuer's fee at most
0.35 % of a debit card's transaction and 13 yuan, 0.45 % of a credit card's; the network's at most 0.065 % and 6.5 yuan,
half from the issuer, half from the acquirer; schools, hospitals and charities that make no profit pay neither. The
acquirer's own fee is the market's and is not here; nor is the reduction for some merchants, which was for two years and
whose size the notice does not say. Who is exempt the notice says in words: the categories (ISO 18245) are an example.
"""

from __future__ import annotations

CHINA_2016 = """\
# 发改价格〔2016〕557号: ceilings, in fen. 上限价格。
[fees]
scheme = "scheme"
switch = "switch"

[[line]]
code = "issuer"
variant = "exempt"
title_en = "Issuer's service fee: schools, hospitals, charities"
title_zh = "发卡行服务费：非营利性医疗、教育、社会福利、养老、慈善机构"
from = 2016-09-06
payers = "acquirer"
payees = "issuer"
per = "record"
rate = "0%"
categories = ["8062", "8211", "8220", "8398"]

[[line]]
code = "issuer"
variant = "debit"
title_en = "Issuer's service fee, debit card"
title_zh = "发卡行服务费（借记卡）"
from = 2016-09-06
payers = "acquirer"
payees = "issuer"
per = "record"
rate = "0.35%"
cap_minor = 1300
products = ["debit"]

[[line]]
code = "issuer"
variant = "credit"
title_en = "Issuer's service fee, credit card"
title_zh = "发卡行服务费（贷记卡）"
from = 2016-09-06
payers = "acquirer"
payees = "issuer"
per = "record"
rate = "0.45%"
products = ["credit"]

[[line]]
code = "network"
variant = "exempt"
title_en = "Network service fee: schools, hospitals, charities"
title_zh = "网络服务费：非营利性医疗、教育、社会福利、养老、慈善机构"
from = 2016-09-06
payers = { acquirer = 1, issuer = 1 }
payees = "switch"
per = "record"
rate = "0%"
categories = ["8062", "8211", "8220", "8398"]

[[line]]
code = "network"
title_en = "Network service fee"
title_zh = "网络服务费"
from = 2016-09-06
payers = { acquirer = 1, issuer = 1 }
payees = "switch"
per = "record"
rate = "0.065%"
cap_minor = 650
"""
