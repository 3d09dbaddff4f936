"""What to improve.

Listed: verb 70
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from goal_ledger.cli.frame.command import Verb
from goal_ledger.cli.show import answers, reviews

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.learning.suggestions import Suggestion


@click.command("suggest", cls=Verb, examples=("goal-ledger suggest", "goal-ledger suggest --as-of 2026-02-24"))
@answers.rows(reviews.suggestions, data=reviews.suggestion_data, empty="Nothing to suggest.")
def suggest(ledger: Ledger) -> Sequence[Suggestion]:
    """What to improve: failures without a lesson, failures that came back, lessons that do not hold.

    Nothing is changed; each comes with the command to begin with.
    """
    return ledger.learning.suggestions()
