"""How a command ends when it cannot do what it was asked: an exit code for scripts and a sentence for people."""

from typing import Final

OK: Final = 0
NEGATIVE: Final = 1
"""The answer is no: unsafe settings under `--strict`, a question answered with no, a step of the demo that failed."""
USAGE: Final = 2
"""The command line or the configuration cannot be used; click itself uses 2 for the former."""
NOT_FOUND: Final = 3
EXISTS: Final = 4
UNAVAILABLE: Final = 5
"""The store, or the port to listen on, cannot be had."""


class Failure(Exception):
    """Ends the command with `exit_code`; the sentence goes to standard error, without a traceback."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code: Final = exit_code
