"""The log itself: its size, and proof that it is unaltered.

Listed: noun 150
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goal_ledger.cli.frame.app import App, lacking
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Id, Instant, Pair, as_of, progress_lines
from goal_ledger.cli.show import answers, decisions, log
from goal_ledger.domain.errors import NotFound

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.audit.log import Stats

STDOUT = Path("-")


@click.group(cls=Noun, examples=("goal-ledger ledger stats", "goal-ledger ledger verify"))
def ledger() -> None:
    """The log itself: its size, proof that it is unaltered, and copies."""


@ledger.command("stats", examples=("goal-ledger ledger stats", "goal-ledger ledger stats --as-of 2026-02-24"))
@answers.one(log.stats)
def stats(opened: "Ledger") -> "Stats":
    """How large the log is, or was, and from when to when it goes; the bytes are those of the file now."""
    return opened.log.stats()


@ledger.command(
    "verify",
    examples=(
        "goal-ledger ledger verify",
        "goal-ledger ledger verify --deep",
        "goal-ledger ledger verify --expect 1234:9f86d081884c7d65",
        "goal-ledger ledger verify --file data/identity_ledger.ndjson --partial",
    ),
)
@click.option(
    "--expect",
    metavar="POSITION[:DIGEST]",
    help="A head that was printed before: the log must reach to there, and hold that event.",
)
@click.option("--deep", is_flag=True, help="Then fold every event anew, and say the hash of what they fold into.")
@click.option(
    "--file", type=click.Path(path_type=Path), help="Prove this export instead, by itself and against the log."
)
@click.option("--partial", is_flag=True, help="The export may end before the log does, as an older one.")
@click.option("--alone", is_flag=True, help="Prove the export by itself; no ledger is needed.")
@click.pass_obj
def verify(app: App, expect: str | None, deep: bool, file: Path | None, partial: bool, alone: bool) -> None:
    """Prove that the log is what was written: every byte, every place, every command id.

    Keep elsewhere the head that it prints: with --expect, a tail that was lost since is noticed. With --deep also what
    it folds into: the hash of the state is equal wherever the state is equal.

    Or prove that an export is sound: each line follows the one before, and says what the log says.
    """
    if (deep or expect is not None) and (file is not None or partial or alone):
        raise click.UsageError("--deep and --expect are about the log; they go with no export.")
    if deep:
        _verify_deep(app, expect)
        return
    if file is not None:
        _verify_file(app, file, partial=partial, alone=alone)
        return
    if partial or alone:
        raise click.UsageError("--partial and --alone are about an export; name it with --file.")
    opened = app.ledger
    with app.progress("checking") as progress:
        of = opened.log.stats().events
        events = opened.log.verify(lambda done: progress(done, of), expect=expect)
    app.show({"ok": True, "events": events, "head": events, "digest": opened.log.digest_at(events)}, log.verified)


def _verify_deep(app: App, expect: str | None) -> None:
    with app.progress("checking and folding") as progress:
        state = app.ledger.log.verify_deep(progress, expect=expect)
    projections = [each._asdict() for each in state.projections]
    app.show(
        {
            "ok": True,
            "events": state.head,
            "head": state.head,
            "digest": app.ledger.log.digest_at(state.head),
            "state": {"sha256": state.sha256, "projections": projections},
        },
        log.verified,
        warnings=lacking(state.lacking),
    )


def _verify_file(app: App, file: Path, *, partial: bool, alone: bool) -> None:
    from goal_ledger.ledger.audit import archive

    warnings = []
    against = None if alone else _if_there(app)
    if against is None and not alone:
        warnings.append("there is no ledger to compare with: a missing tail would not be noticed")
    lines = archive.verify_file(file, against, partial=partial)
    done = {"ok": True, "file": str(file), "lines": lines, "against": None if against is None else against.id}
    app.show(done, log.file_verified, warnings=warnings)


def _if_there(app: App) -> "Ledger | None":
    try:
        return app.ledger
    except NotFound:
        return None


@ledger.command(
    "export",
    examples=(
        "goal-ledger ledger export",
        "goal-ledger ledger export backup/ledger.ndjson",
        "goal-ledger ledger export -",
    ),
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--output", type=click.Path(path_type=Path), help="The same as FILE.")
@click.option("--format", "format_", type=click.Choice(["ndjson"]), default="ndjson", help="One JSON object per line.")
@click.pass_obj
def export(app: App, file: Path | None, output: Path | None, format_: str) -> None:
    """Write every event to FILE, one line each; data/identity_ledger.ndjson by default, `-` for stdout.

    Lines are chained, so that a change shows, and an export is a byte prefix of every later one.
    """
    if file is not None and output is not None:
        raise click.UsageError("FILE and --output say the same thing; give one of them.")
    from goal_ledger.ledger.audit import archive

    target = file or output or archive.IDENTITY_LEDGER
    if target == STDOUT:
        if app.wants_json:
            raise click.UsageError("--json prints one document, an export to stdout many lines; name a FILE.")
        sys.stdout.buffer.writelines(archive.lines(app.ledger))
        return
    opened = app.ledger
    with app.progress("exporting") as progress:
        of = opened.head
        done = opened.log.export(target, lambda written: progress(written, of))
    app.show({**done._asdict(), "format": format_}, log.copied)


@ledger.command("backup", examples=("goal-ledger ledger backup backup/goal-ledger.db",))
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(app: App, file: Path) -> None:
    """Copy the log to FILE as of one moment, while writers go on, and prove the copy.

    The copy is a ledger like any other: open it with --db. A file that exists is never replaced.
    """
    app.show(app.ledger.log.backup(file)._asdict(), log.copied)


@ledger.command(
    "when",
    examples=(
        "goal-ledger ledger when 'run.local_outcome = failed and run.attempt > 1'",
        "goal-ledger ledger when 'count(run.business_outcome = degraded) >= 3' --after 1200",
    ),
)
@click.argument("condition")
@click.option("--goal", "goal_id", type=Id("goal"), metavar="GOAL", help="Only this goal and its runs.")
@click.option("--after", type=Instant(), default=0, metavar="TIME|POSITION", help="Look behind this place in the log.")
@as_of()
def when(app: App, condition: str, goal_id: str | None, after: datetime | int) -> None:
    """The event after which CONDITION first held, and the row that fulfils it.

    A comparison is noun.field = value, with a goal, run or lesson for the noun and = != < <= > >= or `in (a, b)`; they
    are joined by and, or, not and parentheses, and count(CONDITION) >= 3 counts rows. With --after, a row for which it
    held already does not count until it has stopped to hold. When it never held, the answer is null, which is no error.
    """
    held = app.ledger.when(condition, goal_id=goal_id, after=after)
    if held is None:
        app.show(None, lambda _: click.echo(f"never, up to position {app.ledger.head}"))
        return
    row = None if held.row is None else held.row._asdict()
    app.show({"event": log.event_data(held.recorded), "noun": held.noun, "row": row}, log.held)


@ledger.command(
    "replay",
    examples=(
        "goal-ledger ledger replay --policy router@3",
        "goal-ledger ledger replay --policy router@3 --set weight.value=0.6 --set weight.effort=0.15",
        "goal-ledger ledger replay --policy evaluation@1 --set least_confidence=0.8 --from 2026-02-01",
    ),
)
@click.option("--policy", required=True, metavar="NAME@VERSION", help="Decides anew what this policy decided.")
@click.option(
    "--set", "changes", type=Pair(str, "weight.value=0.6"), multiple=True, metavar="NAME=VALUE",
    help="As if this setting were so; a part of one stands behind a dot.  [many]",
)  # fmt: skip
@click.option("--from", "start", type=Instant(), default=1, metavar="TIME|POSITION", help="From there on.")
@click.option("--to", "end", type=Instant(), metavar="TIME|POSITION", help="Up to there; to the end by default.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N decisions.")
@click.pass_obj
@progress_lines
def replay(
    app: App,
    policy: str,
    changes: tuple[tuple[str, str], ...],
    start: datetime | int,
    end: datetime | int | None,
    limit: int | None,
) -> None:
    """Make recorded decisions again, and tell those that would be others; nothing is written.

    Every decision of the policy, whichever version made it, is re-evaluated by the version that is named, on the ledger
    as it was known then. Unchanged policy and settings flip nothing.
    """
    from goal_ledger.ledger.engine.configuration import adjusted

    opened = app.present
    settings = adjusted(opened.settings, dict(changes))
    with app.progress("deciding again") as progress:
        found = opened.replay(policy, settings=settings, start=start, end=end, limit=limit, progress=progress)
    app.show(decisions.replay_data(found), decisions.replay)


@ledger.command(
    "copy",
    examples=(
        "goal-ledger ledger copy goal-ledger.db 'postgresql://ana@db.example.com/goals?schema=team_a'",
        "goal-ledger ledger copy 'postgresql://ana@db.example.com/goals?schema=team_a' goal-ledger.db",
    ),
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.pass_obj
def copy(app: App, source: str, target: str) -> None:
    """Copy the ledger FROM into the ledger TO, each a file or on a server, and prove the copy.

    TO must be new, or an older copy of FROM, which is carried on: what was interrupted can be repeated. Writers may go
    on; what they write meanwhile comes with the next copy.
    """
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.configuration import configure
    from goal_ledger.ledger.engine.location import locate

    location = locate(source)
    settings = configure(location.settings_file).settings
    with (
        Ledger.open(location, settings=settings, read_only=True, create=False) as opened,
        app.progress("copying") as progress,
    ):
        of = opened.head
        done = opened.log.copy(target, lambda reached: progress(reached, of))
    app.show(done._asdict(), log.copied)
