"""What follows from events: one table, one rule for chaining, one for refusals.

A reaction is a function `(engine, tx, recorded)`. It runs in the transaction that gathered the event, under the same
lock, decides on other streams, and what it gathers names that event as its cause. It can be read from the log alone:
the same event has the same consequences by whatever way it came in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from inspect import iscoroutinefunction, isgeneratorfunction
from typing import Any, NamedTuple

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.errors import Invalid, LedgerError, NotFound, Rejected, Unavailable
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.extensions import all_of, given_by_name, load, with_installed
from goal_ledger.ledger.engine.transaction import Tx

React = Callable[[Any, Tx, Recorded], object]
"""Called with the `Ledger`, which no module below it can name; the transaction, and the event."""

NoteRefusal = Callable[[Tx, str, LedgerError, Recorded | None], object]
"""What keeps a refusal: the transaction, the reaction's name, the error, and the event that it followed."""

MOST_ROUNDS = 10_000
"""Reactions to reactions to …: deeper than goals are nested anywhere, and an error beyond."""

REFUSALS = (Rejected, NotFound, Invalid)
"""What a rule says no with. Anything else is a fault, and undoes the transaction."""


class Reaction(NamedTuple):
    """What follows from events of some types.

    on: the event types. do: the function, or its place, `module:function`, imported when it is first needed. name: what
    it is called when it is refused. history: also from events that an import tells of.
    """

    on: frozenset[type[Event]]
    do: React | str
    name: str
    history: bool = False

    def function(self) -> React:
        """The function itself. Unavailable: bad_extension, when there is none at its place."""
        if not isinstance(self.do, str):
            return self.do
        try:
            found: React = load(self.do)
        except (Exception, SystemExit) as error:  # somebody else's code
            raise _bad(self.name, error) from error
        if not callable(found):
            raise _bad(self.name, TypeError(f"{self.do} is no function"))
        return found

    def checked(self) -> Reaction:
        """The same, when it can be used. Invalid: bad_reaction."""
        if not (isinstance(self.name, str) and self.name.strip()):
            raise Invalid("bad_reaction", f"a reaction needs a name in words, not {self.name!r}")
        types = self.on if isinstance(self.on, Collection) else ()
        if not types or not all(isinstance(one, type) and issubclass(one, Event) for one in types):
            raise Invalid("bad_reaction", f"reaction {self.name!r}: `on` is a set of event types, not {self.on!r}")
        is_called_later = isgeneratorfunction(self.do) or iscoroutinefunction(self.do)
        if is_called_later or not (isinstance(self.do, str) or callable(self.do)):
            raise Invalid("bad_reaction", f"reaction {self.name!r}: `do` is a plain function or its `module:function`")
        return self


class Reactions:
    """The reactions of a ledger, in the order in which they run: the built-in ones, those given, those installed.

    note_refusal: keeps what was refused, for a refused reaction never undoes the event that it follows. given: each
    under a name of its own. Invalid: duplicate_name.
    """

    def __init__(self, built_in: Iterable[Reaction], note_refusal: NoteRefusal, given: Iterable[Reaction] = ()) -> None:
        self._built_in = tuple(built_in)
        self._taken = {one.name for one in self._built_in}
        self._given = given_by_name(
            ((one.name, one.checked()) for one in all_of(Reaction, given, "reactions")), self._taken
        )
        self._note_refusal = note_refusal

    @cached_property
    def table(self) -> Sequence[Reaction]:
        """All of them. Invalid: duplicate_name, bad_reaction. Unavailable: bad_extension."""
        others = with_installed(extensions.REACTIONS, Reaction, self._given, self._taken)
        return (*self._built_in, *(one.checked() for one in others.values()))

    @cached_property
    def _on(self) -> frozenset[type[Event]]:
        return frozenset[type[Event]]().union(*(one.on for one in self.table))

    def find(self) -> None:
        """Find the installed ones, before a lock is held: nothing is written without what follows from it.

        Invalid: duplicate_name, bad_reaction. Unavailable: bad_extension.
        """
        self.table  # noqa: B018  it is kept

    def follow(self, engine: Any, tx: Tx, *, is_history: bool = False) -> None:
        """Let everything follow from what was gathered, and from what that gathers, until nothing does.

        In rounds: each runs the table, in order, over the events of the round before. What keeps a refusal is followed
        by nothing, or a reaction to it that is refused again would have no end.

        Rejected: endless_reactions.
        """
        kept: set[int] = set()
        for _ in range(MOST_ROUNDS):
            if not (news := tx.take_unfollowed()):
                return
            if self._on.isdisjoint({type(one.event) for one in news}):
                continue
            for reaction in self.table:
                if reaction.history or not is_history:
                    for recorded in news:
                        if type(recorded.event) in reaction.on and recorded.position not in kept:
                            kept |= self._run(reaction, engine, tx, recorded)
        raise Rejected("endless_reactions", f"reactions to events still follow after {MOST_ROUNDS} rounds")

    def refused(self, tx: Tx, name: str, error: LedgerError, recorded: Recorded | None = None) -> None:
        """Keep what refused a reaction."""
        self._note_refusal(tx, name, error, recorded)

    def _run(self, reaction: Reaction, engine: Any, tx: Tx, recorded: Recorded) -> set[int]:
        """Let one thing follow; the positions of what keeps that it was refused."""
        caused = tx.using(cause=recorded.position)
        try:
            with tx.all_or_nothing():
                reaction.function()(engine, caused, recorded)
            return set()
        except REFUSALS as error:
            before = len(tx.all_gathered)
            self.refused(caused, reaction.name, error, recorded)
            return {one.position for one in tx.all_gathered[before:]}
        except LedgerError:
            raise
        except Exception as error:
            if reaction.name in self._taken:
                raise
            raise _bad(reaction.name, error) from error


def _bad(name: str, error: BaseException) -> Unavailable:
    why = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    return Unavailable("bad_extension", f"reaction {name!r} failed: {why}", hint="mend it, or take away what brings it")
