"""The numbers that can be tuned, and where each comes from.

Listed: noun 170
"""

from typing import Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.show.settings import settings as settings_table


@click.group(cls=Noun, examples=("goal-ledger settings show",))
def settings() -> None:
    """The numbers that can be tuned, and where each comes from."""


@settings.command("show", examples=("goal-ledger settings show", "goal-ledger settings show --db other.db --json"))
@click.pass_obj
def show(app: App) -> None:
    """Every setting: its value, where it comes from, and what is allowed.

    Set one in goal-ledger.toml beside the ledger (`page = 1000`), or in the environment (GOAL_LEDGER_PAGE=1000), which
    wins. No ledger is needed.
    """
    found = app.configuration()
    schema = type(found.settings).model_json_schema()
    shapes = {name: schema["$defs"][_name(shape)] | shape if "$ref" in shape else shape
              for name, shape in schema["properties"].items()}  # fmt: skip
    rows = [
        {
            "name": name,
            "value": value,
            "default": shapes[name]["default"],
            "origin": found.origins[name],
            "allowed": _allowed(shapes[name]),
        }
        for name, value in found.settings
    ]
    app.show_list(rows, settings_table, empty="No settings.")


def _name(shape: dict[str, Any]) -> str:
    return str(shape["$ref"]).rpartition("/")[2]


def _allowed(shape: dict[str, Any]) -> str:
    """The range of a setting in words."""
    if "enum" in shape:
        return " or ".join(shape["enum"])
    if shape["type"] == "object":
        return "table"
    if shape["type"] == "boolean":
        return "true or false"
    low, above, high = (shape.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    words = [] if low is None else [f"from {low:,}"]
    words += [] if above is None else [f"above {above:,}"]
    words += [] if high is None else [f"to {high:,}"]
    kind = "whole number" if shape["type"] == "integer" else "number"
    return " ".join([kind, *words])
