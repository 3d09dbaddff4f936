"""What follows from events: one table, one rule for chaining, one for refusals.

A reaction is a function `(engine, tx, recorded)`. It runs in the transaction that gathered the event, under the same
lock, decides on other streams, and what it gathers names that event as its cause. It can be read from the log alone:
the same event has the same consequences by whatever way it came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from goal_ledger.domain.base import Event, Recorded
from goal_ledger.domain.errors import Invalid, LedgerError, NotFound, Rejected
from goal_ledger.ledger.engine import extensions
from goal_ledger.ledger.engine.extensions import given_by_name, load, with_installed
from goal_ledger.ledger.engine.transaction import Tx

React = Callable[[Any, Tx, Recorded], object]
"""Called with the `Ledger`, which no module below it can name; the transaction, and the event."""

NoteRefusal = Callable[[Tx, str, LedgerError, Recorded | None], object]
"""What keeps a refusal: the transaction, the reaction's name, the error, and the event that it followed."""

MOST_ROUNDS = 1_000
"""Reactions to reactions to …: more than any history needs, and an error beyond."""

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
        """The function itself."""
        if not isinstance(self.do, str):
            return self.do
        found: React = load(self.do)
        return found


class Reactions:
    """The reactions of a ledger, in the order in which they run: the built-in ones, those given, those installed.

    note_refusal: keeps what was refused, for a refused reaction never undoes the event that it follows. given: each
    under a name of its own. Invalid: duplicate_name.
    """

    def __init__(self, built_in: Iterable[Reaction], note_refusal: NoteRefusal, given: Iterable[Reaction] = ()) -> None:
        self._built_in = tuple(built_in)
        self._taken = {one.name for one in self._built_in}
        self._given = given_by_name(((one.name, one) for one in given), self._taken)
        self._note_refusal = note_refusal

    @cached_property
    def table(self) -> Sequence[Reaction]:
        """All of them. Invalid: duplicate_name. Unavailable: bad_extension."""
        return (*self._built_in, *with_installed(extensions.REACTIONS, Reaction, self._given, self._taken).values())

    @cached_property
    def _on(self) -> frozenset[type[Event]]:
        return frozenset[type[Event]]().union(*(one.on for one in self.table))

    def find(self) -> None:
        """Find the installed ones, before a lock is held: nothing is written without what follows from it.

        Invalid: duplicate_name. Unavailable: bad_extension.
        """
        self.table  # noqa: B018  it is kept

    def follow(self, engine: Any, tx: Tx, *, is_history: bool = False) -> None:
        """Let everything follow from what was gathered, and from what that gathers, until nothing does.

        In rounds: each runs the table, in order, over the events of the round before.

        Rejected: endless_reactions.
        """
        for _ in range(MOST_ROUNDS):
            if not (news := tx.take_unfollowed()):
                return
            if self._on.isdisjoint({type(one.event) for one in news}):
                continue
            for reaction in self.table:
                if reaction.history or not is_history:
                    for recorded in news:
                        if type(recorded.event) in reaction.on:
                            self._run(reaction, engine, tx, recorded)
        raise Rejected("endless_reactions", f"reactions to events still follow after {MOST_ROUNDS} rounds")

    def refused(self, tx: Tx, name: str, error: LedgerError, recorded: Recorded | None = None) -> None:
        """Keep what refused a reaction."""
        self._note_refusal(tx, name, error, recorded)

    def _run(self, reaction: Reaction, engine: Any, tx: Tx, recorded: Recorded) -> None:
        caused = tx.using(cause=recorded.position)
        try:
            with tx.all_or_nothing():
                reaction.function()(engine, caused, recorded)
        except REFUSALS as error:
            self.refused(caused, reaction.name, error, recorded)
