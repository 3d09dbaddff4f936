"""What can go wrong, by what a caller would do about it. Codes are stable; messages are one line."""


class LedgerError(Exception):
    """Any refusal or failure of the ledger.

    code: stable, snake_case. hint: the way out, usually a command; `{stream}` in it is filled with the stream acted on.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def about(self, stream: str) -> None:
        """Fill the hint with the stream that was acted on."""
        if self.hint is not None:
            self.hint = self.hint.replace("{stream}", stream)


class Unavailable(LedgerError):
    """The machine said no: disk full, file not writable, a file that is no ledger. Nothing was written."""


class Invalid(LedgerError):
    """The input has the wrong shape: type, range, text. Correct it and call again."""

    exit_code = 2


class Rejected(LedgerError):
    """A rule refuses the wish in the present state. Nothing was written."""

    exit_code = 3


class Conflict(LedgerError):
    """Somebody else was first: the caller's expected version is gone, or the lock stayed busy. Load again and retry."""

    exit_code = 4


class NotFound(LedgerError):
    """There is no such goal, run or ledger."""

    exit_code = 5


class Damaged(LedgerError):
    """The stored history is not what was written. Verify, then restore a backup.

    problems: every finding, in order of position.
    """

    exit_code = 6

    def __init__(self, code: str, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()) -> None:
        super().__init__(code, message, hint=hint)
        self.problems = problems
