"""The files of a SQLite ledger as seen from outside: permissions, headers, the write-ahead log, tables."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from goal_ledger.adapters.backends.examination import Diagnosis, Examined, ExaminedViews, Level, beginning
from goal_ledger.adapters.sql.header import header
from goal_ledger.adapters.store.sqlite import APPLICATION_ID as LEDGER_FILE
from goal_ledger.adapters.views.look import look
from goal_ledger.adapters.views.sqlite import APPLICATION_ID as VIEWS_FILE
from goal_ledger.domain.errors import Blank, Hint, LedgerError, Unavailable

_LARGE_WAL = 64 * 1024 * 1024
"""Bytes: SQLite folds its write-ahead log into the file at 4 MB, unless a reader holds it back."""


def examine(path: Path | None) -> Examined:
    """What stands around a log, which is in memory when path is None."""
    if path is None:
        return Examined([Diagnosis("ledger", Level.OK, "in memory: it ends with its process")], is_there=False)
    if not path.exists():
        way_out = "create one: " + beginning(str(path))
        return Examined([Diagnosis("ledger", Level.WARNING, f"there is none at {path}", way_out)], is_there=False)
    findings = [*_around(path)]
    if path.stat().st_size == 0:
        way_out = "begin one in it: " + beginning(str(path))
        findings.append(Diagnosis("ledger", Level.WARNING, f"{path} is empty", way_out))
        return Examined(findings, is_there=False)
    try:
        return Examined(findings, format=_format(path), waiting=_size(_wal(path)))
    except LedgerError as error:
        return Examined(findings, error=error)


def examine_views(path: Path | None) -> ExaminedViews:
    """The tables in the file of the read models."""
    if path is None or not path.exists():
        return ExaminedViews()
    try:
        if (whose := header(path).application_id) != VIEWS_FILE:
            level = Level.PROBLEM if whose else Level.WARNING
            says = f"{path} is where they belong, and is something else"
            return ExaminedViews(trouble=Diagnosis("views", level, says, "move it away"))
        return ExaminedViews(look(path))
    except LedgerError as error:
        away = f"delete it, nothing is lost: rm {shlex.quote(str(path))}*"
        says = f"{path} cannot be used: {error.message}"
        return ExaminedViews(trouble=Diagnosis("views", Level.WARNING, says, away))


def _around(path: Path) -> Iterator[Diagnosis]:
    yield _permissions("folder", path.absolute().parent)
    yield _permissions("file", path)
    if (size := _size(_wal(path))) > _LARGE_WAL:
        yield Diagnosis(
            "write-ahead log", Level.WARNING, f"{size:,} bytes: a reader holds it back", "end readers that run for long"
        )


def _permissions(check: str, path: Path) -> Diagnosis:
    mode = path.stat().st_mode
    what, quoted = f"{path} ({stat.filemode(mode)})", shlex.quote(str(path))
    usable = os.X_OK if path.is_dir() else 0
    if not os.access(path, os.R_OK | usable):
        return Diagnosis(check, Level.PROBLEM, f"{what} cannot be read", f"chmod u+rX {quoted}, or ask its owner")
    if not os.access(path, os.W_OK):
        return Diagnosis(check, Level.WARNING, f"{what} cannot be written", f"chmod u+w {quoted}, or ask its owner")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return Diagnosis(check, Level.WARNING, f"{what} can be changed by anybody", f"chmod o-w {quoted}")
    return Diagnosis(check, Level.OK, what)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _format(path: Path) -> Diagnosis:
    """Of the log's tables. Unavailable: not_a_ledger, cannot_open. Damaged: corrupt."""
    found = header(path)
    if found.application_id != LEDGER_FILE:
        raise Unavailable("not_a_ledger", f"{path} is not a goal-ledger file", hint="name another file with --db")
    says = f"{found.format}, journal mode {found.journal_mode}"
    if found.journal_mode != "wal":
        return Diagnosis(
            "format", Level.WARNING, f"{says}: readers wait for writers",
            "copy it: " + Hint("ledger", "backup", Blank("FILE")) + ", and go on with the copy",
        )  # fmt: skip
    return Diagnosis("format", Level.OK, says)
