"""What people see of the read models, the log and imports.

Drawn by `draw`. Text from the ledger is never markup and never moves the cursor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goal_ledger.cli.frame.screen import console
from goal_ledger.cli.frame.text import moment
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.render import event_line

Data = dict[str, Any]

_FEW = 8  # positions told one by one
_CHANGES = {"added": "green", "changed": "yellow", "removed": "red"}


def projections(rows: Sequence[Data]) -> None:
    """What read models there are."""
    screen = console()
    table = draw.table(screen.width, "projection", "key", "events", "columns")
    for row in rows:
        table.add_row(*map(draw.cell, (row["name"], row["key"], len(row["reads"]), len(row["columns"]))))
    draw.put(screen, table)


def projection_status(rows: Sequence[Data]) -> None:
    """Where each read model stands."""
    screen = console()
    table = draw.table(screen.width, "projection", "state", "position", "behind", "rows", "quarantined")
    for row in rows:
        cells = (row[name] for name in ("position", "behind", "rows", "quarantined"))
        table.add_row(draw.cell(row["name"]), draw.status(row["state"]), *map(draw.cell, cells))
    draw.put(screen, table)
    for row in rows:
        if row["building"] is not None:
            draw.line((f"{row['name']}: a new table is built up to position {row['building']:,}", "yellow"))
        if row["kept"]:
            draw.line((f"{row['name']}: kept beside it: {', '.join(row['kept'])}", ""))
    for problem in (problem for row in rows for problem in row["problems"]):
        draw.line((f"position {problem['position']} not in {problem['projection']}: {problem['event']}", "red"))
        draw.line((f"  {problem['problem']}", ""))


def rebuilt(data: Data) -> None:
    """What a rebuild folded."""
    for row in data["projections"]:
        draw.line(
            (row["name"], "bold"), (f"{row['rows']:,} rows", ""), (f"folded up to position {row['position']:,}", "")
        )


def built(data: Data) -> None:
    """What stands ready beside the tables in use."""
    for row in data["projections"]:
        draw.line((row["name"], "bold"), (f"built up to position {row['building']:,}, not in use yet", ""))
        draw.line((f"  goal-ledger projection diff {row['name']}; goal-ledger projection swap {row['name']}", ""))


def repaired(rows: Sequence[Data]) -> None:
    """What was folded anew for one stream."""
    for row in rows:
        draw.line((row["projection"], "bold"), (f"{row['rows']:,} rows folded anew, {row['changed']:,} changed", ""))
    if not rows:
        draw.line(("no read model has rows of it", ""))


def retried(data: Data) -> None:
    """What was set aside and is folded now."""
    lacking = sum(row["quarantined"] for row in data["projections"])
    draw.line(("ok" if not lacking else "partly", "green" if not lacking else "yellow"),
          (f"{data['healed']:,} events folded that were set aside, {lacking:,} still lacking", ""))  # fmt: skip


def dropped(data: Data) -> None:
    """Which tables are gone."""
    for name in data["dropped"]:
        draw.line(("dropped", ""), (name, "bold"))
    if not data["dropped"]:
        draw.line(("nothing to drop", ""))


def diffs(rows: Sequence[Data]) -> None:
    """What differs between two tables of each read model, row by row."""
    if not rows:
        draw.line(("nothing is folded yet that could change", ""))
    for row in rows:
        counts = [f"{row[what]:,} {what}" for what in ("added", "removed", "changed") if row[what]]
        draw.line(
            (row["projection"], "bold"), (", ".join(counts) or "no row differs", ""), (f"of {row['rows']:,} rows", "")
        )
        for what in ("added", "removed"):
            if row[f"columns_{what}"]:
                draw.line((f"  columns {what}: {', '.join(row[f'columns_{what}'])}", ""))
        for change in row["changes"]:
            draw.line((f"  {change['key']}", "bold"), (change["what"], ""))
            for name, (before, after) in change["fields"].items():
                draw.line((f"    {name}: {draw.flat(before)} → {draw.flat(after)}", ""))
            if (event := change["because"]) is not None:
                since = f"position {event['position']}, {event['name']}, {moment(event['at'])}"
                draw.line((f"    since {since}", "dim"))
        if (more := sum(row[what] for what in ("added", "removed", "changed")) - len(row["changes"])) > 0:
            draw.line((f"  and {more:,} more rows", ""))


def stats(data: Data) -> None:
    """How large the log is."""
    draw.details({name: f"{value:,}" if isinstance(value, int) else value for name, value in data.items()})


def held(data: Data) -> None:
    """An event, and the row that fulfils a condition since."""
    event_line(data["event"])
    if data["row"] is not None:
        draw.details(data["row"])


def changes(rows: Sequence[Data]) -> None:
    """What changed, field by field, and through which events."""
    for row in rows:
        draw.line((row["id"], "bold"), (row["change"], _CHANGES[row["change"]]), (row["about"], ""))
        if row["change"] == "changed":
            draw.details(
                {name: f"{draw.flat(of['before'])} → {draw.flat(of['after'])}" for name, of in row["fields"].items()}
            )
        else:
            side = "after" if row["change"] == "added" else "before"
            draw.details(
                {name: of[side] for name, of in row["fields"].items() if of[side] not in (row["id"], row["about"])}
            )
        draw.line((f"  by {_places(row['positions'])}", "dim"))


def _places(positions: Sequence[int]) -> str:
    """Positions in words; of many, the ends."""
    few = positions if len(positions) <= _FEW else (*positions[: _FEW - 2], "…", positions[-1])
    return f"{len(positions):,} event{'s' if len(positions) > 1 else ''}: " + ", ".join(map(str, few))


def verified(data: Data) -> None:
    """That nothing was altered."""
    draw.line(
        ("ok", "green"), (f"{data['events']:,} events up to position {data['head']:,}, each as it was written", "")
    )
    if data["digest"]:
        draw.line(("head", ""), (f"{data['head']}:{data['digest'][:16]}", ""))
    if "state" not in data:
        return
    screen = console()
    table = draw.table(screen.width, "state", "rows", "lacking", "sha256")
    for row in data["state"]["projections"]:
        table.add_row(
            *map(draw.cell, (row["name"], f"{row['rows']:,}", f"{row['lacking']:,}", row["sha256"][:16] + "…"))
        )
    draw.put(screen, table)
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


def settings(rows: Sequence[Data]) -> None:
    """A table of settings."""
    screen = console()
    table = draw.table(screen.width, "setting", "value", "from", "allowed")
    for row in rows:
        table.add_row(
            draw.cell(row["name"]),
            draw.cell(draw.flat(row["value"])),
            draw.cell(row["origin"]),
            draw.cell(row["allowed"]),
        )
    draw.put(screen, table)


def health(data: Data) -> None:
    """A line for each finding, and what to do about it."""
    screen = console()
    table = draw.table(screen.width, "", "", "")
    table.show_header = False
    for finding in data["findings"]:
        words = [finding["says"], *([f"→ {finding['do']}"] if finding["do"] else [])]
        table.add_row(draw.status(finding["level"]), draw.cell(finding["check"]), draw.lines(words))
    draw.put(screen, table)


def imported(data: Data) -> None:
    """What an import did."""
    numbers = ("records", "rows", "tasks", "checks", "goals", "runs", "events", "unchanged", "skipped")
    numbers = ("records", "rows", "goals", "runs", "events", "outcomes", "baselines", "unchanged", "skipped")
    draw.details({name: f"{data[name]:,}" for name in numbers if name in data})
    for source_id in data.get("changed", ()):
        draw.line(("changed since it was imported, left as it was:", "yellow"), (source_id, ""))
