"""What went wrong, where, and how to mend it.

    YukjoError
    ├── ConfigError    the project file or an option
    ├── DataError      records, samples, templates
    ├── ModelError     the base model
    ├── AdapterError   an adapter, or an adapter and a base that don't match
    ├── RunError       a run: its folder, its checkpoints, its memory
    ├── LedgerError    the record
    └── ReviewError    a review: its session, its seal, a rating, a decision

The command line prints the three parts and exits 2. Anything else that escapes is a bug of ours
and keeps its traceback.
"""


class YukjoError(Exception):
    """A fault the user can mend; all three parts are sentences for people."""

    exit_code = 2
    """What the command line leaves with."""

    def __init__(self, what: str, *, where: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  fix:   {self.fix}"


class ConfigError(YukjoError):
    """The project file or an option can't be used."""


class DataError(YukjoError):
    """Records, samples or a chat template can't be used."""


class ModelError(YukjoError):
    """The base model can't be had or used."""


class AdapterError(YukjoError):
    """An adapter can't be used, or not with this base."""


class RunError(YukjoError):
    """A run can't start, go on or be found."""


class LedgerError(YukjoError):
    """The record can't be read or written, or was changed."""


class ReviewError(YukjoError):
    """A review's session, seal, rating or decision can't be used."""
