"""What officers read: kinds, states and acts of registrations in English and Chinese."""

from __future__ import annotations

from jinka.registry.registration import Act, Kind, State

KINDS = {
    Kind.ISSUER_NUMBER: ("issuer identification number", "发卡机构标识代码"),
    Kind.CARD_RANGE: ("range of card numbers", "卡号段"),
    Kind.RID: ("registered application provider (RID)", "注册应用提供者标识"),
    Kind.AID: ("application identifier (AID)", "应用标识符"),
    Kind.CENTRE: ("clearing centre", "清算中心"),
    Kind.TERMINAL: ("terminal", "终端机"),
    Kind.PSAM: ("security module (PSAM)", "安全存取模块"),
    Kind.TAG_OWNER: ("tag owner (GS1 company prefix)", "标签所有者（厂商识别代码）"),
    Kind.ORGANISATION: ("organisation", "组织机构"),
    Kind.CITIZEN: ("citizen", "公民"),
    Kind.MAKER_LICENCE: ("maker's production licence", "生产许可证"),
    Kind.PRODUCT_CERTIFICATE: ("certificate of a product", "产品认证证书"),
    Kind.CARD_APPROVAL: ("approval to issue a card", "发卡批准"),
    Kind.KEY_ISSUE: ("issue of keys and modules", "密钥及安全模块发放批准"),
}
STATES = {
    State.APPLIED: ("applied for", "已申请"),
    State.REVIEWED: ("reviewed", "已复核"),
    State.GRANTED: ("granted", "已批准"),
    State.REFUSED: ("refused", "已驳回"),
    State.SUSPENDED: ("suspended", "已暂停"),
    State.EXPIRED: ("expired", "已过期"),
    State.WITHDRAWN: ("withdrawn", "已撤销"),
    State.APPEALED: ("appealed", "复议中"),
    State.DISMISSED: ("appeal dismissed", "复议驳回"),
}
ACTS = {
    Act.APPLY: ("apply", "申请"),
    Act.REVIEW: ("review", "复核"),
    Act.GRANT: ("grant", "批准"),
    Act.REFUSE: ("refuse", "驳回"),
    Act.SUSPEND: ("suspend", "暂停"),
    Act.RESUME: ("resume", "恢复"),
    Act.EXPIRE: ("expire", "到期"),
    Act.WITHDRAW: ("withdraw", "撤销"),
    Act.APPEAL: ("appeal", "申请复议"),
    Act.ALLOW: ("allow the appeal", "复议撤销原决定"),
    Act.DISMISS: ("dismiss the appeal", "复议维持原决定"),
}
# Headings and states of validity in lists.
LABELS = {
    "number": ("number", "登记号"),
    "kind": ("kind", "类别"),
    "value": ("registered", "登记内容"),
    "holder": ("holder", "持有者"),
    "state": ("state", "状态"),
    "validity": ("valid", "有效期"),
    "act": ("act", "操作"),
    "officer": ("officer", "经办人"),
    "time": ("time (UTC)", "时间（UTC）"),
    "reason": ("reason", "事由"),
    "over": ("over", "已过有效期"),
}
