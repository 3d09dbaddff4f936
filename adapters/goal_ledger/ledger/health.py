"""Whether a ledger is well: its files, its log, its read models, and what stands around them."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib import metadata
from typing import Any, NamedTuple

from goal_ledger.adapters.backends.backend import Backend
from goal_ledger.adapters.backends.examination import Diagnosis, Examined, Level, beginning
from goal_ledger.adapters.backends.registry import BACKENDS
from goal_ledger.adapters.process import is_alive
from goal_ledger.adapters.sql.header import sqlite_version
from goal_ledger.adapters.views.lease import is_held
from goal_ledger.adapters.views.log import Progress, quiet
from goal_ledger.adapters.views.look import Folded
from goal_ledger.adapters.views.shelf import Role
from goal_ledger.domain.continuity.session import LastStop, SessionStatus
from goal_ledger.domain.errors import Damaged, Hint, LedgerError, NotFound
from goal_ledger.domain.goals.loop import REFUSED, LoopStatus, is_overdue
from goal_ledger.domain.proposals.detectors.base import Detector
from goal_ledger.domain.runs.run import RunStatus
from goal_ledger.domain.settings import Settings, Stale
from goal_ledger.domain.times import utc_text
from goal_ledger.ledger.audit.log import Stats
from goal_ledger.ledger.duties import DUTIES, Duty
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.configuration import configure
from goal_ledger.ledger.engine.core import every_projection
from goal_ledger.ledger.engine.engine import utc_now
from goal_ledger.ledger.engine.reactions import Reaction, Reactions
from goal_ledger.ledger.goals.loops import note_refusal
from goal_ledger.ledger.ledger import Ledger
from goal_ledger.ledger.reactions import REACTIONS
from goal_ledger.projections.base import Projection
from goal_ledger.projections.goals.open_loops import open_loops
from goal_ledger.projections.runs.goal_runs import goal_runs


class Health(NamedTuple):
    """Every finding. damaged: the history is not what was written."""

    findings: Sequence[Diagnosis]
    damaged: bool

    @property
    def ok(self) -> bool:
        """Whether nothing is broken; warnings are no breakage."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)


def examine(backend: Backend, *, verify: bool = False, progress: Progress = quiet) -> Health:
    """Look at a ledger and all around it; nothing is created, repaired or moved.

    verify: prove every event, which takes its time.
    """
    findings = [*_versions(), *_extensions()]
    if backend.is_memory:
        return Health([*findings, *backend.examine().findings], damaged=False)
    settings = Settings()
    try:
        configuration = configure(backend.settings_file)
        settings = configuration.settings
        findings.append(_of_settings(configuration.origins))
    except LedgerError as error:
        do = error.hint or "correct it or take it away"
        findings.append(Diagnosis("settings", Level.PROBLEM, error.message, do))
    around = backend.examine()
    findings += around.findings
    if not around.is_there:
        return Health(findings, damaged=False)
    try:
        stats = _of_log(backend, around, settings, findings, verify=verify, progress=progress)
    except NotFound as error:
        findings.append(Diagnosis("ledger", Level.WARNING, error.message, "create one: " + beginning(backend.name)))
        return Health(findings, damaged=False)
    except LedgerError as error:
        findings.append(Diagnosis("ledger", Level.PROBLEM, error.message, error.hint))
        return Health(findings, damaged=isinstance(error, Damaged))
    findings += _views(backend, stats, settings)
    return Health(findings, damaged=False)


# --- What stands around it


def _versions() -> Iterator[Diagnosis]:
    yield Diagnosis("python", Level.OK, f"{platform.python_version()}, SQLite {sqlite_version()}")
    try:
        needed = [
            re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            for requirement in metadata.requires("goal-ledger") or ()
            if "extra ==" not in requirement
        ]
        versions = [f"{name} {metadata.version(name)}" for name in ("goal-ledger", *needed)]
    except metadata.PackageNotFoundError as error:
        yield Diagnosis("packages", Level.PROBLEM, f"{error.name} is not installed", "install goal-ledger again")
    else:
        yield Diagnosis("packages", Level.OK, ", ".join(versions))


_KINDS: Sequence[tuple[str, Any, Collection[str]]] = (
    (extensions.BACKENDS, Callable, BACKENDS),
    (extensions.PROJECTIONS, Projection, ()),
    (extensions.REACTIONS, Reaction, ()),
    (extensions.DUTIES, Duty, DUTIES),
    (extensions.DETECTORS, Detector, ()),
)
"""What other packages may add, with the names that are built in where an entry point's name is the name."""


def _extensions() -> Iterator[Diagnosis]:
    """What other packages add; nothing when they add nothing."""
    sound: list[str] = []
    problems: dict[str, LedgerError] = {}
    for group, kind, taken in _KINDS:
        try:
            all_declared = extensions.by_name(group, taken).values()
        except LedgerError as refusal:
            problems[refusal.message] = refusal
            continue
        for declared in all_declared:
            if declared.package != extensions.OURS:
                try:
                    found = declared.load(kind)
                    if isinstance(found, Reaction):
                        found.checked().function()
                    sound.append(str(declared))
                except LedgerError as refusal:
                    problems[refusal.message] = refusal
    for find in (every_projection, Reactions(REACTIONS, note_refusal).find):
        try:
            find()
        except LedgerError as refusal:
            problems[refusal.message] = refusal
    if sound:
        yield Diagnosis("extensions", Level.OK, ", ".join(sound))
    for message, error in problems.items():
        yield Diagnosis("extensions", Level.PROBLEM, message, error.hint)


def _of_settings(origins: dict[str, str]) -> Diagnosis:
    changed = [f"{name} from {origin}" for name, origin in origins.items() if origin != "default"]
    return Diagnosis("settings", Level.OK, ", ".join(changed) or "all at their defaults")


# --- The log


def _of_log(
    backend: Backend,
    around: Examined,
    settings: Settings,
    findings: list[Diagnosis],
    *,
    verify: bool,
    progress: Progress,
) -> Stats:
    if around.error is not None:
        raise around.error
    with Ledger.open(backend, settings=settings, create=False) as ledger:
        stats = ledger.log.stats()
        if stats.events != stats.head:
            raise Damaged(
                "damaged",
                f"{stats.events:,} events, but the last one is at position {stats.head:,}",
                hint="see what is missing: " + Hint("ledger", "verify"),
            )
        waiting = f" and {around.waiting:,} in the write-ahead log" if around.waiting else ""
        says = f"{stats.ledger_id}, {stats.events:,} events, {stats.bytes:,} bytes{waiting}"
        findings.append(Diagnosis("ledger", Level.OK, says))
        if around.format is not None:
            findings.append(around.format)
        findings += _sessions(ledger)
        if verify:
            ledger.log.verify(lambda done: progress(done, stats.events))
            findings.append(Diagnosis("proof", Level.OK, f"{stats.events:,} events, each as it was written"))
        return stats


def _sessions(ledger: Ledger) -> Iterator[Diagnosis]:
    """How the latest session ended, or the one before it; nothing when there was none."""
    try:
        session = ledger.sessions.get()
    except NotFound:
        return
    what = f"session {session.number}"
    if session.status is not SessionStatus.STOPPED and session.owner is not None and is_alive(session.owner) is False:
        yield Diagnosis(
            "session", Level.WARNING, f"{what} ended without a stop: its process is gone",
            "reconcile its unfinished work: " + Hint("session", "start"),
        )  # fmt: skip
    elif session.last_stop is LastStop.UNCLEAN:
        yield Diagnosis(
            "session", Level.WARNING, f"{what} is {session.status}; the one before it ended without a stop",
            "see what was unfinished: " + Hint("session", "report"),
        )  # fmt: skip
    else:
        yield Diagnosis("session", Level.OK, f"{what} is {session.status}")


# --- The read models


def _views(backend: Backend, stats: Stats, settings: Settings) -> Iterator[Diagnosis]:
    found = backend.examine_views()
    if found.trouble is not None:
        yield found.trouble
    elif found.tables is None:
        yield Diagnosis("views", Level.OK, "not made yet; the first question makes them")
    else:
        yield from _folded(found.tables, stats, settings)
        now = utc_text(utc_now())
        yield from _leases(backend, now)
        yield from _loops(backend, now)


def _leases(backend: Backend, now: str) -> Iterator[Diagnosis]:
    """Runs whose workers fell silent, as far as the read models know."""
    silent = [row for row in backend.rows(goal_runs, {"status": RunStatus.RUNNING}) if row.is_silent(now)]
    if silent:
        since = min(row.lease_until or now for row in silent)
        yield Diagnosis(
            "leases", Level.WARNING, f"still running after their lease: {len(silent):,}, the first since {since}",
            "free their goals: " + Hint("tick"),
        )  # fmt: skip


def _loops(backend: Backend, now: str) -> Iterator[Diagnosis]:
    """Open loops that somebody should look at, as far as the read models know; they are not moved for it."""
    rows = list(backend.rows(open_loops, {"status": LoopStatus.OPEN}))
    if refused := sum(row.question.startswith(REFUSED) for row in rows):
        yield Diagnosis(
            "reactions", Level.WARNING, f"{refused:,} that should have followed from events were refused",
            "see them: " + Hint("loop", "list", kind="follow_up"),
        )  # fmt: skip
    if overdue := sum(is_overdue(row.status, row.due_at, now) for row in rows):
        yield Diagnosis(
            "loops", Level.WARNING, f"{overdue:,} open loops are overdue", "see them: " + Hint("loop", "list")
        )


def _folded(folded: Sequence[Folded], stats: Stats, settings: Settings) -> Iterator[Diagnosis]:
    wanted = {(projection.name, projection.digest) for projection in _projections()}
    names = {name for name, _ in wanted}
    ours = [each for each in folded if (each.projection, each.digest) in wanted]
    live = [each for each in ours if each.role == Role.LIVE]
    if any(each.ledger != stats.ledger_id or each.position > stats.head for each in live):
        yield Diagnosis("views", Level.WARNING, "of another past; the next question folds them anew")
    elif missing := sorted(names - {each.projection for each in live}):
        yield _not_folded(missing, {each.projection for each in folded}, stats, settings)
    else:
        behind = stats.head - min(each.position for each in live)
        yield Diagnosis(
            "views", Level.OK, f"{behind:,} events behind; the next question catches up" if behind else "up to date"
        )
    if quarantined := sum(each.quarantined for each in live):
        yield Diagnosis(
            "views", Level.WARNING, f"{quarantined:,} events could not be folded",
            "see why: " + Hint("projection", "status"),
        )  # fmt: skip
    for each in folded:
        if each.role == Role.NEW:
            yield _being_built(each, stats, is_ours=each in ours)
    kept = [each for each in folded if each.projection in names and each not in live and each.role != Role.NEW]
    if kept:
        yield Diagnosis(
            "views", Level.WARNING, f"{len(kept)} earlier tables take up space", Hint("projection", "drop-old")
        )
    if strangers := {each.projection for each in folded} - names:
        yield Diagnosis("views", Level.OK, f"also those of other programs: {', '.join(sorted(strangers))}")


def _projections() -> Collection[Projection[Any]]:
    """Those that questions are asked of; a broken one is reported elsewhere."""
    try:
        return every_projection().values()
    except LedgerError:
        return every_projection(with_others=False).values()


def _not_folded(missing: Sequence[str], known: set[str], stats: Stats, settings: Settings) -> Diagnosis:
    names = ", ".join(missing)
    what = "only folded by other versions" if known.issuperset(missing) else "not folded yet by this version"
    rebuild = Hint("projection", "rebuild", tuple(missing))
    if settings.stale is Stale.REBUILD or stats.head <= settings.page:
        return Diagnosis("views", Level.OK, f"{names}: {what}; the next question does")
    answer = "refused" if settings.stale is Stale.REFUSE else "kept waiting"
    return Diagnosis("views", Level.WARNING, f"{names}: {what}, and questions are {answer}", rebuild)


def _being_built(table: Folded, stats: Stats, *, is_ours: bool) -> Diagnosis:
    name, at = table.projection, f"position {table.position:,} of {stats.head:,}"
    if is_held(table.builder, table.lease_until):
        return Diagnosis("views", Level.OK, f"{name}: {table.builder} builds a new table, {at} is written")
    if not is_ours:
        return Diagnosis(
            "views", Level.WARNING, f"{name}: other code left a new table at {at}", Hint("projection", "drop-old")
        )
    return Diagnosis(
        "views", Level.WARNING, f"{name}: a new table stands at {at}, and nobody builds it",
        Hint("projection", "swap", (name,)) + f", or drop-new {name}",
    )  # fmt: skip
