"""The terminal, or what stands in for it. rich is imported when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

NARROWEST = 60  # columns: an id and some words


def console(*, stderr: bool = False) -> Console:
    """Where to draw: as wide as the terminal, 80 columns without one."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    screen = Screen(stderr=stderr, markup=False, highlight=False, emoji=False)
    if screen.width < NARROWEST:
        screen.width = NARROWEST
    return screen
