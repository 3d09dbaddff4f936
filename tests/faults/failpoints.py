"""Named moments at which a child dies: what is wrapped in the child, for the product knows nothing of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

from goal_ledger.ledger import Ledger, Settings
from tests.faults.children import Tell, die


class Failpoint(NamedTuple):
    """A moment of a method.

    owner: `module:Class`. moment: before or after the method; leaving: when the block of a context manager has ended,
    and the manager has not. skip: so many calls go well first.
    """

    owner: str
    method: str
    moment: str
    skip: int = 0

    def arm(self) -> None:
        """Let this process die there. AttributeError when there is no such method."""
        module, _, name = self.owner.partition(":")
        owner = getattr(import_module(module), name)
        setattr(owner, self.method, self._dying(getattr(owner, self.method)))

    def _dying(self, method: Callable[..., Any]) -> Callable[..., Any]:
        left = self.skip + 1

        def reached() -> bool:
            nonlocal left
            left -= 1
            return left == 0

        def around(*args: Any, **options: Any) -> Any:
            is_now = reached()
            if is_now and self.moment == "before":
                die()
            answer = method(*args, **options)
            if is_now and self.moment == "after":
                die()
            return answer

        @contextmanager
        def leaving(*args: Any, **options: Any) -> Iterator[Any]:
            is_now = reached()
            with method(*args, **options) as given:
                yield given
                if is_now and self.moment == "leaving":
                    die()
            if is_now:
                die()

        return leaving if self.moment in ("leaving", "left") else around


def die_at(tell: Tell, url: str, failpoint: Failpoint, wish: Callable[[Ledger], object]) -> None:
    """Do what is wished and die on the way; what is told last is where it was when it died."""
    with Ledger.open(url, actor="agent:dying", settings=Settings(durable=False, page=7)) as ledger:
        ledger.views.rebuilds.status()  # opened, not caught up
        failpoint.arm()
        tell("armed")
        wish(ledger)
        tell("survived")
