"""Words for rows of reports that count what no sector declares: steps of things, verdicts of checks, products that
every tariff has. English and Chinese.

Business steps are those of CBV 2.0, 7.1; what is not among them is a question that a journey asked of the repository.
"""

from __future__ import annotations

from collections.abc import Mapping

from jinka.tariff import ENTRY_PRODUCT, LOST_EXIT_PRODUCT

_STEPS: Mapping[str, tuple[str, str]] = {
    "accepting": ("Accepting", "验收"), "arriving": ("Arriving", "到达"), "assembling": ("Assembling", "装配"),
    "collecting": ("Collecting", "收集"), "commissioning": ("Commissioning", "赋码"),
    "consigning": ("Consigning", "托运"), "creating_class_instance": ("Lot begun", "建批"),
    "cycle_counting": ("Cycle counting", "盘点"), "decommissioning": ("Decommissioning", "注销编码"),
    "departing": ("Departing", "发车"), "destroying": ("Destroying", "销毁"),
    "disassembling": ("Disassembling", "拆解"),
    "dispensing": ("Dispensing", "发药"), "encoding": ("Tag encoding", "写标签"),
    "entering_exiting": ("Passing a gate", "进出"), "holding": ("Holding", "扣留待检"),
    "inspecting": ("Inspecting", "检验"),
    "installing": ("Installing", "安装"), "killing": ("Tag killing", "灭活标签"), "loading": ("Loading", "装车"),
    "packing": ("Packing", "装箱"), "picking": ("Picking", "拣货"), "receiving": ("Receiving", "收货"),
    "removing": ("Removing", "拆下"), "repackaging": ("Repackaging", "改包装"), "repairing": ("Repairing", "维修"),
    "replacing": ("Replacing", "更换"), "reserving": ("Reserving", "预留"), "retail_selling": ("Retail sale", "零售"),
    "sampling": ("Sampling", "抽样"), "sensor_reporting": ("Sensor reports", "传感器上报"),
    "shipping": ("Shipping", "发货"),
    "staging_outbound": ("Staging outbound", "待运"), "stock_taking": ("Stock taking", "清点"),
    "stocking": ("Stocking", "上架"), "storing": ("Storing", "入库"), "transforming": ("Transforming", "加工"),
    "transporting": ("Transporting", "运输"), "unloading": ("Unloading", "卸车"), "unpacking": ("Unpacking", "拆箱"),
    "void_shipping": ("Shipment taken back", "撤销发货"), "other": ("Other", "其他"),
    "checked": ("Codes checked", "查验编码"),
    "conditions": ("Conditions judged", "保存条件核查"), "traced back": ("Traces back", "追溯来源"),
    "traced forward": ("Traces forward", "追踪去向"), "recall": ("Recalls begun", "发起召回"),
    "recall notice": ("Recall notices", "召回通知"), "recall answer": ("Recall answers", "召回反馈"),
    "recall closed": ("Recalls closed", "召回结束"), "gates report": ("Gates' reports", "闸机上报"),
}  # fmt: skip
_VERDICTS: Mapping[str, tuple[str, str]] = {
    "kept": ("Conditions kept", "保存条件合格"), "broken": ("Conditions broken", "保存条件超限"),
    "known": ("Known, records agree", "有记录且无矛盾"), "unknown": ("Nothing recorded", "查无记录"),
    "never made": ("Kind recorded, code not", "同类有记录而无此码"), "sold": ("Sold already", "已售出"),
    "recalled": ("Recalled", "召回中"), "contradicted": ("Records contradict", "记录自相矛盾"),
}  # fmt: skip
_PRODUCTS: Mapping[str, tuple[str, str]] = {
    ENTRY_PRODUCT: ("Entries", "进站"), LOST_EXIT_PRODUCT: ("Journeys without an exit", "未刷卡出站"),
}  # fmt: skip
_KINDS: Mapping[str, tuple[str, str]] = {"tag": ("Tag read", "标签读取")}
_ROWS = {"step": _STEPS, "verdict": _VERDICTS, "product": _PRODUCTS, "entitlement": _KINDS}


def common_row(key: str, by: str) -> tuple[str, str] | None:
    """English and Chinese of a row that every sector may have; None where the sector itself has to name it."""
    return _ROWS.get(by, {}).get(key)
