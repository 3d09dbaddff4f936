"""How far long work is, told to people on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Task

Told = Callable[[int, int], None]

_EVERY_S = 1.0


@contextmanager
def bar(what: str) -> Iterator[Told]:
    """A bar with the rate and the time left, which is gone when the work is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    from goal_ledger.cli.frame.screen import console

    class Rate(ProgressColumn):
        """Events per second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def lines(what: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Told:
    """A line a second, and one at the end."""
    began: tuple[float, int] | None = None
    said = 0.0

    def told(done: int, of: int) -> None:
        nonlocal began, said
        now = clock()
        if began is None:
            began, said = (now, done), now
        if done < of and now - said < _EVERY_S:
            return
        said = now
        words = f"{what}: {done:,} of {of:,}"
        if now > began[0] and done > began[1]:
            rate = (done - began[1]) / (now - began[0])
            words += f", {rate:,.0f}/s" + (f", {(of - done) / rate:,.0f} s left" if done < of else "")
        say(words)

    return told
