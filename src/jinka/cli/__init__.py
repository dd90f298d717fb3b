"""The command line: `jinka <noun> <verb>`. It reads arguments, calls one function of `app`, and shows the result.

Data goes to standard output, progress and messages to standard error. The exit codes are those of `frame.EXIT_CODES`.
"""

from jinka.cli.main import main

__all__ = ["main"]
