"""Given what happened, when a decision is asked for, then these events, or a refusal, or nothing."""

from collections.abc import Callable, Sequence
from typing import Concatenate, Generic, ParamSpec, TypeVar

from pydantic import ValidationError

from goal_ledger.domain.base import Decider, Event, invalid
from goal_ledger.domain.errors import LedgerError

S = TypeVar("S")
P = ParamSpec("P")


class Spec(Generic[S]):
    """The rules of one aggregate, told by example."""

    def __init__(self, decider: Decider[S], history: tuple[Event, ...] = ()) -> None:
        self._decider = decider
        self._history = history

    def given(self, *events: Event) -> "Spec[S]":
        """These happened before."""
        return Spec(self._decider, (*self._history, *events))

    def state(self) -> S:
        """What the history folds into."""
        state = self._decider.initial
        for event in self._history:
            state = self._decider.evolve(state, event)
        return state

    def when(self, decide: Callable[Concatenate[S, P], Sequence[Event]], *args: P.args, **wish: P.kwargs) -> "Outcome":
        """Ask for a decision."""
        try:
            return Outcome(list(decide(self.state(), *args, **wish)), None)
        except ValidationError as error:  # the ledger translates it
            return Outcome([], invalid(error))
        except LedgerError as error:
            return Outcome([], error)


class Outcome:
    """What was decided."""

    def __init__(self, events: list[Event], error: LedgerError | None) -> None:
        self.events = events
        self.error = error

    def then(self, *events: Event) -> None:
        """Exactly these events."""
        if self.error is not None:
            raise AssertionError(f"refused: {self.error.code}: {self.error.message}") from self.error
        assert self.events == list(events)

    def then_rejected(self, code: str, *words: str) -> LedgerError:
        """A refusal with this code, whose message holds these words; the refusal, to look at it further."""
        assert self.error is not None, f"not refused, decided {self.events}"
        assert self.error.code == code, f"{self.error.code}: {self.error.message}"
        assert [word for word in words if word not in self.error.message] == [], self.error.message
        return self.error

    def then_quiet(self) -> None:
        """Nothing: it is already so."""
        self.then()
