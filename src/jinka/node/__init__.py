"""I/O shells around the cores: files that are durable before they are named, and one run at a time in a folder.

No rules of the scheme live here. Later: TCP ports, PC/SC, LLRP, PKCS#11.
"""

from jinka.node.audit_log import AuditLog, read_audit_lines
from jinka.node.files import FolderLock, append_line, read_lines, write_durable
from jinka.node.problems import file_error, file_errors

__all__ = [
    "AuditLog",
    "FolderLock",
    "append_line",
    "file_error",
    "file_errors",
    "read_audit_lines",
    "read_lines",
    "write_durable",
]
