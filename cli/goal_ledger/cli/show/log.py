"""The log: events as data, and what people see of them, of its size, of its proofs and of its copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.frame.text import moment, visible
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data
from goal_ledger.domain.base import Recorded, Unreadable
from goal_ledger.domain.goals.goal import GoalCreated, RunDispatched, RunEnqueued, Transition
from goal_ledger.domain.learning.lesson import LessonLearned

if TYPE_CHECKING:
    from goal_ledger.ledger.audit.diff import Change

_COLUMNS = {"reason", "from_status", "run_id", "attempt"}  # they stand beside the details
DEFAULTS = {
    "time_horizon": "ongoing", "learning_required": True, "auto_approved": False, "source": "user", "overlap": "forbid",
    "resume_if_checkpointed": True, "catch_up": "coalesce", "orphaned": False, "overdue": False,
}  # fmt: skip
_CLEAR = {
    "title", "action", "detail", "plan_summary", "local_outcome", "failure_category", "verifier_status", "note",
    "business_outcome", "checkpoint_ref", "caveats", "lesson_text", "activity", "arm", "cause",
}  # fmt: skip
"""Details whose value needs no name beside it."""
_ABOUT = ("title", "text", "lesson_text", "question", "name", "goal_id")
"""The first of them that a row has tells it from others."""
_FEW = 8  # positions shown one by one
_CHANGES = {"added": "green", "changed": "yellow", "removed": "red"}


# --- Events


def timeline_data(events: Sequence[Recorded | Unreadable]) -> list[Data]:
    """One row per event of a goal and its runs, or of one other stream."""
    attempts = {
        recorded.event.run_id: recorded.event.attempt
        for recorded in events
        if isinstance(recorded, Recorded) and isinstance(recorded.event, RunDispatched | RunEnqueued)
    }
    rows = [event_data(recorded) for recorded in events]
    for row in rows:
        row["attempt"] = row["attempt"] or attempts.get(row["run_id"] or "")
        if attempts:
            row["details"].pop("goal_id", None)  # the goal whose timeline this is
    return rows


def event_data(recorded: Recorded | Unreadable) -> Data:
    """An event as one row, with the same fields for all; one that cannot be read says why in `problem`."""
    row: Data = {
        "position": recorded.position,
        "at": recorded.at,
        "occurred_at": recorded.occurred_at,
        "by": recorded.by,
        "event": recorded.name,
        "from": None,
        "to": None,
        "reason": None,
        "stream": recorded.stream,
        "version": recorded.version,
        "run_id": recorded.stream if recorded.stream.startswith("grun_") else None,
        "attempt": None,
        "command_id": recorded.command,
        "cause": recorded.cause,
        "details": {},
        "problem": None,
    }
    if isinstance(recorded, Unreadable):
        return row | {"problem": recorded.problem}
    event = recorded.event
    row |= {
        "reason": event.reason,
        "run_id": row["run_id"] or getattr(event, "run_id", None),
        "attempt": getattr(event, "attempt", None),
        "details": {name: value for name, value in event if name not in _COLUMNS and value not in (None, "", (), {})},
    }
    if isinstance(event, Transition):
        row |= {"from": event.from_status, "to": event.to_status}
    elif isinstance(event, LessonLearned) and event.evidence:
        row["run_id"] = event.evidence[0].run_id
    elif isinstance(event, GoalCreated):
        row["to"] = row["details"].pop("status")
    return row


def timeline(rows: Sequence[Data]) -> None:
    """Events, two lines each: when, what, from where to where; then who, why and the details."""
    from rich.padding import Padding

    screen = console()
    indent = max(4, len(str(rows[-1]["position"]))) + 2
    last_recorded = ""
    for row in rows:
        move = [part for part in (row["from"], row["to"]) if part]
        attempt = [] if row["attempt"] is None else [(f"  attempt {row['attempt']}", "dim")]
        draw.put(
            screen,
            draw.text(
                (f"{row['position']:>{indent - 2}}  ", "dim"),
                (f"{moment(row['occurred_at']):<22}", ""),
                (row["event"], "bold"),
                *([("  ", ""), (" → ".join(move), draw.STYLES.get(move[-1], ""))] if move else attempt),
            ),
        )
        words = [row["by"] or "", f"cannot be read: {row['problem']}" if row["problem"] else "", row["reason"] or ""]
        recorded = "" if row["at"] is None else moment(row["at"])
        if recorded[:17] != last_recorded[:17] and recorded[:17] != moment(row["occurred_at"])[:17]:
            words.insert(1, f"recorded {recorded}")
        last_recorded = recorded
        if row["run_id"] and row["stream"].startswith(("les_", "rule_")):
            words.append(row["run_id"])
        words += _in_words(row["details"])
        draw.put(screen, Padding(draw.text((" · ".join(word for word in words if word), "")), (0, 0, 0, indent)))


def _in_words(details: Data) -> list[str]:
    """The details of an event in words: those that need it with their names."""
    if "changes" in details and "was" in details:
        before, after = details["was"], details["changes"]
        return [f"{name}: {draw.flat(before.get(name))} → {draw.flat(value)}" for name, value in after.items()]
    words = []
    for name, value in details.items():
        if name in ("running", "goal_id") or DEFAULTS.get(name) == value:
            continue
        if name == "ok":
            words.append("worked" if value else "failed")
        else:
            words.append(draw.flat(value) if name in _CLEAR else f"{name.replace('_', ' ')}: {draw.flat(value)}")
    return words


def event_line(row: Data) -> None:
    """An event on one line, however long: where, when, what, of whom, by whom and why."""
    move = [str(part) for part in (row["from"], row["to"]) if part]
    words = [
        f"{row['position']:>6}  {moment(row['occurred_at']):<20}  {row['event']}",
        " → ".join(move),
        row["stream"],
        row["by"] or "",
        row["problem"] or row["reason"] or "",
        *(draw.flat(value) for name, value in row["details"].items() if name in _CLEAR),
    ]
    click.echo(visible("  ".join(word for word in words if word)))


def held(data: Data) -> None:
    """An event, and the row that fulfils a condition since."""
    event_line(data["event"])
    if data["row"] is not None:
        draw.details(data["row"])


# --- What changed


def change_data(change: Change) -> Data:
    """What happened to one row: its fields before and after, those that differ."""
    row = (change.before if change.after is None else change.after)._asdict()
    fields = {name: {"before": before, "after": after} for name, (before, after) in change.fields.items()}
    return {
        "noun": change.noun,
        "id": change.id,
        "change": change.kind,
        "about": next((row[name] for name in _ABOUT if name in row), None),
        "fields": fields,
        "positions": change.positions,
    }


def changes(rows: Sequence[Data]) -> None:
    """What changed, field by field, and through which events."""
    for row in rows:
        draw.line((row["id"], "bold"), (row["change"], _CHANGES[row["change"]]), (row["about"] or "", ""))
        if row["change"] == "changed":
            draw.details(
                {name: f"{draw.flat(of['before'])} → {draw.flat(of['after'])}" for name, of in row["fields"].items()}
            )
        else:
            side = "after" if row["change"] == "added" else "before"
            draw.details(
                {name: of[side] for name, of in row["fields"].items() if of[side] not in (row["id"], row["about"])}
            )
        draw.line((f"  by {_positions(row['positions'])}", "dim"))


def _positions(positions: Sequence[int]) -> str:
    """Positions in words; of many, the ends."""
    few = positions if len(positions) <= _FEW else (*positions[: _FEW - 2], "…", positions[-1])
    return f"{len(positions):,} event{'s' if len(positions) > 1 else ''}: " + ", ".join(map(str, few))


# --- The log as a whole


def stats(data: Data) -> None:
    """How large the log is."""
    draw.details({name: f"{value:,}" if isinstance(value, int) else value for name, value in data.items()})


def verified(data: Data) -> None:
    """That nothing was altered."""
    draw.line(
        ("ok", "green"), (f"{data['events']:,} events up to position {data['head']:,}, each as it was written", "")
    )
    if data["digest"]:
        draw.line(("head", ""), (f"{data['head']}:{data['digest'][:16]}", ""))
    if "state" not in data:
        return
    draw.table(
        data["state"]["projections"],
        Column("state", "name"),
        Column("rows", lambda row: f"{row['rows']:,}", number=True),
        Column("lacking", lambda row: f"{row['lacking']:,}"),
        Column("sha256", lambda row: row["sha256"][:16] + "…"),
    )
    draw.line(("all", "bold"), (data["state"]["sha256"], ""))


def file_verified(data: Data) -> None:
    """That an export was not altered."""
    how = "each follows the one before" if data["against"] is None else "each as the log says"
    draw.line(("ok", "green"), (f"{data['lines']:,} lines, {how}", ""))


def copied(data: Data) -> None:
    """What was written where."""
    draw.line(("ok", "green"), (f"{data['events']:,} events up to position {data['head']:,}", ""), (data["path"], ""))
    if "state" in data:
        draw.line((f"both fold into state {data['state']}", ""))
