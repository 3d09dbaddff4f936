"""The playbook: rules that prove themselves before they are in force.

Listed: noun 90
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from goal_ledger.cli.frame.app import App
from goal_ledger.cli.frame.command import Noun
from goal_ledger.cli.frame.options import Filter, OneOf, active_ones, id_argument, writes
from goal_ledger.cli.show import answers, learning
from goal_ledger.domain.goals.lifecycle import GoalType
from goal_ledger.domain.learning.rule import Mode

if TYPE_CHECKING:
    from goal_ledger.ledger import Ledger
    from goal_ledger.ledger.engine.pages import Page
    from goal_ledger.ledger.learning.lineage import Lineage
    from goal_ledger.ledger.learning.playbook import Evaluation
    from goal_ledger.projections.learning.playbook_rules import RuleRow

ID = "rule_01HZX3KQ5N8RWT2M4V6Y7B9DEF"
LESSON = "les_01HZX3KQ5N8RWT2M4V6Y7B9DEF"


@click.group(cls=Noun, examples=("goal-ledger rule list --mode canary", f"goal-ledger rule evaluate {ID}"))
def rule() -> None:
    """The playbook: rules drawn from lessons, tried on some goals before they are in force for all."""


# --- From shadow to full, and back


@rule.command("draft", examples=(f"goal-ledger rule draft {LESSON}",))
@id_argument("lesson")
@click.option("--title", metavar="TEXT", help="That of the lesson by default.")
@click.option("--text", metavar="TEXT", help="What agents are told; the lesson's text by default.")
@writes
def draft(app: App, lesson_id: str, **wish: Any) -> None:
    """Draw a rule from LESSON when that is sure enough; it begins in shadow."""
    app.show(app.ledger.rules.draft(lesson_id, **wish)._asdict(), learning.rule_line)


@rule.command("canary", examples=(f'goal-ledger rule canary {ID} --reason "seen often enough"',))
@id_argument("rule")
@click.option("--share", type=float, metavar="0-1", help="Of the goals; as the settings say by default.")
@writes
def canary(app: App, rule_id: str, **wish: Any) -> None:
    """Try RULE on a share of the goals and compare; say why."""
    app.show(app.ledger.rules.canary(rule_id, **wish)._asdict(), learning.rule_line)


@rule.command("promote", examples=(f'goal-ledger rule promote {ID} --reason "the release cannot wait"',))
@id_argument("rule")
@writes
def promote(app: App, rule_id: str, reason: str | None) -> None:
    """Put RULE in force for all goals, ahead of what the learning cycle waits for; say why."""
    app.show(app.ledger.rules.promote(rule_id, reason=reason)._asdict(), learning.rule_line)


@rule.command("rollback", examples=(f'goal-ledger rule rollback {ID} --reason "customers complain"',))
@id_argument("rule")
@writes
def rollback(app: App, rule_id: str, reason: str | None) -> None:
    """Take RULE back, from full to canary, from canary to shadow; say why."""
    app.show(app.ledger.rules.roll_back(rule_id, reason=reason)._asdict(), learning.rule_line)


@rule.command("retire", examples=(f'goal-ledger rule retire {ID} --reason "the tool is gone"',))
@id_argument("rule")
@writes
def retire(app: App, rule_id: str, reason: str | None) -> None:
    """Retire RULE: it is no longer included in agent context; say why. Its history stays."""
    app.show(app.ledger.rules.retire(rule_id, reason=reason)._asdict(), learning.rule_line)


# --- Looking


@rule.command("evaluate", examples=(f"goal-ledger rule evaluate {ID}",))
@id_argument("rule")
@answers.one(learning.evaluation, data=learning.evaluation_data)
def evaluate(ledger: Ledger, rule_id: str) -> Evaluation:
    """What the runs with and without RULE say, and how many more would settle it.

    Look as often as you like: that makes no error more likely.
    """
    return ledger.rules.evaluate(rule_id)


@rule.offers
def ids(ledger: Ledger, start: str) -> Iterator[tuple[str, str]]:
    return ((row.rule_id, row.title) for row in ledger.rules.list(active=None).rows)


@rule.command("show", examples=(f"goal-ledger rule show {ID}",))
@id_argument("rule")
@answers.one(learning.rule)
def show(ledger: Ledger, rule_id: str) -> RuleRow:
    """Everything about RULE as it stands, or stood."""
    return ledger.rules.get(rule_id)


@rule.command("list", examples=("goal-ledger rule list --mode canary", "goal-ledger rule list --retired"))
@click.option("--all", "every", is_flag=True, help="The retired ones too.")
@click.option("--retired", cls=Filter, is_flag=True, help="The retired and recalled ones only.")
@click.option("--mode", cls=Filter, type=OneOf(Mode), help="Those that are there.")
@click.option("--goal-type", cls=Filter, type=OneOf(GoalType), metavar="TYPE", help=f"One of {', '.join(GoalType)}.")
@click.option("--action-type", cls=Filter, metavar="TEXT", help="For actions of this type.")
@answers.page(
    learning.rules,
    empty="No active rules; draw one from a lesson that is sure enough: goal-ledger rule draft LESSON",
    no_match="No rule matches; see all: goal-ledger rule list --all",
)
def list_(ledger: Ledger, every: bool, retired: bool, **where: Any) -> Page[RuleRow]:
    """Active rules, the one that changed last first."""
    return ledger.rules.list(active=active_ones(every=every, retired=retired), **where)


@rule.command("lineage", examples=(f"goal-ledger rule lineage {ID}",))
@id_argument("rule")
@answers.one(learning.lineage, data=learning.lineage_data)
def lineage(ledger: Ledger, rule_id: str) -> Lineage:
    """Where RULE comes from: its lessons, their reviews, and the runs that speak for them."""
    return ledger.rules.lineage(rule_id)


@rule.command("timeline", examples=(f"goal-ledger rule timeline {ID}",))
@id_argument("rule")
@answers.events
def timeline(ledger: Ledger, rule_id: str) -> answers.Events:
    """Every event of RULE, in order: each run that was counted, each step and why it was taken."""
    return ledger.rules.timeline(rule_id)
