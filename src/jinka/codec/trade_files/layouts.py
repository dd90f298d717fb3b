"""The layouts that Jinka knows: UnionPay-style daily files, and a city-union file of its own.

`UNIONPAY_COM` and `UNIONPAY_ERR` are an institution's daily files of ordinary and of corrected transactions. The text
of UnionPay's file interface is not public; names, order and widths of the fields are those on which independent public
programs that read these files agree, and only as far as they agree: what follows in a line is kept as it is (``rest``).
The numbers in ``source`` are those of the ISO 8583 fields (GB/T 15150) that they repeat.

`CITY_UNION` is Jinka's own. CJ/T 332 and JT/T 978.4 have files for records of foreign cards and for their results, but
their tables were found in no public place. So it has the fields of the clearing record (`jinka.codec.record`) and their
outcome, one line each, between a header and a trailer.
"""

from __future__ import annotations

from jinka.codec.trade_files.layout import Coding, Field, Layout, Origin


def _public(table: str) -> tuple[Field, ...]:
    """``name width coding source Chinese`` a line; a coding that ends with ? may be blank."""
    return tuple(_field(line.split(), Origin.PUBLIC) for line in table.strip().splitlines())


def _own(table: str) -> tuple[Field, ...]:
    return tuple(_field(line.split(), Origin.OWN) for line in table.strip().splitlines())


def _field(words: list[str], origin: Origin) -> Field:
    name, width, coding, source, zh = words
    name, _, constant = name.partition("=")
    return Field(
        name=name, width=int(width), coding=_CODINGS[coding.rstrip("?")], zh=zh, origin=origin,
        source="" if source == "-" else source, optional=coding.endswith("?"), constant=constant,
    )  # fmt: skip


_CODINGS = {
    "text": Coding.TEXT, "n": Coding.DIGITS, "n..": Coding.DIGITS_LEFT, "amount": Coding.AMOUNT,
    "x+n": Coding.CREDIT_DEBIT, "+n": Coding.SIGNED, "hex": Coding.HEX, "date": Coding.DATE,
}  # fmt: skip

UNIONPAY_COM = Layout(
    name="unionpay-com",
    en="UnionPay-style file of a day's ordinary transactions",
    zh="一般交易流水文件",
    fields=_public("""
        acquirer         11 text    F32   代理机构标识码
        forwarder        11 text    F33   发送机构标识码
        trace             6 n       F11   系统跟踪号
        sent_at          10 n       F7    交易传输时间
        pan              19 n..     F2    主账号
        amount           12 amount  F4    交易金额
        partial_amount   12 amount? F95   部分代收时的承兑金额
        holder_fee       12 x+n?    F28   持卡人交易手续费
        message_type      4 n       F0    报文类型
        processing_code   6 n       F3    交易类型码
        merchant_type     4 n?      F18   商户类型
        terminal          8 text    F41   受卡机终端标识码
        merchant         15 text    F42   受卡方标识码
        reference        12 text    F37   检索参考号
        condition         2 n?      F25   服务点条件码
        approval          6 text    F38   授权应答码
        receiver         11 text    F100  接收机构标识码
        original_trace    6 n?      F90   原始交易的系统跟踪号
        response          2 text    F39   交易返回码
        entry_mode        3 n?      F22   服务点输入方式
        fee_receivable   12 amount? -     受理方应收手续费
        fee_payable      12 amount? -     受理方应付手续费
        switch_fee       12 x+n?    -     转接服务费
        conversion        1 text    -     单双转换标志
        card_sequence     3 n?      F23   卡片序列号
        reading_ability   1 text    F60   终端读取能力
        ic_condition      1 text    F60   IC卡条件代码
        original_sent_at 10 n?      F90   原始交易日期时间
        issuer           11 text    -     发卡机构标识码
        region_flag       1 text    -     交易地域标志
        terminal_type     2 text    F60   终端类型
        eci               2 text    F60   ECI标志
        instalment_fee   12 x+n?    -     分期付款附加手续费
        other            14 text    -     其他信息
    """),
    key=("acquirer", "forwarder", "trace", "sent_at", "reference"),
    amount="amount",
    personal=("pan",),
    separator=b" ",
    rest="rest",
)

UNIONPAY_ERR = Layout(
    name="unionpay-err",
    en="UnionPay-style file of a day's corrected transactions",
    zh="差错交易流水文件",
    fields=_public("""
        error_flag         3 text    -     差错交易标志
        acquirer          11 text    F32   代理机构标识码
        forwarder         11 text    F33   发送机构标识码
        trace              6 n       F11   系统跟踪号
        sent_at           10 n       F7    交易传输时间
        pan               19 n..     F2    主账号
        amount            12 amount  F4    交易金额
        message_type       4 n       F0    报文类型
        processing_code    6 n       F3    交易类型码
        merchant_type      4 n?      F18   商户类型
        terminal           8 text    F41   受卡机终端标识码
        reference         12 text    F37   上一笔交易检索参考号
        condition          2 n?      F25   服务点条件码
        approval           6 text    F38   授权应答码
        receiver          11 text    F100  接收机构标识码
        issuer            11 text    -     发卡银行标识码
        original_trace     6 n?      F90   上一笔交易的系统跟踪号
        response           2 text    F39   交易返回码
        entry_mode         3 n?      F22   服务点输入方式
        fee_receivable    12 amount? -     受理方应收手续费
        fee_payable       12 amount? -     受理方应付手续费
        instalment_fee    12 x+n?    -     分期付款附加手续费
        holder_fee        12 x+n?    F28   持卡人交易手续费
        receivable        12 x+n?    -     应收费用
        payable           12 x+n?    -     应付费用
        reason             4 text    -     差错原因
        from_institution  11 text    F100  接收机构标识码/转出机构标识码
        from_account      19 n..?    F102  转出卡号
        to_institution    11 text    -     转入机构标识码
        to_account        19 n..?    F103  转入卡号
        original_sent_at  10 n?      F90   上一笔交易的日期时间
        card_sequence      3 n?      F23   卡片序列号
        reading_ability    1 text    F60   终端读取能力
        ic_condition       1 text    F60   IC卡条件代码
        original_cleared   4 n?      F15   上一笔交易清算日期
        original_amount   12 amount? F4    上一笔交易金额
        region_flag        1 text    -     交易地域标志
        eci                2 text    F60   ECI标志
        merchant          15 text    F42   商户代码
    """),
    key=("error_flag", "acquirer", "forwarder", "trace", "sent_at"),
    amount="amount",
    personal=("pan", "from_account", "to_account"),
    separator=b" ",
    rest="rest",
)

CITY_UNION = Layout(
    name="city-union",
    en="City-union file of a day's card transactions and their outcomes (Jinka's own)",
    zh="城市联盟日交易及清算结果文件（金卡自定义）",
    header=_own("""
        mark=JKCU01  6 text    -     文件标识
        sender      24 text    -     发送方
        receiver    24 text    -     接收方
        date         8 date    -     清算日期
    """),
    fields=_own("""
        mark=D            1 text  -                记录标识
        batch            32 hex   batch            批次号
        batch_seq        10 n     batch_seq        批内序号
        state             1 n     state            记录状态
        card_no          20 hex   card_no          卡号
        card_len          2 n     card_len         卡号位数
        profile          32 text  profile          应用
        profile_version   5 n     profile_version  应用版本
        txn_type          2 hex   txn_type         交易类型
        amount           20 +n    amount           交易金额
        balance          20 +n    balance          交易后余额
        gross_fare       20 +n    gross_fare       应收票价
        product          32 text  product          票种
        counter           5 n     counter          交易计数器
        counter_kind      1 n     counter_kind     计数器类别
        terminal_id      12 hex   terminal_id      终端编号
        terminal_serial  10 n     terminal_serial  终端交易序号
        psam_id          20 hex   psam_id          安全模块编号
        local_date        8 hex   local_date       交易日期
        local_time        6 hex   local_time       交易时间
        zone             32 text  zone             时区
        business_date     8 date  business_date    营业日
        issuer           32 text  issuer           发卡机构
        acquirer         32 text  acquirer         收单机构
        operator         32 text  operator         运营方
        line             32 text? line             线路
        stop             64 text? stop             站点
        key_version       3 n     key_version      密钥版本
        algorithm         1 n     algorithm        算法
        tac              32 hex?  tac              交易认证码
        outcome          12 text  -                清算结果
        reason           24 text  -                结果原因
    """),
    trailer=_own("""
        mark=T       1 text    -     记录标识
        count       10 amount  -     记录数
        total       20 +n      -     总金额
        check       64 hex     -     校验值
    """),
    key=("batch", "batch_seq"),
    amount="amount",
    personal=("card_no",),
)

LAYOUTS = {layout.name: layout for layout in (UNIONPAY_COM, UNIONPAY_ERR, CITY_UNION)}
