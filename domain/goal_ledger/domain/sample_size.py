"""How many more results a question needs before they answer it."""

from collections.abc import Callable


def further(settles: Callable[[int], bool], *, most: int) -> int | None:
    """About how many more results settle it; None when not even so many do.

    settles: whether so many more would; it is asked by doubling their number, then by halving the gap.
    """
    more = 1
    while not settles(more):
        more *= 2
        if more > most:
            return None
    enough, short = more, more // 2
    while enough - short > 1:
        middle = (enough + short) // 2
        enough, short = (middle, short) if settles(middle) else (enough, middle)
    return enough
