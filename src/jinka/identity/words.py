"""What people read of applications: acts, reasons, labels, in both languages. States and profiles say their own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jinka.crypto.x509_crl import Reason
from jinka.identity.application import Act

ACTS: Mapping[Act, tuple[str, str]] = MappingProxyType(
    {
        Act.APPROVE: ("approved", "审批通过"),
        Act.REJECT: ("rejected", "驳回"),
        Act.ISSUE: ("issued", "签发"),
        Act.SUSPEND: ("suspended", "冻结"),
        Act.RESUME: ("resumed", "解冻"),
        Act.RENEW: ("renewed", "更新"),
        Act.REVOKE: ("revoked", "吊销"),
        Act.EXPIRE: ("expired", "过期"),
    }
)
REASONS: Mapping[Reason, tuple[str, str]] = MappingProxyType(
    {
        Reason.UNSPECIFIED: ("unspecified", "未说明"),
        Reason.KEY_COMPROMISE: ("key compromise", "密钥泄露"),
        Reason.AUTHORITY_COMPROMISE: ("authority compromise", "发证机构密钥泄露"),
        Reason.AFFILIATION_CHANGED: ("affiliation changed", "隶属关系变更"),
        Reason.SUPERSEDED: ("superseded", "已被取代"),
        Reason.CESSATION: ("cessation of operation", "停止使用"),
        Reason.PRIVILEGE_WITHDRAWN: ("privilege withdrawn", "撤销权限"),
        Reason.ATTRIBUTES_COMPROMISE: ("attributes compromise", "属性泄露"),
    }
)
LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "id": ("application", "申请编号"),
        "profile": ("profile", "类型"),
        "name": ("name", "名称"),
        "state": ("state", "状态"),
        "requester": ("asked by", "申请人"),
        "until": ("until", "有效期至"),
        "serial": ("serial number", "序列号"),
    }
)
