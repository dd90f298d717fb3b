"""I/O shells around the cores: files that are durable before they are named, and one run at a time in a folder.

No rules of the scheme live here. Later: TCP ports, PC/SC, LLRP, PKCS#11.
"""

from jinka.node.files import FolderLock, append_line, write_durable

__all__ = ["FolderLock", "append_line", "write_durable"]
