"""What people see of goals and runs: lines, tables and trees that fit 80 columns and survive a pipe.

Drawn by `draw`. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.frame.text import moment, visible
from goal_ledger.cli.show import draw

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

Data = dict[str, Any]

_DIGITS = 12  # of a digest
_USUAL = {
    "time_horizon": "ongoing", "learning_required": True, "auto_approved": False, "source": "user", "overlap": "forbid",
    "resume_if_checkpointed": True, "catch_up": "coalesce", "orphaned": False, "overdue": False,
}  # fmt: skip
"""What goes without saying."""


# --- Goals


def goal_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.line((row["goal_id"], "bold"), draw.word(row["status"]), (row["title"], ""))


def goals(rows: Sequence[Data]) -> None:
    """A table of goals."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(screen.width, "goal", "status", "pri", *(("type", "owner") if wide else ()), "title")
    for row in rows:
        marks = (" (overdue)" if row["overdue"] else "") + (" (blocked by others)" if row["blocked_by"] else "")
        marks += " (incident)" if row["incident_open"] else ""
        more = (draw.cell(row["goal_type"]), draw.cell(row["owner_agent"])) if wide else ()
        table.add_row(
            draw.cell(row["goal_id"]),
            draw.status(row["status"]),
            draw.cell(row["priority"]),
            *more,
            draw.cell(row["title"] + marks),
        )
    draw.put(screen, table)


def goal(row: Data) -> None:
    """Everything about a goal that is set."""
    hidden = {"goal_id", "title", "status", "position", "done", "auto_approved", "overdue"}
    quiet = {"learning_required", "overlap", "resume_if_checkpointed", "catch_up"}
    goal_line(row)
    flags = {name: True for name in ("overdue", "auto_approved") if row[name]}
    flags |= {name: row[name] for name in sorted(quiet) if row[name] != _USUAL[name]}
    told = {name: value for name, value in row.items() if name not in hidden | quiet}
    draw.details(
        told | {"progress": draw.percent(row["progress"]), "incident_open": row["incident_open"] or None} | flags
    )


def similar(rows: Sequence[Data]) -> None:
    """A table of goals by how alike they are."""
    screen = console()
    table = draw.table(screen.width, "goal", "score", "status", "title")
    for row in rows:
        table.add_row(
            draw.cell(row["goal_id"]),
            draw.cell(f"{row['score']:.2f}"),
            draw.status(row["status"]),
            draw.cell(row["title"]),
        )
    draw.put(screen, table)


def tree(nodes: Sequence[Data]) -> None:
    """Goals under the goals they serve."""
    from rich.tree import Tree

    screen = console()
    for node in nodes:
        top = Tree(_leaf(node))
        _grow(top, node)
        draw.put(screen, top)


def _grow(branch: Tree, node: Data) -> None:
    for child in node["children"]:
        _grow(branch.add(_leaf(child)), child)


def _leaf(node: Data) -> Text:
    return draw.text(
        (f"{node['title']} ", ""), (f"({node['goal_type']}, ", "dim"), draw.word(node["status"]), (")", "dim"),
        (f" {draw.percent(node['progress'])}", ""), (f" {node['goal_id']}", "dim"),
        *[(f" {flag}", "yellow") for flag in node["flags"]],
    )  # fmt: skip


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
        words += _said(row["details"])
        draw.put(screen, Padding(draw.text((" · ".join(word for word in words if word), "")), (0, 0, 0, indent)))


_SPEAKING = {
    "title", "action", "detail", "plan_summary", "local_outcome", "failure_category", "verifier_status", "note",
    "business_outcome", "checkpoint_ref", "caveats", "lesson_text", "activity", "arm", "cause",
}  # fmt: skip


def _said(details: Data) -> list[str]:
    """The details of an event in words: values that speak for themselves, others with their names."""
    if "changes" in details and "was" in details:
        before, after = details["was"], details["changes"]
        return [f"{name}: {draw.flat(before.get(name))} → {draw.flat(value)}" for name, value in after.items()]
    words = []
    for name, value in details.items():
        if name in ("running", "goal_id") or _USUAL.get(name) == value:
            continue
        if name == "ok":
            words.append("worked" if value else "failed")
        else:
            words.append(draw.flat(value) if name in _SPEAKING else f"{name.replace('_', ' ')}: {draw.flat(value)}")
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
        *(draw.flat(value) for name, value in row["details"].items() if name in _SPEAKING),
    ]
    click.echo(visible("  ".join(word for word in words if word)))


# --- Key results and experiments


def key_result_line(row: Data) -> None:
    """A short confirmation after a measurement."""
    draw.line(
        (row["goal_id"], "bold"), (_amount(row["current"], row["unit"]), ""), (draw.percent(row["progress"]) or "", "")
    )


def key_results(rows: Sequence[Data]) -> None:
    """A table of key results."""
    screen = console()
    table = draw.table(screen.width, "goal", "progress", "current", "target", "title")
    for row in rows:
        amounts = (_amount(row[name], row["unit"]) for name in ("current", "target"))
        table.add_row(
            draw.cell(row["goal_id"]),
            draw.cell(draw.percent(row["progress"])),
            *map(draw.cell, amounts),
            draw.cell(row["title"]),
        )
    draw.put(screen, table)


def key_result(row: Data) -> None:
    """A key result, and what it measured."""
    draw.line((row["goal_id"], "bold"), draw.word(row["status"]), (row["title"], ""))
    shown = {name: _amount(row[name], row["unit"]) for name in ("baseline", "current", "target")}
    draw.details(shown | {"progress": draw.percent(row["progress"]), "objective": row["objective_id"]})
    if row["history"]:
        values(row["history"])


def values(rows: Sequence[Data]) -> None:
    """Measurements, the first one first."""
    screen = console()
    table = draw.table(screen.width, "position", "measured", "value", "progress", "by", "note")
    for row in rows:
        table.add_row(
            draw.cell(row["position"]), draw.when(row["occurred_at"]), draw.cell(_amount(row["value"], row["unit"])),
            draw.cell(draw.percent(row["progress"])), draw.cell(row["by"]), draw.cell(row["note"]),
        )  # fmt: skip
    draw.put(screen, table)


def report(data: Data) -> None:
    """How the arms of an experiment did, and who wins."""
    screen = console()
    table = draw.table(screen.width, "arm", "results", "rate", "between")
    for arm in data["arms"]:
        between = f"{arm['low']:.3f} and {arm['high']:.3f}"
        rate = None if arm["rate"] is None else f"{arm['rate']:.3f}"
        table.add_row(draw.cell(arm["arm"]), draw.cell(arm["n"]), draw.cell(rate), draw.cell(between))
    draw.put(screen, table)
    if data["winner"] is not None:
        draw.line(("winner", "green"), (data["winner"], "bold"))
        return
    more = "" if data["further"] is None else f"about {data['further']:,} more results would settle it at these rates"
    draw.line(("inconclusive", "yellow"), *([(more, "")] if more else []))


def _amount(value: float | None, unit: str | None) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" + ("" if not unit else unit if unit == "%" else f" {unit}")


# --- Runs


def run_line(row: Data) -> None:
    """A short confirmation after a write."""
    how = ""
    if row["local_outcome"]:
        how = f"  {row['local_outcome']}" + (f" ({row['failure_category']})" if row["failure_category"] else "")
    draw.line((row["run_id"], "bold"), draw.word(row["status"]), (f"attempt {row['attempt']}{how}", ""))


def runs(rows: Sequence[Data]) -> None:
    """A table of runs."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(
        screen.width, "run", "no", "outcome", "cost", *(("took", "started", "agent") if wide else ()), "category"
    )
    for row in rows:
        took = row["duration_seconds"]
        took_s = draw.cell(None if took is None else f"{took:.0f}s")
        more = (took_s, draw.when(row["started_at"]), draw.cell(row["agent"])) if wide else ()
        table.add_row(
            draw.cell(row["run_id"]),
            draw.cell(row["attempt"]),
            draw.status(row["local_outcome"] or row["status"]),
            draw.cell(draw.dollars(row["cost_usd"])),
            *more,
            draw.cell(row["failure_category"]),
        )
    draw.put(screen, table)


def outcomes(rows: Sequence[Data]) -> None:
    """A table of what runs were worth."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(screen.width, "run", "outcome", *(("source", "when") if wide else ()), "detail")
    for row in rows:
        more = (draw.cell(row["source"]), draw.when(row["occurred_at"])) if wide else ()
        table.add_row(draw.cell(row["run_id"]), draw.cell(row["business_outcome"]), *more, draw.cell(row["detail"]))
    draw.put(screen, table)


def run(row: Data) -> None:
    """Everything about a run that is set."""
    run_line(row)
    hidden = {"run_id", "status", "attempt", "position", "context"}
    given = {f"given {name}": ids for name, ids in (row["context"] or {}).items()}
    draw.details({name: value for name, value in row.items() if name not in hidden} | given)


# --- Work


def choice(row: Data) -> None:
    """What to work on next, and why."""
    draw.line((row["goal_id"], "bold"), (row["title"], ""))
    draw.line((f"  {row['why']}", "dim"))
    _steps(row)


def _steps(row: Data) -> None:
    """What a goal is broken down into, when a method applies to it."""
    if (plan := row.get("plan")) is not None:
        draw.line((f"  {plan['method']}:", "dim"))
        for number, step in enumerate(plan["steps"], start=1):
            draw.line((f"  {number}. {step}", ""))


def choices(rows: Sequence[Data]) -> None:
    """Every open goal in the order in which it is served, with the reason."""
    screen = console()
    table = draw.table(screen.width, "goal", "score", "title", "why")
    for row in rows:
        score = "" if row["score"] is None else f"{row['score']:.2f}"
        table.add_row(draw.cell(row["goal_id"]), draw.cell(score), draw.cell(row["title"]), draw.cell(row["why"]))
    draw.put(screen, table)
    _steps(rows[0])


def claimed(row: Data) -> None:
    """A run that was just claimed, and the goal that it serves."""
    run_line(row)
    draw.line((f"  for {row['goal_id']}", "dim"))


_OUTCOMES = {
    "same": ("the same again, from the same candidates and scores", "green"),
    "same_choice": ("the same choice again, from other candidates or scores", "yellow"),
}


def why(data: Data) -> None:
    """A decision, what it was made from, and whether it would be made again."""
    event, receipt, again = data["event"], data["receipt"], data["again"]
    draw.line((str(event["position"]), "bold"), (event["event"], ""), (event["stream"], "dim"))
    candidates = [f"{one['score']:.3f}  {one['id']}  {one['why']}" for one in receipt["candidates"]]
    if receipt["count"] > len(candidates):
        candidates.append(f"and {receipt['count'] - len(candidates):,} more")
    by_chance = receipt["propensity"] < 1
    draw.details(
        {
            "policy": receipt["policy"],
            "chosen": data["chosen"],
            "at": moment(event["occurred_at"] or event["at"]),
            "by": event["by"],
            "as of position": receipt["position"],
            "settings": receipt["settings_digest"][:_DIGITS],
            "propensity": receipt["propensity"] if by_chance else None,
            "seed": receipt["seed"] if by_chance else None,
            "candidates": candidates,
        }
    )
    settings = "the same settings" if again["same_settings"] else "other settings"
    words, style = _OUTCOMES.get(again["outcome"], (f"now it would be {again['chosen']}", "red"))
    draw.line((again["outcome"], style), (f"{words}; {settings}", ""))


def replay(data: Data) -> None:
    """The decisions that would be others, and how many would not."""
    for flip in data["flips"]:
        draw.line((str(flip["position"]), "bold"), (moment(flip["at"]), "dim"), (flip["policy"], ""))
        draw.details(
            {
                name: [flip[name]["id"], _judged("then", flip[name]["then"]), _judged("now", flip[name]["now"])]
                for name in ("was", "becomes")
            }
        )
    counts = {name: f"{data[name]:,}" for name in ("decisions", "same", "rescored", "flipped")}
    draw.line(("flipped", "red") if data["flipped"] else ("same", "green"), (f"under {data['policy']}", ""))
    reasons = [f"{count:,} {code}" for code, count in data["not_made_again"].items()]
    draw.details(counts | {"not made again": reasons})


def _judged(when: str, considered: Data | None) -> str:
    return f"{when}: " + ("not known" if considered is None else f"{considered['score']:.3f}  {considered['why']}")


# --- Loops and sessions


def loop_line(row: Data) -> None:
    """A short confirmation after a write."""
    draw.line((row["loop_id"], "bold"), draw.word(row["status"]), (f"{row['kind']}: {row['question']}", ""))


def loops(rows: Sequence[Data]) -> None:
    """A table of loops."""
    screen = console()
    wide = screen.width >= draw.WIDE
    table = draw.table(screen.width, "loop", "kind", *(("due", "goal") if wide else ()), "question")
    for row in rows:
        marks = (" (overdue)" if row["overdue"] else "") + (" (closed)" if row["status"] == "closed" else "")
        more = (draw.when(row["due_at"]), draw.cell(row["goal_id"])) if wide else ()
        table.add_row(draw.cell(row["loop_id"]), draw.cell(row["kind"]), *more, draw.cell(row["question"] + marks))
    draw.put(screen, table)


def loop(row: Data) -> None:
    """Everything about a loop that is set."""
    loop_line(row)
    hidden = {"loop_id", "status", "kind", "question", "position", "overdue", "holds_goal"}
    flags = {name: True for name in ("overdue", "holds_goal") if row[name]}
    draw.details({name: value for name, value in row.items() if name not in hidden} | flags)


def session_line(row: Data) -> None:
    """A session on one line."""
    draw.line(
        (f"session {row['number']}", "bold"), draw.word(row["status"]), (f"started {moment(row['started_at'])}", "")
    )


def sessions(rows: Sequence[Data]) -> None:
    """A table of sessions."""
    screen = console()
    table = draw.table(screen.width, "no", "status", "started", "stopped", "before")
    for row in rows:
        times = (draw.when(row["started_at"]), draw.when(row["stopped_at"]))
        table.add_row(draw.cell(row["number"]), draw.status(row["status"]), *times, draw.cell(row["last_stop"]))
    draw.put(screen, table)


def session(row: Data) -> None:
    """When a session was started and stopped, and what was happening then."""
    session_line(row)
    hidden = {"session_id", "number", "status", "report", "snapshot", "position", "clean"}
    draw.details({name: value for name, value in row.items() if name not in hidden} | _flat_report(row["snapshot"]))


def session_stopped(row: Data) -> None:
    """What was happening when it was stopped."""
    session_line(row)
    draw.details({"summary": row["summary"]})


def session_report(row: Data) -> None:
    """What a start found left over, and what it did about it."""
    session_line(row)
    draw.details(_flat_report(row["report"]))


def _flat_report(report: Data) -> Data:
    """Counts for the lists of ids, sentences for the rest."""
    flat: Data = {}
    for name, value in report.items():
        if isinstance(value, dict) and "digest" in value:
            flat[name] = f"{value['count']:,}"
        elif name == "open_loops":
            flat[name] = ", ".join(f"{of['count']:,} {kind.replace('_', ' ')}" for kind, of in value.items())
        elif name == "left_runs":
            flat[name] = [f"{run['run_id']}: {run['why']}" for run in value]
        elif name == "key_results":
            flat[name] = [f"{of['goal_id']}: {draw.flat(of['value'])}" for of in value]
        else:
            flat[name] = value
    return flat
