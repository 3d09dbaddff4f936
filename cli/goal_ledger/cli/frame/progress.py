"""How far long work is, for people, on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Task

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

_EVERY_S = 1.0


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """A bar with the rate and the time left, which is gone when the work is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    from goal_ledger.cli.frame.screen import console

    class Rate(ProgressColumn):
        """Events per second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Bar(*columns, console=console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(what, total=None)
        yield lambda done, of: drawn.update(task, completed=done, total=of)


def lines(what: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Progress:
    """A line a second, and one at the end."""
    began: tuple[float, int] | None = None
    last_s = 0.0

    def progress(done: int, of: int) -> None:
        nonlocal began, last_s
        now = clock()
        if began is None:
            began, last_s = (now, done), now
        if done < of and now - last_s < _EVERY_S:
            return
        last_s = now
        words = f"{what}: {done:,} of {of:,}"
        if now > began[0] and done > began[1]:
            rate = (done - began[1]) / (now - began[0])
            words += f", {rate:,.0f}/s" + (f", {(of - done) / rate:,.0f} s left" if done < of else "")
        say(words)

    return progress
