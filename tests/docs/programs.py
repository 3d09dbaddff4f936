"""The Python programs of the documents, as files for type checkers: `python -m tests.docs.programs FOLDER`."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

GIVEN = """\
from datetime import datetime
from threading import Event

from goal_ledger.ledger import Ledger, Settings
from goal_ledger.projections.goals.goal_definitions import GoalRow

ledger: Ledger
goal: GoalRow
first: GoalRow
second: GoalRow
now: GoalRow
goal_id: str
settings: Settings
started_at: datetime
position: int
stopping: Event
"""
"""What a program in docs/ may speak of without making it; the README's makes all that it speaks of."""


def write_programs(folder: Path) -> list[Path]:
    """A file for each block of each page."""
    (folder / "given.py").write_text(GIVEN, encoding="utf-8")
    names = re.findall(r"^(\w+):", GIVEN, re.MULTILINE)
    written = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE), start=1):
            used = [name for name in names if page.parent != ROOT and re.search(rf"(?<!\.)\b{name}\b", block)]
            head = f"from given import {', '.join(used)}\n\n" if used else ""
            written.append(folder / f"{page.stem}_{number}.py")
            written[-1].write_text(head + block, encoding="utf-8")
    return written


if __name__ == "__main__":
    write_programs(Path(sys.argv[1]))
