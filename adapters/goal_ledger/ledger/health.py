"""Whether a ledger is well: its files, its log, its read models, and what stands around them."""

from __future__ import annotations

import os
import platform
import re
import shlex
import stat
from collections.abc import Iterator, Sequence
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from goal_ledger.adapters.sql.header import header, sqlite_version
from goal_ledger.adapters.store.sqlite import APPLICATION_ID as LEDGER_FILE
from goal_ledger.adapters.views.lease import is_held
from goal_ledger.adapters.views.log import Progress, quiet
from goal_ledger.adapters.views.look import Folded, look, rows
from goal_ledger.adapters.views.shelf import Role
from goal_ledger.adapters.views.sqlite import APPLICATION_ID as VIEWS_FILE
from goal_ledger.domain.errors import Blank, Damaged, Hint, LedgerError, NotFound, Unavailable
from goal_ledger.domain.goals.loop import is_overdue
from goal_ledger.domain.settings import Settings, Stale
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.audit.log import Stats
from goal_ledger.ledger.continuity.process import is_alive
from goal_ledger.ledger.engine.configuration import configure, settings_file
from goal_ledger.ledger.engine.engine import utc_now
from goal_ledger.ledger.engine.location import Location, views_beside
from goal_ledger.ledger.ledger import Ledger
from goal_ledger.projections.goals.open_loops import open_loops
from goal_ledger.projections.registry import PROJECTIONS

_LARGE_WAL = 64 * 1024 * 1024
"""Bytes: SQLite folds its write-ahead log into the file at 4 MB, unless a reader holds it back."""


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(NamedTuple):
    """check: what was looked at. do: the way out, in words or as a `Hint`."""

    check: str
    level: Level
    says: str
    do: str | None = None


class Health(NamedTuple):
    """Every finding. damaged: the history is not what was written."""

    findings: Sequence[Finding]
    damaged: bool

    @property
    def ok(self) -> bool:
        """Whether nothing is broken; warnings are no breakage."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)


def examine(location: Location, *, verify: bool = False, progress: Progress = quiet) -> Health:
    """Look at a ledger and all around it; nothing is created, healed or moved.

    verify: prove every event, which takes its time.
    """
    findings = [*_versions()]
    settings = Settings()
    if location.is_memory:
        return Health([*findings, Finding("ledger", Level.OK, "in memory: it ends with its process")], damaged=False)
    try:
        configuration = configure(settings_file(location))
        settings = configuration.settings
        findings.append(_of_settings(configuration.origins))
    except LedgerError as error:
        findings.append(Finding("settings", Level.PROBLEM, error.message, error.hint or "correct it or take it away"))
    path = location.path
    if path is not None:
        if not path.exists():
            nothing = Finding("ledger", Level.WARNING, f"there is none at {path}", "create one: " + beginning(path))
            return Health([*findings, nothing], damaged=False)
        findings += _files(path)
        if path.stat().st_size == 0:
            nothing = Finding("ledger", Level.WARNING, f"{path} is empty", "begin one in it: " + beginning(path))
            return Health([*findings, nothing], damaged=False)
    try:
        stats = _of_log(location, settings, findings, verify=verify, progress=progress)
    except NotFound as error:
        findings.append(Finding("ledger", Level.WARNING, error.message, "create one: " + beginning(location.name)))
        return Health(findings, damaged=False)
    except LedgerError as error:
        findings.append(Finding("ledger", Level.PROBLEM, error.message, error.hint))
        return Health(findings, damaged=isinstance(error, Damaged))
    findings += _views(location, stats, settings)
    return Health(findings, damaged=False)


def beginning(path: Path | str) -> Hint:
    """The call that creates a ledger there."""
    return Hint("goal", "create", "Cut checkout errors", db=str(path))


# --- What stands around it


def _versions() -> Iterator[Finding]:
    yield Finding("python", Level.OK, f"{platform.python_version()}, SQLite {sqlite_version()}")
    try:
        needed = [
            re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            for requirement in metadata.requires("goal-ledger") or ()
            if "extra ==" not in requirement
        ]
        versions = [f"{name} {metadata.version(name)}" for name in ("goal-ledger", *needed)]
    except metadata.PackageNotFoundError as error:
        yield Finding("packages", Level.PROBLEM, f"{error.name} is not installed", "install goal-ledger again")
    else:
        yield Finding("packages", Level.OK, ", ".join(versions))


def _of_settings(origins: dict[str, str]) -> Finding:
    changed = [f"{name} from {origin}" for name, origin in origins.items() if origin != "default"]
    return Finding("settings", Level.OK, ", ".join(changed) or "all at their defaults")


def _files(path: Path) -> Iterator[Finding]:
    yield _permissions("folder", path.absolute().parent)
    yield _permissions("file", path)
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and (size := wal.stat().st_size) > _LARGE_WAL:
        yield Finding(
            "write-ahead log", Level.WARNING, f"{size:,} bytes: a reader holds it back", "end readers that run for long"
        )


def _permissions(check: str, path: Path) -> Finding:
    mode = path.stat().st_mode
    what, quoted = f"{path} ({stat.filemode(mode)})", shlex.quote(str(path))
    usable = os.X_OK if path.is_dir() else 0
    if not os.access(path, os.R_OK | usable):
        return Finding(check, Level.PROBLEM, f"{what} cannot be read", f"chmod u+rX {quoted}, or ask its owner")
    if not os.access(path, os.W_OK):
        return Finding(check, Level.WARNING, f"{what} cannot be written", f"chmod u+w {quoted}, or ask its owner")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return Finding(check, Level.WARNING, f"{what} can be changed by anybody", f"chmod o-w {quoted}")
    return Finding(check, Level.OK, what)


# --- The log


def _of_log(
    location: Location, settings: Settings, findings: list[Finding], *, verify: bool, progress: Progress
) -> Stats:
    path = location.path
    found = None if path is None else header(path)
    if found is not None and found.application_id != LEDGER_FILE:
        raise Unavailable("not_a_ledger", f"{path} is not a goal-ledger file", hint="name another file with --db")
    with Ledger.open(location, settings=settings, create=False) as ledger:
        stats = ledger.log.stats()
        if stats.events != stats.head:
            raise Damaged(
                "damaged",
                f"{stats.events:,} events, but the last one is at position {stats.head:,}",
                hint="see what is missing: " + Hint("ledger", "verify"),
            )
        wal = None if path is None else path.with_name(path.name + "-wal")
        waiting = wal.stat().st_size if wal is not None and wal.exists() else 0
        sizes = f"{stats.bytes:,} bytes" + (f" and {waiting:,} in the write-ahead log" if waiting else "")
        findings.append(Finding("ledger", Level.OK, f"{stats.ledger_id}, {stats.events:,} events, {sizes}"))
        if found is not None:
            findings.append(_journal(found.format, found.journal_mode))
        findings += _sessions(ledger)
        if verify:
            ledger.log.verify(lambda done: progress(done, stats.events))
            findings.append(Finding("proof", Level.OK, f"{stats.events:,} events, each as it was written"))
        return stats


def _sessions(ledger: Ledger) -> Iterator[Finding]:
    """How the latest session ended, or the one before it; nothing when there was none."""
    try:
        session = ledger.sessions.get()
    except NotFound:
        return
    what = f"session {session.number}"
    if session.status != "stopped" and session.owner is not None and is_alive(session.owner) is False:
        yield Finding(
            "session", Level.WARNING, f"{what} ended without a stop: its process is gone",
            "reconcile what it left over: " + Hint("session", "start"),
        )  # fmt: skip
    elif session.last_stop == "unclean":
        yield Finding(
            "session", Level.WARNING, f"{what} is {session.status}; the one before it ended without a stop",
            "see what was left over: " + Hint("session", "report"),
        )  # fmt: skip
    else:
        yield Finding("session", Level.OK, f"{what} is {session.status}")


def _loops(path: Path, now: str) -> Iterator[Finding]:
    """Loops that are owed after their time, as far as the read models know; they are not moved for it."""
    overdue = [row for row in rows(path, open_loops, {"status": "open"}) if is_overdue(row.status, row.due_at, now)]
    if overdue:
        yield Finding(
            "loops", Level.WARNING, f"{len(overdue):,} open loops are overdue", "see them: " + Hint("loop", "list")
        )


def _journal(version: int, mode: str) -> Finding:
    if mode != "wal":
        return Finding(
            "format", Level.WARNING, f"{version}, journal mode {mode}: readers wait for writers",
            "copy it: " + Hint("ledger", "backup", Blank("FILE")) + ", and go on with the copy",
        )  # fmt: skip
    return Finding("format", Level.OK, f"{version}, journal mode {mode}")


# --- The read models


def _views(location: Location, stats: Stats, settings: Settings) -> Iterator[Finding]:
    path = None if location.path is None else views_beside(location.path)
    if path is None:
        where = f"{location.schema}_views"
        away = f"drop them, nothing is lost: DROP SCHEMA {where} CASCADE"
    else:
        where, away = str(path), f"delete it, nothing is lost: rm {shlex.quote(str(path))}*"
    try:
        if path is not None and path.exists() and (whose := header(path).application_id) != VIEWS_FILE:
            level = Level.PROBLEM if whose else Level.WARNING
            yield Finding("views", level, f"{path} is where they belong, and is something else", "move it away")
            return
        folded = _tables(location)
    except LedgerError as error:
        yield Finding("views", Level.WARNING, f"{where} cannot be used: {error.message}", away)
        return
    if folded is None:
        yield Finding("views", Level.OK, "not made yet; the first question makes them")
        return
    yield from _folded(folded, stats, settings)
    if location.path is not None:
        yield from _loops(views_beside(location.path), utc_text(utc_now()))


def _tables(location: Location) -> Sequence[Folded] | None:
    """The tables of the read models, wherever they are; None when there are none yet."""
    if location.path is not None:
        path = views_beside(location.path)
        return look(path) if path.exists() else None
    from goal_ledger.adapters.views.postgres import look_at_server

    return look_at_server(location.url or "", schema=location.schema, name=location.name)


def _folded(folded: Sequence[Folded], stats: Stats, settings: Settings) -> Iterator[Finding]:
    wanted = {(projection.name, projection.digest) for projection in PROJECTIONS.values()}
    ours = [each for each in folded if (each.projection, each.digest) in wanted]
    live = [each for each in ours if each.role == Role.LIVE]
    if any(each.ledger != stats.ledger_id or each.position > stats.head for each in live):
        yield Finding("views", Level.WARNING, "of another past; the next question folds them anew")
    elif lacking := sorted({name for name, _ in wanted} - {each.projection for each in live}):
        yield _not_folded(lacking, {each.projection for each in folded}, stats, settings)
    else:
        behind = stats.head - min(each.position for each in live)
        yield Finding(
            "views", Level.OK, f"{behind:,} events behind; the next question catches up" if behind else "up to date"
        )
    if quarantined := sum(each.quarantined for each in live):
        yield Finding(
            "views", Level.WARNING, f"{quarantined:,} events could not be folded",
            "see why: " + Hint("projection", "status"),
        )  # fmt: skip
    for each in folded:
        if each.role == Role.NEW:
            yield _being_built(each, stats, is_ours=each in ours)
    kept = [each for each in folded if each not in live and each.role != Role.NEW]
    if kept:
        yield Finding(
            "views", Level.WARNING, f"{len(kept)} earlier tables take up space", Hint("projection", "drop-old")
        )


def _not_folded(lacking: Sequence[str], known: set[str], stats: Stats, settings: Settings) -> Finding:
    names = ", ".join(lacking)
    what = "only folded by other versions" if known.issuperset(lacking) else "not folded yet by this version"
    rebuild = Hint("projection", "rebuild", tuple(lacking))
    if settings.stale is Stale.REBUILD or stats.head <= settings.page:
        return Finding("views", Level.OK, f"{names}: {what}; the next question does")
    answer = "refused" if settings.stale is Stale.REFUSE else "kept waiting"
    return Finding("views", Level.WARNING, f"{names}: {what}, and questions are {answer}", rebuild)


def _being_built(table: Folded, stats: Stats, *, is_ours: bool) -> Finding:
    name, at = table.projection, f"position {table.position:,} of {stats.head:,}"
    if is_held(table.builder, table.lease_until):
        return Finding("views", Level.OK, f"{name}: {table.builder} builds a new table, {at} is written")
    if not is_ours:
        return Finding(
            "views", Level.WARNING, f"{name}: other code left a new table at {at}", Hint("projection", "drop-old")
        )
    return Finding(
        "views", Level.WARNING, f"{name}: a new table stands at {at}, and nobody builds it",
        Hint("projection", "swap", (name,)) + f", or drop-new {name}",
    )  # fmt: skip
