"""Status words in words, English and Chinese (ISO/IEC 7816-4, table 5 and 6; JR/T 0025.1; FMCOS 2.0 user manual).

Only what these sources say: a status word that is not here is unknown, and the class of its first byte is named.
"""

from __future__ import annotations

from dataclasses import dataclass

_WORDS: dict[int, tuple[str, str]] = {
    0x9000: ("done", "执行成功"),
    0x6281: ("part of the data may be corrupted", "回送的数据可能有错"),
    0x6283: ("the selected file or application is invalidated", "选择的文件或应用已失效"),
    0x6300: ("authentication failed", "认证失败"),
    0x6581: ("the memory failed; nothing was changed", "写存储器失败"),
    0x6700: ("wrong length", "长度错误"),
    0x6882: ("secure messaging is not supported", "不支持安全报文"),
    0x6900: ("not possible now", "不能处理"),
    0x6901: ("out of order: the step before it is missing", "命令不接受（状态无效）"),
    0x6981: ("the file is of another type", "命令与文件结构不相容"),
    0x6982: ("the security status is not satisfied: a key or PIN comes first", "不满足安全状态"),
    0x6983: ("the key or PIN is locked", "密钥或口令已锁死"),
    0x6984: ("the referenced data cannot be used", "引用数据无效"),
    0x6985: ("the conditions of use are not satisfied", "使用条件不满足"),
    0x6986: ("no current file", "没有选择当前文件"),
    0x6987: ("the MAC is missing", "没有安全报文（缺少 MAC）"),
    0x6988: ("the MAC or cryptogram of secure messaging is wrong", "安全报文数据项不正确"),
    0x6A80: ("wrong parameters in the data", "数据域参数错误"),
    0x6A81: ("not supported, or the application or card is blocked", "功能不支持，或应用、卡片已锁定"),
    0x6A82: ("file or application not found", "未找到文件或应用"),
    0x6A83: ("record not found", "未找到记录"),
    0x6A84: ("no room left", "文件存储空间不足"),
    0x6A86: ("wrong P1 or P2", "P1、P2 参数错误"),
    0x6A88: ("referenced data not found", "未找到引用数据"),
    0x6B00: ("the offset is outside of the file", "偏移量超出文件范围"),
    0x6D00: ("the command (INS) is not known", "INS 不支持"),
    0x6E00: ("the class (CLA) is not known", "CLA 不支持"),
    0x6F00: ("no precise diagnosis", "未给出准确诊断"),
    0x9302: ("the MAC is wrong", "MAC 错误"),
    0x9303: ("the application is locked for good", "应用已被永久锁定"),
    0x9401: ("the balance is too small", "余额不足"),
    0x9402: ("the transaction counter is at its maximum", "交易计数器达到最大值"),
    0x9403: ("no such key", "密钥索引不支持"),
    0x9406: ("the MAC or proof is not available", "所需 MAC 不可用"),
}

_CLASSES: dict[int, tuple[str, str]] = {
    0x62: ("a warning; nothing was changed", "警告，状态未改变"),
    0x63: ("a warning; something was changed", "警告，状态已改变"),
    0x64: ("an error; nothing was changed", "错误，状态未改变"),
    0x65: ("an error; something was changed", "错误，状态已改变"),
    0x66: ("an error of security", "安全相关错误"),
    0x68: ("a function of the class byte is not supported", "CLA 功能不支持"),
    0x69: ("the command is not allowed", "命令不允许"),
    0x6A: ("wrong parameters", "参数错误"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a status word says; ``known`` is False where only its class could be named, or not even that."""

    english: str
    chinese: str
    known: bool = True

    def __str__(self) -> str:
        return f"{self.english} / {self.chinese}"


def explain(sw: int) -> Words:
    """The words for SW1 SW2."""
    first, second = sw >> 8, sw & 0xFF
    if first == 0x61:
        return Words(
            english=f"done; {second or 256} bytes wait (GET RESPONSE)",
            chinese=f"成功，还有 {second or 256} 字节",
        )
    if first == 0x6C:
        return Words(english=f"wrong Le; {second} bytes are there", chinese=f"Le 错误，实际 {second} 字节")
    if first == 0x63 and second >> 4 == 0x0C:
        return Words(english=f"wrong; {second & 15} tries left", chinese=f"验证失败，剩余 {second & 15} 次")
    found = _WORDS.get(sw)
    if found is not None:
        return Words(english=found[0], chinese=found[1])
    english, chinese = _CLASSES.get(first, ("not in the tables of this program", "未知状态字"))
    return Words(english=english, chinese=chinese, known=False)
