"""What people see: lines, tables and trees that fit 80 columns and survive a pipe.

rich is imported when something is drawn. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import orjson

from goal_ledger.cli.text import as_json, moment, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text
    from rich.tree import Tree

Data = dict[str, Any]

_NARROWEST = 60  # columns: an id and some words
_USUAL_WIDTH = 80
_WIDE = 132  # columns: room for what is left out at 80

_FEW = 8  # positions told one by one
_DIGITS = 12  # of a digest
_CHANGES = {"added": "green", "changed": "yellow", "removed": "red"}

_STYLES = {
    "completed": "green", "succeeded": "green", "passed": "green", "active": "cyan", "running": "cyan",
    "completed_with_caveats": "yellow", "partial": "yellow", "waiting": "yellow", "retrying": "yellow",
    "checkpointed": "yellow", "blocked": "red", "failed": "red", "interrupted": "red", "rejected": "red",
    "draining": "yellow", "stopped": "dim", "open": "yellow", "closed": "dim",
    "archived": "dim", "retired": "dim", "recalled": "red", "ok": "green", "warning": "yellow", "problem": "red",
    "full": "green", "canary": "yellow", "shadow": "dim",
    "verifier_failed": "red", "degraded": "red", "requested": "dim",
    "current": "green", "stale": "yellow", "missing": "yellow", "queued": "yellow",
}  # fmt: skip

_USUAL = {
    "time_horizon": "ongoing", "learning_required": True, "auto_approved": False, "source": "user", "overlap": "forbid",
    "resume_if_checkpointed": True, "catch_up": "coalesce", "orphaned": False, "overdue": False,
}  # fmt: skip
"""What goes without saying."""


# --- Goals


def goal_line(row: Data) -> None:
    """A short confirmation after a write."""
    _line((row["goal_id"], "bold"), _word(row["status"]), (row["title"], ""))


def goals(rows: Sequence[Data]) -> None:
    """A table of goals."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(screen.width, "goal", "status", "pri", *(("type", "owner") if wide else ()), "title")
    for row in rows:
        marks = (" (overdue)" if row["overdue"] else "") + (" (blocked by others)" if row["blocked_by"] else "")
        marks += " (incident)" if row["incident_open"] else ""
        more = (_cell(row["goal_type"]), _cell(row["owner_agent"])) if wide else ()
        table.add_row(
            _cell(row["goal_id"]), _status(row["status"]), _cell(row["priority"]), *more, _cell(row["title"] + marks)
        )
    _print(screen, table)


def goal(row: Data) -> None:
    """Everything about a goal that is set."""
    hidden = {"goal_id", "title", "status", "position", "done", "auto_approved", "overdue"}
    quiet = {"learning_required", "overlap", "resume_if_checkpointed", "catch_up"}
    goal_line(row)
    flags = {name: True for name in ("overdue", "auto_approved") if row[name]}
    flags |= {name: row[name] for name in sorted(quiet) if row[name] != _USUAL[name]}
    told = {name: value for name, value in row.items() if name not in hidden | quiet}
    _details(told | {"progress": percent(row["progress"]), "incident_open": row["incident_open"] or None} | flags)


def similar(rows: Sequence[Data]) -> None:
    """A table of goals by how alike they are."""
    screen = console()
    table = _table(screen.width, "goal", "score", "status", "title")
    for row in rows:
        table.add_row(_cell(row["goal_id"]), _cell(f"{row['score']:.2f}"), _status(row["status"]), _cell(row["title"]))
    _print(screen, table)


def tree(nodes: Sequence[Data]) -> None:
    """Goals under the goals they serve."""
    from rich.tree import Tree

    screen = console()
    for node in nodes:
        top = Tree(_leaf(node))
        _grow(top, node)
        _print(screen, top)


def _grow(branch: Tree, node: Data) -> None:
    for child in node["children"]:
        _grow(branch.add(_leaf(child)), child)


def _leaf(node: Data) -> Text:
    return _text(
        (f"{node['title']} ", ""), (f"({node['goal_type']}, ", "dim"), _word(node["status"]), (")", "dim"),
        (f" {percent(node['progress'])}", ""), (f" {node['goal_id']}", "dim"),
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
        _print(
            screen,
            _text(
                (f"{row['position']:>{indent - 2}}  ", "dim"),
                (f"{moment(row['occurred_at']):<22}", ""),
                (row["event"], "bold"),
                *([("  ", ""), (" → ".join(move), _STYLES.get(move[-1], ""))] if move else attempt),
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
        _print(screen, Padding(_text((" · ".join(word for word in words if word), "")), (0, 0, 0, indent)))


_SPEAKING = {
    "title", "action", "detail", "plan_summary", "local_outcome", "failure_category", "verifier_status", "note",
    "business_outcome", "checkpoint_ref", "caveats", "lesson_text", "activity", "arm", "cause",
}  # fmt: skip


def _said(details: Data) -> list[str]:
    """The details of an event in words: values that speak for themselves, others with their names."""
    if "changes" in details and "was" in details:
        before, after = details["was"], details["changes"]
        return [f"{name}: {_flat(before.get(name))} → {_flat(value)}" for name, value in after.items()]
    words = []
    for name, value in details.items():
        if name in ("running", "goal_id") or _USUAL.get(name) == value:
            continue
        if name == "ok":
            words.append("worked" if value else "failed")
        else:
            words.append(_flat(value) if name in _SPEAKING else f"{name.replace('_', ' ')}: {_flat(value)}")
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
        *(_flat(value) for name, value in row["details"].items() if name in _SPEAKING),
    ]
    click.echo(visible("  ".join(word for word in words if word)))


# --- Key results and experiments


def percent(share: float | None) -> str | None:
    """A share for people: whole percents, cut rather than rounded up to a hundred."""
    return None if share is None else f"{min(round(100 * share), 99) if share < 1 else 100}%"


def key_result_line(row: Data) -> None:
    """A short confirmation after a measurement."""
    _line((row["goal_id"], "bold"), (_amount(row["current"], row["unit"]), ""), (percent(row["progress"]) or "", ""))


def key_results(rows: Sequence[Data]) -> None:
    """A table of key results."""
    screen = console()
    table = _table(screen.width, "goal", "progress", "current", "target", "title")
    for row in rows:
        amounts = (_amount(row[name], row["unit"]) for name in ("current", "target"))
        table.add_row(_cell(row["goal_id"]), _cell(percent(row["progress"])), *map(_cell, amounts), _cell(row["title"]))
    _print(screen, table)


def key_result(row: Data) -> None:
    """A key result, and what it measured."""
    _line((row["goal_id"], "bold"), _word(row["status"]), (row["title"], ""))
    shown = {name: _amount(row[name], row["unit"]) for name in ("baseline", "current", "target")}
    _details(shown | {"progress": percent(row["progress"]), "objective": row["objective_id"]})
    if row["history"]:
        values(row["history"])


def values(rows: Sequence[Data]) -> None:
    """Measurements, the first one first."""
    screen = console()
    table = _table(screen.width, "position", "measured", "value", "progress", "by", "note")
    for row in rows:
        table.add_row(
            _cell(row["position"]), _when(row["occurred_at"]), _cell(_amount(row["value"], row["unit"])),
            _cell(percent(row["progress"])), _cell(row["by"]), _cell(row["note"]),
        )  # fmt: skip
    _print(screen, table)


def report(data: Data) -> None:
    """How the arms of an experiment did, and who wins."""
    screen = console()
    table = _table(screen.width, "arm", "results", "rate", "between")
    for arm in data["arms"]:
        between = f"{arm['low']:.3f} and {arm['high']:.3f}"
        rate = None if arm["rate"] is None else f"{arm['rate']:.3f}"
        table.add_row(_cell(arm["arm"]), _cell(arm["n"]), _cell(rate), _cell(between))
    _print(screen, table)
    if data["winner"] is not None:
        _line(("winner", "green"), (data["winner"], "bold"))
        return
    more = "" if data["further"] is None else f"about {data['further']:,} more results would settle it at these rates"
    _line(("inconclusive", "yellow"), *([(more, "")] if more else []))


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
    _line((row["run_id"], "bold"), _word(row["status"]), (f"attempt {row['attempt']}{how}", ""))


def runs(rows: Sequence[Data]) -> None:
    """A table of runs."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(
        screen.width, "run", "no", "outcome", "cost", *(("took", "started", "agent") if wide else ()), "category"
    )
    for row in rows:
        took = row["duration_seconds"]
        took_s = _cell(None if took is None else f"{took:.0f}s")
        more = (took_s, _when(row["started_at"]), _cell(row["agent"])) if wide else ()
        table.add_row(
            _cell(row["run_id"]),
            _cell(row["attempt"]),
            _status(row["local_outcome"] or row["status"]),
            _cell(_dollars(row["cost_usd"])),
            *more,
            _cell(row["failure_category"]),
        )
    _print(screen, table)


def outcomes(rows: Sequence[Data]) -> None:
    """A table of what runs were worth."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(screen.width, "run", "outcome", *(("source", "when") if wide else ()), "detail")
    for row in rows:
        more = (_cell(row["source"]), _when(row["occurred_at"])) if wide else ()
        table.add_row(_cell(row["run_id"]), _cell(row["business_outcome"]), *more, _cell(row["detail"]))
    _print(screen, table)


def run(row: Data) -> None:
    """Everything about a run that is set."""
    run_line(row)
    hidden = {"run_id", "status", "attempt", "position", "context"}
    given = {f"given {name}": ids for name, ids in (row["context"] or {}).items()}
    _details({name: value for name, value in row.items() if name not in hidden} | given)


# --- Work


def choice(row: Data) -> None:
    """What to work on next, and why."""
    _line((row["goal_id"], "bold"), (row["title"], ""))
    _line((f"  {row['why']}", "dim"))
    _steps(row)


def _steps(row: Data) -> None:
    """What a goal is broken down into, when a method applies to it."""
    if (plan := row.get("plan")) is not None:
        _line((f"  {plan['method']}:", "dim"))
        for number, step in enumerate(plan["steps"], start=1):
            _line((f"  {number}. {step}", ""))


def choices(rows: Sequence[Data]) -> None:
    """Every open goal in the order in which it is served, with the reason."""
    screen = console()
    table = _table(screen.width, "goal", "score", "title", "why")
    for row in rows:
        score = "" if row["score"] is None else f"{row['score']:.2f}"
        table.add_row(_cell(row["goal_id"]), _cell(score), _cell(row["title"]), _cell(row["why"]))
    _print(screen, table)
    _steps(rows[0])


def claimed(row: Data) -> None:
    """A run that was just claimed, and the goal that it serves."""
    run_line(row)
    _line((f"  for {row['goal_id']}", "dim"))


_OUTCOMES = {
    "same": ("the same again, from the same candidates and scores", "green"),
    "same_choice": ("the same choice again, from other candidates or scores", "yellow"),
}


def why(data: Data) -> None:
    """A decision, what it was made from, and whether it would be made again."""
    event, receipt, again = data["event"], data["receipt"], data["again"]
    _line((str(event["position"]), "bold"), (event["event"], ""), (event["stream"], "dim"))
    candidates = [f"{one['score']:.3f}  {one['id']}  {one['why']}" for one in receipt["candidates"]]
    if receipt["count"] > len(candidates):
        candidates.append(f"and {receipt['count'] - len(candidates):,} more")
    by_chance = receipt["propensity"] < 1
    _details(
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
    _line((again["outcome"], style), (f"{words}; {settings}", ""))


def replay(data: Data) -> None:
    """The decisions that would be others, and how many would not."""
    for flip in data["flips"]:
        _line((str(flip["position"]), "bold"), (moment(flip["at"]), "dim"), (flip["policy"], ""))
        _details(
            {
                name: [flip[name]["id"], _judged("then", flip[name]["then"]), _judged("now", flip[name]["now"])]
                for name in ("was", "becomes")
            }
        )
    counts = {name: f"{data[name]:,}" for name in ("decisions", "same", "rescored", "flipped")}
    _line(("flipped", "red") if data["flipped"] else ("same", "green"), (f"under {data['policy']}", ""))
    reasons = [f"{count:,} {code}" for code, count in data["not_made_again"].items()]
    _details(counts | {"not made again": reasons})


def _judged(when: str, considered: Data | None) -> str:
    return f"{when}: " + ("not known" if considered is None else f"{considered['score']:.3f}  {considered['why']}")


# --- Lessons


def lesson_line(row: Data) -> None:
    """A short confirmation after a write."""
    _line((row["lesson_id"], "bold"), _word(_state(row)), (f"confidence {row['confidence']:.2f}", ""))


def lessons(rows: Sequence[Data]) -> None:
    """A table of lessons."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(screen.width, "lesson", "sure", *(("for", "against", "goals", "actions") if wide else ()), "text")
    for row in rows:
        more = (row["evidence_for"], row["evidence_against"], row["goal_type"] or "any", row["action_type"] or "any")
        mark = "" if row["active"] else f" ({_state(row)})"
        table.add_row(
            _cell(row["lesson_id"]),
            _cell(f"{row['confidence']:.2f}"),
            *(map(_cell, more) if wide else ()),
            _cell(f"{row['lesson_text']} ({row['category']}){mark}"),
        )
    _print(screen, table)


def lesson(row: Data) -> None:
    """Everything about a lesson that is set."""
    lesson_line(row)
    hidden = {
        "lesson_id",
        "active",
        "confidence",
        "position",
        "recalled",
        "evidence_run_ids",
        "awaited",
        "applied_by_hand",
    }
    told = {name: value for name, value in row.items() if name not in hidden}
    _details(told | {"evidence": [_evidence(one) for one in row["evidence"]]})


def _evidence(one: Data) -> str:
    marks = [mark for mark in (one["aar_id"], "taught it" if one["founding"] else None) if mark]
    return str(one["run_id"]) + (f" ({', '.join(marks)})" if marks else "")


def _state(row: Data) -> str:
    return "active" if row["active"] else "recalled" if row["recalled"] else "retired"


def context(data: Data) -> None:
    """What an agent is told, line by line; beside it, what found no room."""
    for line in data["text"].splitlines():
        click.echo(visible(line))
    if data["left_out"]:
        click.echo(f"{data['left_out']} left out: {data['max_tokens']} tokens are full; see --max-tokens", err=True)
    if not data["text"]:
        click.echo("Nothing to tell." if data["run_id"] is None else "It was told nothing.", err=True)


def contradictions(rows: Sequence[Data]) -> None:
    """Pairs of lessons, and why both cannot be followed."""
    for row in rows:
        _line((row["why"], "yellow"))
        for side in ("first", "second"):
            _line((f"  {row[side]}", "bold"), (row[f"{side}_text"], ""))


def recall(data: Data) -> None:
    """What falls with a lesson, or would."""
    would = "would fall" if data["dry_run"] else "fell"
    _line((data["lesson_id"], "bold"), ("would be recalled" if data["dry_run"] else "recalled", "red"))
    others = [lesson_id for lesson_id in data["lessons"] if lesson_id != data["lesson_id"]]
    _details(
        {
            f"lessons that {would} with it": others or "none",
            f"rules that {would} with it": data["rules"] or "none",
            "runs that worked by any of it": data["runs"] or "none",
        }
    )


def lineage(data: Data) -> None:
    """A rule over the lessons, reviews and runs that it stands on."""
    from rich.tree import Tree

    top = Tree(_text((data["rule_id"], "bold"), ("  ", ""), (data["rule_text"], ""), _fallen(data)))
    for lesson in data["lessons"]:
        branch = top.add(
            _text((lesson["lesson_id"], "bold"), ("  ", ""), (lesson["lesson_text"] or "", ""), _fallen(lesson))
        )
        for review in lesson["reviews"]:
            leaves = branch.add(_text((review["aar_id"] or "without a review", "")))
            for run in review["runs"]:
                leaves.add(_text((run["run_id"], ""), ("  ", ""), _word(run["local_outcome"] or "")))
    _print(console(), top)


def _fallen(row: Data) -> tuple[str, str]:
    return (f"  (recalled with {row['recalled_root']})", "red") if row["recalled"] else ("", "")


# --- Rankings


def ranking(rows: Sequence[Data]) -> None:
    """A table of goals by what they are worth."""
    screen = console()
    table = _table(screen.width, "goal", "score", "title")
    for row in rows:
        marks = (" (overdue)" if row["is_overdue"] else "") + (f" ({row['obstacle']})" if row["obstacle"] else "")
        table.add_row(_cell(row["goal_id"]), _cell(f"{row['score']:.3f}"), _cell(row["title"] + marks))
    _print(screen, table)


def ranking_explained(rows: Sequence[Data]) -> None:
    """The same, each with what its score is made of."""
    for row in rows:
        _line((row["goal_id"], "bold"), (f"{row['score']:.3f}", ""), (row["title"], ""))
        _line(("  ", ""), (row["why"] + (f"; {row['obstacle']}" if row["obstacle"] else ""), "dim"))


# --- Proposals, beliefs and checks


def scanned(data: Data) -> None:
    """What a scan found, and what came of each proposal."""
    for one in data["proposals"]:
        became = "rejected" if one["code"] else "active" if one["auto"] else "proposed"
        why = f"{one['code']}: {one['value']}" if one["code"] else one["goal_id"] or "in a dry run"
        _line((one["proposal_id"], "bold"), _word(became), (f"{one['confidence']:.2f}", ""), (one["text"], ""))
        _line(("  ", ""), (why, "dim"))
    telemetry(data["telemetry"])


def telemetry(data: Data) -> None:
    """What came of the proposals of one scan or of several."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in data["rejection_reasons"].items())
    told = (
        f"{data['total_proposals_evaluated']} evaluated, {data['total_goals_created']} created, "
        f"{data['total_goals_rejected']} rejected, {data['auto_approved_count']} auto-approved"
    )
    _line((told, ""), *([(f"({reasons})", "dim")] if reasons else []))


def proposals(rows: Sequence[Data]) -> None:
    """A table of proposals."""
    screen = console()
    table = _table(screen.width, "proposal", "status", "sure", "text")
    for row in rows:
        why = f" ({row['code']})" if row["code"] else ""
        table.add_row(
            _cell(row["proposal_id"]),
            _status(row["status"]),
            _cell(f"{row['confidence']:.2f}"),
            _cell(row["text"] + why),
        )
    _print(screen, table)


def proposal(row: Data) -> None:
    """Everything about a proposal that is set."""
    _line((row["proposal_id"], "bold"), _word(row["status"]), (row["text"], ""))
    _details({name: value for name, value in row.items() if name not in {"proposal_id", "status", "text", "position"}})


def belief_line(row: Data) -> None:
    """A short confirmation after a write."""
    _line((row["belief_id"], "bold"), _word(row["status"]), (row["text"], ""))


def beliefs(rows: Sequence[Data]) -> None:
    """A table of beliefs."""
    screen = console()
    table = _table(screen.width, "belief", "status", "text")
    for row in rows:
        table.add_row(_cell(row["belief_id"]), _status(row["status"]), _cell(row["text"]))
    _print(screen, table)


def belief(row: Data) -> None:
    """Everything about a belief that is set."""
    belief_line(row)
    _details({name: value for name, value in row.items() if name not in {"belief_id", "status", "text", "position"}})


def check_line(row: Data) -> None:
    """A short confirmation after a write."""
    _line((row["task"], "bold"), _word("ok" if row["ok"] else "failed"), (row["error"] or "", ""))


def checks(rows: Sequence[Data]) -> None:
    """A table of outcomes of scheduled tasks."""
    screen = console()
    table = _table(screen.width, "when", "went", "task", "error")
    for row in rows:
        table.add_row(
            _cell(moment(row["checked_at"])),
            _status("ok" if row["ok"] else "failed"),
            _cell(row["task"]),
            _cell(row["error"]),
        )
    _print(screen, table)


# --- Projects


def project_line(row: Data) -> None:
    """A project on one line."""
    _line((row["project_id"], "bold"), (f"{row['percent_complete']:g} %", ""), (row["name"], ""))


def projects(rows: Sequence[Data]) -> None:
    """A table of projects."""
    screen = console()
    table = _table(screen.width, "project", "done", "features", "bugs", "critical", "name")
    for row in rows:
        features = f"{row['features_done']} of {row['features_total']}"
        numbers = (f"{row['percent_complete']:g} %", features, row["open_bugs"], row["critical_bugs"])
        table.add_row(_cell(row["project_id"]), *map(_cell, numbers), _cell(row["name"]))
    _print(screen, table)


def project(row: Data) -> None:
    """Everything about a project that is set; of its bugs those that are open."""
    project_line(row)
    hidden = {"project_id", "name", "percent_complete", "features_done", "features_total", "position"}
    features = [f"{one['feature_id']} {one['title']}" + (" (done)" * one["done"]) for one in row["features"]]
    bugs = [f"{bug['bug_id']} {bug['title']} ({bug['severity']})" for bug in row["bugs"] if not bug["resolved"]]
    shown = {name: value for name, value in row.items() if name not in hidden}
    _details({**shown, "features": features, "bugs": bugs})


# --- Rules


def rule_line(row: Data) -> None:
    """A short confirmation after a write."""
    mode = row["activation_mode"] if row["active"] else "retired"
    _line((row["rule_id"], "bold"), _word(mode), (row["title"], ""))


def rules(rows: Sequence[Data]) -> None:
    """A table of rules."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(
        screen.width, "rule", "status", *(("with it", "without", "goals", "actions") if wide else ()), "title"
    )
    for row in rows:
        told, won = row["times_applied"], row["times_validated"]
        with_it, without = f"{won} of {told} won", f"{row['control_won']} of {row['control_runs']} won"
        more = (with_it, without, row["applies_to_goal_type"] or "any", row["applies_to_action_type"] or "any")
        mode = row["activation_mode"] if row["active"] else "retired"
        table.add_row(_cell(row["rule_id"]), _status(mode), *(map(_cell, more) if wide else ()), _cell(row["title"]))
    _print(screen, table)


def rule(row: Data) -> None:
    """Everything about a rule that is set."""
    rule_line(row)
    hidden = {"rule_id", "active", "activation_mode", "title", "position", "round_position", "mode_position"}
    _details({name: value for name, value in row.items() if name not in hidden and value != 0})


def evaluation(data: Data) -> None:
    """What the counts of a rule say."""
    rule_line(data["rule"])
    if data["choice"] is None:
        _line(("nothing is compared in shadow", "yellow"))
        return
    screen = console()
    table = _table(screen.width, "question", "reached", "counts")
    for question in data["questions"]:
        table.add_row(_cell(question["name"]), _cell(f"{max(0.0, question['score']):.0%}"), _cell(question["counts"]))
    _print(screen, table)
    if data["choice"] != "wait":
        _line((data["choice"], "green" if data["choice"] == "promote" else "red"), (data["cause"] or "", ""))
        return
    missing = data["missing"]
    more = "" if missing is None else f"about {missing:,} more runs would settle it at these rates"
    _line(("inconclusive", "yellow"), *([(more, "")] if more else []))


# --- Reviews and learning


def review_line(row: Data) -> None:
    """A short confirmation after a write."""
    lessons = f"lessons {', '.join(row['lesson_ids'])}" if row["promoted"] else "no lesson taken yet"
    _line((row["aar_id"], "bold"), _word(row["notable"]), (lessons, ""))


def reviews(rows: Sequence[Data]) -> None:
    """A table of reviews."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(screen.width, "review", *(("written", "run") if wide else ()), "why", "what happened")
    for row in rows:
        marks = (" (reopened)" if row["reopened_by"] else "") + (" (promoted)" if row["promoted"] else "")
        more = (_when(row["created_at"]), _cell(row["run_id"])) if wide else ()
        table.add_row(_cell(row["aar_id"]), *more, _status(row["notable"]), _cell(row["what_happened"] + marks))
    _print(screen, table)


def review(row: Data) -> None:
    """Everything about a review that is set."""
    review_line(row)
    hidden = {"aar_id", "notable", "promoted", "reopened", "failure_category", "position"}
    cause = row["root_cause"]
    told = {name: value for name, value in row.items() if name not in hidden}
    _details(told | {"root_cause": ": ".join(part for part in (cause["category"], cause["detail"]) if part)})


def cycle(row: Data) -> None:
    """The report of a learning cycle."""
    _line((row["cycle_id"], "bold"), (f"{moment(row['since'])} to {moment(row['until'])}", ""))
    told = {
        "runs": f"{row['runs']:,}, {row['failed']:,} failed, {row['partial']:,} partial",
        "untimed": f"{row['untimed']:,} of the ledger, in no week" if row["untimed"] else None,
        "reviews": f"{row['reviews']:,} written",
        "groups": [f"{group['runs']:>5,}  {_named(group)}" for group in row["groups"]],
        "more groups": max(0, row["group_count"] - len(row["groups"])) or None,
        "candidates": [f"{one['score']:>5g}  {one['why'].partition(': ')[2]}" for one in row["candidates"]],
        "more candidates": max(0, row["candidate_count"] - len(row["candidates"])) or None,
        "lessons": row["lessons"],
        "rules": row["rules"],
        "advanced": row["advanced"],
        "reason": row["reason"],
    }
    _details(told)


def cycles(rows: Sequence[Data]) -> None:
    """A table of learning cycles."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(screen.width, "cycle", "until", "runs", "lessons", *(("reviews", "rules") if wide else ()))
    for row in rows:
        counts = row["runs"], len(row["lessons"]), *((row["reviews"], len(row["rules"])) if wide else ())
        table.add_row(_cell(row["cycle_id"]), _when(row["until"]), *map(_cell, counts))
    _print(screen, table)


def failure_groups(rows: Sequence[Data]) -> None:
    """A table of what keeps failing."""
    screen = console()
    table = _table(screen.width, "runs", "last seen", "failure")
    for row in rows:
        table.add_row(_cell(row["runs"]), _when(row["last_seen_at"]), _cell(row["signature"]))
    _print(screen, table)


def rates(rows: Sequence[Data]) -> None:
    """A table of weeks."""
    screen = console()
    table = _table(screen.width, "week", "runs", "succeeded", "partial", "failed", "rate")
    for row in rows:
        counts = row["runs"], row["succeeded"], row["partial"], row["failed"]
        table.add_row(_cell(row["week"]), *map(_cell, counts), _cell(percent(row["rate"])))
    _print(screen, table)


def suggestions(rows: Sequence[Data]) -> None:
    """What to improve, each with why and the command to begin with."""
    for row in rows:
        _line((row["what"], "bold"))
        _line((f"  {row['why']}: {row['command']}", ""))


def _named(group: Data) -> str:
    return " · ".join(group[name] for name in ("goal_type", "action_type", "failure_category") if group[name])


# --- Loops and sessions


def loop_line(row: Data) -> None:
    """A short confirmation after a write."""
    _line((row["loop_id"], "bold"), _word(row["status"]), (f"{row['kind']}: {row['question']}", ""))


def loops(rows: Sequence[Data]) -> None:
    """A table of loops."""
    screen = console()
    wide = screen.width >= _WIDE
    table = _table(screen.width, "loop", "kind", *(("due", "goal") if wide else ()), "question")
    for row in rows:
        marks = (" (overdue)" if row["overdue"] else "") + (" (closed)" if row["status"] == "closed" else "")
        more = (_when(row["due_at"]), _cell(row["goal_id"])) if wide else ()
        table.add_row(_cell(row["loop_id"]), _cell(row["kind"]), *more, _cell(row["question"] + marks))
    _print(screen, table)


def loop(row: Data) -> None:
    """Everything about a loop that is set."""
    loop_line(row)
    hidden = {"loop_id", "status", "kind", "question", "position", "overdue", "holds_goal"}
    flags = {name: True for name in ("overdue", "holds_goal") if row[name]}
    _details({name: value for name, value in row.items() if name not in hidden} | flags)


def session_line(row: Data) -> None:
    """A session on one line."""
    _line((f"session {row['number']}", "bold"), _word(row["status"]), (f"started {moment(row['started_at'])}", ""))


def sessions(rows: Sequence[Data]) -> None:
    """A table of sessions."""
    screen = console()
    table = _table(screen.width, "no", "status", "started", "stopped", "before")
    for row in rows:
        times = (_when(row["started_at"]), _when(row["stopped_at"]))
        table.add_row(_cell(row["number"]), _status(row["status"]), *times, _cell(row["last_stop"]))
    _print(screen, table)


def session(row: Data) -> None:
    """When a session was started and stopped, and what was happening then."""
    session_line(row)
    hidden = {"session_id", "number", "status", "report", "snapshot", "position", "clean"}
    _details({name: value for name, value in row.items() if name not in hidden} | _flat_report(row["snapshot"]))


def session_stopped(row: Data) -> None:
    """What was happening when it was stopped."""
    session_line(row)
    _details({"summary": row["summary"]})


def session_report(row: Data) -> None:
    """What a start found left over, and what it did about it."""
    session_line(row)
    _details(_flat_report(row["report"]))


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
            flat[name] = [f"{of['goal_id']}: {_flat(of['value'])}" for of in value]
        else:
            flat[name] = value
    return flat


# --- Projections, ledger, imports


def projections(rows: Sequence[Data]) -> None:
    """What read models there are."""
    screen = console()
    table = _table(screen.width, "projection", "key", "events", "columns")
    for row in rows:
        table.add_row(*map(_cell, (row["name"], row["key"], len(row["reads"]), len(row["columns"]))))
    _print(screen, table)


def projection_status(rows: Sequence[Data]) -> None:
    """Where each read model stands."""
    screen = console()
    table = _table(screen.width, "projection", "state", "position", "behind", "rows", "quarantined")
    for row in rows:
        cells = (row[name] for name in ("position", "behind", "rows", "quarantined"))
        table.add_row(_cell(row["name"]), _status(row["state"]), *map(_cell, cells))
    _print(screen, table)
    for row in rows:
        if row["building"] is not None:
            _line((f"{row['name']}: a new table is built up to position {row['building']:,}", "yellow"))
        if row["kept"]:
            _line((f"{row['name']}: kept beside it: {', '.join(row['kept'])}", ""))
    for problem in (problem for row in rows for problem in row["problems"]):
        _line((f"position {problem['position']} not in {problem['projection']}: {problem['event']}", "red"))
        _line((f"  {problem['problem']}", ""))


def rebuilt(data: Data) -> None:
    """What a rebuild folded."""
    for row in data["projections"]:
        _line((row["name"], "bold"), (f"{row['rows']:,} rows", ""), (f"folded up to position {row['position']:,}", ""))


def built(data: Data) -> None:
    """What stands ready beside the tables in use."""
    for row in data["projections"]:
        _line((row["name"], "bold"), (f"built up to position {row['building']:,}, not in use yet", ""))
        _line((f"  goal-ledger projection diff {row['name']}; goal-ledger projection swap {row['name']}", ""))


def repaired(rows: Sequence[Data]) -> None:
    """What was folded anew for one stream."""
    for row in rows:
        _line((row["projection"], "bold"), (f"{row['rows']:,} rows folded anew, {row['changed']:,} changed", ""))
    if not rows:
        _line(("no read model has rows of it", ""))


def retried(data: Data) -> None:
    """What was set aside and is folded now."""
    lacking = sum(row["quarantined"] for row in data["projections"])
    _line(("ok" if not lacking else "partly", "green" if not lacking else "yellow"),
          (f"{data['healed']:,} events folded that were set aside, {lacking:,} still lacking", ""))  # fmt: skip


def dropped(data: Data) -> None:
    """Which tables are gone."""
    for name in data["dropped"]:
        _line(("dropped", ""), (name, "bold"))
    if not data["dropped"]:
        _line(("nothing to drop", ""))


def diffs(rows: Sequence[Data]) -> None:
    """What differs between two tables of each read model, row by row."""
    if not rows:
        _line(("nothing is folded yet that could change", ""))
    for row in rows:
        counts = [f"{row[what]:,} {what}" for what in ("added", "removed", "changed") if row[what]]
        _line(
            (row["projection"], "bold"), (", ".join(counts) or "no row differs", ""), (f"of {row['rows']:,} rows", "")
        )
        for what in ("added", "removed"):
            if row[f"columns_{what}"]:
                _line((f"  columns {what}: {', '.join(row[f'columns_{what}'])}", ""))
        for change in row["changes"]:
            _line((f"  {change['key']}", "bold"), (change["what"], ""))
            for name, (before, after) in change["fields"].items():
                _line((f"    {name}: {_flat(before)} → {_flat(after)}", ""))
            if (event := change["because"]) is not None:
                since = f"position {event['position']}, {event['name']}, {moment(event['at'])}"
                _line((f"    since {since}", "dim"))
        if (more := sum(row[what] for what in ("added", "removed", "changed")) - len(row["changes"])) > 0:
            _line((f"  and {more:,} more rows", ""))


def stats(data: Data) -> None:
    """How large the log is."""
    _details({name: f"{value:,}" if isinstance(value, int) else value for name, value in data.items()})


def held(data: Data) -> None:
    """An event, and the row that fulfils a condition since."""
    event_line(data["event"])
    if data["row"] is not None:
        _details(data["row"])


def changes(rows: Sequence[Data]) -> None:
    """What changed, field by field, and through which events."""
    for row in rows:
        _line((row["id"], "bold"), (row["change"], _CHANGES[row["change"]]), (row["about"], ""))
        if row["change"] == "changed":
            _details({name: f"{_flat(of['before'])} → {_flat(of['after'])}" for name, of in row["fields"].items()})
        else:
            side = "after" if row["change"] == "added" else "before"
            _details(
                {name: of[side] for name, of in row["fields"].items() if of[side] not in (row["id"], row["about"])}
            )
        _line((f"  by {_places(row['positions'])}", "dim"))


def _places(positions: Sequence[int]) -> str:
    """Positions in words; of many, the ends."""
    few = positions if len(positions) <= _FEW else (*positions[: _FEW - 2], "…", positions[-1])
    return f"{len(positions):,} event{'s' if len(positions) > 1 else ''}: " + ", ".join(map(str, few))


def verified(data: Data) -> None:
    """That nothing was altered."""
    _line(("ok", "green"), (f"{data['events']:,} events up to position {data['head']:,}, each as it was written", ""))
    if data["digest"]:
        _line(("head", ""), (f"{data['head']}:{data['digest'][:16]}", ""))
    if "state" not in data:
        return
    screen = console()
    table = _table(screen.width, "state", "rows", "lacking", "sha256")
    for row in data["state"]["projections"]:
        table.add_row(*map(_cell, (row["name"], f"{row['rows']:,}", f"{row['lacking']:,}", row["sha256"][:16] + "…")))
    _print(screen, table)
    _line(("all", "bold"), (data["state"]["sha256"], ""))


def file_verified(data: Data) -> None:
    """That an export was not altered."""
    how = "each follows the one before" if data["against"] is None else "each as the log says"
    _line(("ok", "green"), (f"{data['lines']:,} lines, {how}", ""))


def copied(data: Data) -> None:
    """What was written where."""
    _line(("ok", "green"), (f"{data['events']:,} events up to position {data['head']:,}", ""), (data["path"], ""))
    if "state" in data:
        _line((f"both fold into state {data['state']}", ""))


def settings(rows: Sequence[Data]) -> None:
    """A table of settings."""
    screen = console()
    table = _table(screen.width, "setting", "value", "from", "allowed")
    for row in rows:
        table.add_row(_cell(row["name"]), _cell(_flat(row["value"])), _cell(row["origin"]), _cell(row["allowed"]))
    _print(screen, table)


def health(data: Data) -> None:
    """A line for each finding, and what to do about it."""
    screen = console()
    table = _table(screen.width, "", "", "")
    table.show_header = False
    for finding in data["findings"]:
        words = [finding["says"], *([f"→ {finding['do']}"] if finding["do"] else [])]
        table.add_row(_status(finding["level"]), _cell(finding["check"]), _lines(words))
    _print(screen, table)


def imported(data: Data) -> None:
    """What an import did."""
    numbers = ("records", "rows", "tasks", "checks", "goals", "runs", "events", "unchanged", "skipped")
    numbers = ("records", "rows", "goals", "runs", "events", "outcomes", "baselines", "unchanged", "skipped")
    _details({name: f"{data[name]:,}" for name in numbers if name in data})
    for source_id in data.get("changed", ()):
        _line(("changed since it was imported, left as it was:", "yellow"), (source_id, ""))


# --- Drawing


def console(*, stderr: bool = False) -> Console:
    """Where to draw: as wide as the terminal, 80 columns without one."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    screen = Screen(stderr=stderr, markup=False, highlight=False, emoji=False)
    if screen.width < _NARROWEST:
        screen.width = _NARROWEST
    return screen


def _print(screen: Console, drawing: RenderableType) -> None:
    """Draw it, without the blanks that fill up the lines."""
    from rich.text import Text

    for line in screen.render_lines(drawing, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line if not segment.control))
        text.rstrip()
        screen.print(text, soft_wrap=True)


def _text(*parts: tuple[str, str]) -> Text:
    from rich.text import Text

    return Text.assemble(*((visible(words), style) for words, style in parts), overflow="fold")


def _line(*parts: tuple[str, str]) -> None:
    if _plainly(["  ".join(visible(words) for words, _ in parts)]):
        return
    spaced = [piece for part in parts for piece in (("  ", ""), part)]
    _print(console(), _text(*spaced[1:]))


def _word(status: str) -> tuple[str, str]:
    return str(status), _STYLES.get(status, "")


def _status(status: str) -> Text:
    return _text(_word(status))


def _cell(value: object) -> Text:
    return _text(("" if value is None else str(value), ""))


def _when(stored: str | None) -> Text:
    return _cell(moment(stored))


def _dollars(amount: object) -> str | None:
    return None if amount is None else f"${amount}"


def _table(width: int, *columns: str) -> Table:
    """A table without lines. Ids keep their width, whatever else must give way."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    whole = {"goal", "run", "lesson", "rule", "loop", "review", "cycle", "week", "project"} | (
        {"status", "outcome", "started", "stopped", "position", "until", "last seen"}
        if width >= _USUAL_WIDTH
        else set()
    )
    numbers = {
        "results",
        "rate",
        "value",
        "current",
        "target",
        "progress",
        "pri",
        "no",
        "sure",
        "for",
        "against",
        "cost",
        "took",
        "done",
        "bugs",
        "critical",
        "events",
        "position",
        "behind",
        "rows",
        "runs",
        "reviews",
        "lessons",
        "succeeded",
        "partial",
        "failed",
    }
    for name in columns:
        table.add_column(
            name,
            no_wrap=name in whole,
            overflow="fold",
            justify="right" if name in numbers and name != columns[-1] else "left",
        )
    return table


def _details(fields: Data) -> None:
    """Names and values, one below the other; what is not set is left out."""
    rows = [
        (f"  {name.replace('_', ' ')}", value) for name, value in fields.items() if value not in (None, "", (), [], {})
    ]
    width = max((len(name) for name, _ in rows), default=0)
    plain = [
        f"{name if at == 0 else '':<{width}}  {visible(_flat(one))}"
        for name, value in rows
        for at, one in enumerate(_each(value))
    ]
    if _plainly(plain):
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, _lines(value))
    _print(console(), grid)


def _plainly(lines: Sequence[str]) -> bool:
    """Print lines that need neither colour nor folding, False when they do: importing rich takes its time."""
    if sys.stdout.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE")):
        return False
    columns = os.environ.get("COLUMNS", "")
    width = max(_NARROWEST, int(columns) if columns.isdecimal() else _USUAL_WIDTH)
    if not all(line.isascii() and len(line) <= width for line in lines):
        return False
    click.echo("\n".join(line.rstrip() for line in lines))
    return True


def _lines(value: Any) -> Text:
    from rich.text import Text

    return Text("\n").join(_text((_flat(one), "")) for one in _each(value))


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else [value]


def _flat(value: Any) -> str:
    """A value in words."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and "text" in value:  # a criterion
        return str(value["text"]) + ("" if value.get("required", True) else " (optional)")
    if hasattr(value, "text"):
        return str(value.text)
    if hasattr(value, "detail"):  # a root cause
        return ": ".join(part for part in (value.category, value.detail) if part)
    if hasattr(value, "policy"):  # a receipt
        return f"{value.policy}, from {value.count:,}"
    if hasattr(value, "model_dump"):  # a part of an event
        parts = [f"{name} {_flat(part)}" for name, part in value if part not in (None, "", ())]
        return "; ".join(parts)
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_flat, value)) or "none"
    if isinstance(value, dict):
        return orjson.dumps(value, default=as_json).decode()
    return str(value)
