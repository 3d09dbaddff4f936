"""Read models: what people see of them, and of their rebuilds."""

from __future__ import annotations

from collections.abc import Sequence

from goal_ledger.cli.frame.text import moment
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Column, Data


def projections(rows: Sequence[Data]) -> None:
    """What read models there are."""
    draw.table(
        rows,
        Column("projection", "name"),
        Column("key", "key"),
        Column("events", lambda row: len(row["reads"]), number=True),
        Column("columns", lambda row: len(row["columns"])),
    )


def projection_status(rows: Sequence[Data]) -> None:
    """Where each read model stands."""
    draw.table(
        rows,
        Column("projection", "name"),
        Column("state", lambda row: draw.word(row["state"])),
        Column("position", "position", number=True, whole=draw.USUAL_WIDTH),
        Column("behind", "behind", number=True),
        Column("rows", "rows", number=True),
        Column("quarantined", "quarantined"),
    )
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
    """What was quarantined and is folded now."""
    lacking = sum(row["quarantined"] for row in data["projections"])
    draw.line(("ok" if not lacking else "partly", "green" if not lacking else "yellow"),
          (f"{data['healed']:,} quarantined events recovered, {lacking:,} still missing", ""))  # fmt: skip


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
