"""The words of the reports, each in English and Chinese. Titles of reasons and products come with their rows."""

from __future__ import annotations

from enum import Enum

from jinka.reports.day import Outcome, Text


class Language(Enum):
    """The languages that every report has."""

    EN = "en"
    ZH = "zh"


def in_language(text: Text, language: Language) -> str:
    """Choose one wording."""
    return text.zh if language is Language.ZH else text.en


def _words(**pairs: tuple[str, str]) -> dict[str, Text]:
    return {name: Text(en=en, zh=zh) for name, (en, zh) in pairs.items()}


WORDS = _words(
    # titles
    subtitle=("Clearing and settlement report", "清算与结算日报"),
    hours=("The day by the hour", "分时客流"),
    operators=("What each operator is paid", "各运营方应收"),
    products=("How the charges are explained", "扣款的票价依据"),
    outcomes=("What became of the records", "交易记录处理结果"),
    refused=("Reasons for refusal", "拒付原因"),
    findings=("Findings", "待查事项"),
    samples=("The first findings, one by one", "首批待查事项明细"),
    books=("The books", "账务核对"),
    float=("Proof of the float", "沉淀资金核对"),
    trial=("Trial balance", "试算平衡"),
    positions=("Net positions", "各方净额"),
    orders=("Settlement orders", "结算指令"),
    spoil=("Injected faults, and what the clearing found", "注入差错与清算检出对照"),
    notes=("What is simulated or inferred", "模拟与推断说明"),
    run=("This run", "本次运行"),
    stat_cards=("New cards by sector, region and year", "各行业、地区、年度新增卡量"),
    stat_volumes=("Volumes, amounts and success rates", "交易量、金额与成功率"),
    stat_travel=("Where each region's cards are used", "各地发行卡的使用地"),
    stat_results=("Outcomes by sector", "各行业处理结果"),
    # figures
    charged=("Charged", "实扣"),
    gross=("Gross fare", "应收票价"),
    subsidy=("Subsidy", "补贴"),
    discount=("Discounts and subsidies", "优惠与补贴"),
    fees=("Fees", "手续费"),
    net=("Net", "净额"),
    taps=("Taps", "刷卡次数"),
    debits=("Debits", "扣款笔数"),
    loads=("Loads", "充值笔数"),
    loaded=("Loaded", "充值金额"),
    cards=("Cards", "卡片数"),
    terminals=("Terminals", "终端数"),
    rows_read=("Rows read", "读入行数"),
    duplicates=("Duplicates dropped", "剔除重复行"),
    unexplained=("Unexplained charges", "无法解释的扣款"),
    false_rejections=("Good records refused", "误拒笔数"),
    # columns
    operator=("Operator", "运营方"),
    product=("Product", "票种"),
    hour=("Hour", "时段"),
    entries=("Metro entries", "地铁进站"),
    exits=("Metro exits", "地铁出站"),
    boards=("Bus boardings", "公交上车"),
    outcome=("Outcome", "结果"),
    reason=("Reason", "原因"),
    count=("Count", "笔数"),
    amount=("Amount", "金额"),
    severity=("Severity", "级别"),
    finding=("Finding", "事项"),
    place=("Place", "位置"),
    what=("What", "说明"),
    participant=("Participant", "参与方"),
    role=("Role", "角色"),
    position=("Position", "净额"),
    receives=("receives", "应收"),
    pays=("pays", "应付"),
    order=("Order", "指令号"),
    customer_funds=("customer funds", "客户备付金"),
    payer=("Payer", "付款方"),
    payee=("Payee", "收款方"),
    kind=("Kind of fault", "差错类型"),
    injected=("Injected", "注入"),
    right=("Right reason", "原因正确"),
    other=("Another reason", "原因不同"),
    missed=("Missed", "未检出"),
    fact=("Inferred fact", "推断项"),
    total=("Total", "合计"),
    year=("Year", "年度"),
    sector=("Sector", "行业应用"),
    issuer_region=("Region of issue", "发卡地"),
    acquirer_region=("Region of use", "使用地"),
    use=("Use", "业务"),
    paid=("Paid", "成功笔数"),
    rate=("Success rate", "成功率"),
    # books
    cards_hold=("Cards hold", "卡内余额"),
    in_transit=("In transit", "在途资金"),
    in_suspense=("In suspense", "待确认资金"),
    liability=("Purse liability", "钱包负债"),
    difference=("Difference", "差额"),
    still_open=("Still open after settlement", "结算后未清"),
    operators_short=("Short of what operators earned", "运营方少付"),
    debit_side=("All debits", "借方合计"),
    credit_side=("All credits", "贷方合计"),
    # verdicts
    balanced=("The books balance to the fen.", "账务分毫不差。"),
    unbalanced=("The books do not balance.", "账务不平。"),
    all_explained=("Every charge is explained by the tariff.", "每笔扣款均有票价依据。"),
    some_unexplained=("Some charges are not explained by the tariff.", "部分扣款缺少票价依据。"),
    all_found=("Every injected fault was found for the right reason.", "注入差错全部检出且原因正确。"),
    some_missed=("Not every injected fault was found for the right reason.", "注入差错未能全部正确检出。"),
    nothing_refused=("No record was refused.", "没有被拒付的记录。"),
    no_findings=("Nothing to look at.", "没有待查事项。"),
    # the page itself
    taps_file=("Real taps", "真实刷卡数据"),
    generated=("Generated city", "模拟生成的城市"),
    seed=("Seed", "随机种子"),
    yuan=("Amounts in yuan", "金额单位：元"),
    taps_axis=("taps an hour", "次/小时"),
    as_table=("The same as a table", "以表格查看"),
    made_by=("Made by", "生成软件"),
)

OUTCOME_WORDS = {
    Outcome.PAID: Text(en="Paid", zh="已付"),
    Outcome.REJECTED: Text(en="Rejected", zh="拒付"),
    Outcome.DUPLICATE: Text(en="Duplicate", zh="重复"),
    Outcome.UNCONFIRMED: Text(en="Unconfirmed", zh="待确认"),
    Outcome.VOID: Text(en="Void", zh="未扣款"),
    Outcome.PARKED: Text(en="Parked", zh="整批搁置"),
    Outcome.REPLAYED: Text(en="Sent again", zh="重复上送"),
}

SEVERITY_WORDS = {
    "info": Text(en="Info", zh="提示"),
    "warning": Text(en="Warning", zh="警告"),
    "error": Text(en="Error", zh="错误"),
}

ROLE_WORDS = {
    "issuer": Text(en="Issuer", zh="发卡方"),
    "operator": Text(en="Service operator", zh="运营方"),
    "acquirer": Text(en="Acquirer", zh="收单方"),
    "load_agent": Text(en="Load agent", zh="充值代理"),
    "government": Text(en="Government", zh="政府"),
    "scheme": Text(en="Scheme", zh="卡组织"),
}
