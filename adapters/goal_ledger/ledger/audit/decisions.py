"""Recorded decisions: why each was made, and what would be decided now, or under other settings, in its place.

A decision is re-evaluated by the code that made it, in a transaction on the ledger as of its receipt's position, which
is thrown away. A policy is known here by its family, the name before the `@`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from goal_ledger.domain.base import Event, Recorded, Unreadable
from goal_ledger.domain.errors import Hint, Invalid, LedgerError, NotFound, Rejected
from goal_ledger.domain.goals.goal import RunDispatched
from goal_ledger.domain.learning.promotion import POLICY as PROMOTION
from goal_ledger.domain.learning.rule import RULE, RuleCanaried, RulePromoted, RuleRolledBack, step_again
from goal_ledger.domain.policies import Considered, Receipt
from goal_ledger.domain.proposals.detectors.base import Finding
from goal_ledger.domain.proposals.evaluation import EVALUATION
from goal_ledger.domain.proposals.proposal import ProposalAccepted, ProposalMade, ProposalRejected
from goal_ledger.domain.registry import NAMES
from goal_ledger.domain.runs.run import RunQueued, RunStarted
from goal_ledger.domain.settings import Settings, Stale
from goal_ledger.domain.times import parse_utc, utc_text
from goal_ledger.domain.work.router import BY_PRIORITY, BY_WORTH, ROUTER
from goal_ledger.ledger.engine.circumstances import UNKNOWN, Circumstances
from goal_ledger.ledger.engine.core import Core
from goal_ledger.ledger.engine.engine import Engine
from goal_ledger.ledger.engine.past import PastCore, PastTransaction
from goal_ledger.ledger.engine.rows import Kind
from goal_ledger.ledger.engine.transaction import Pending, StateCache, Tx
from goal_ledger.ledger.goals.goals import Goals
from goal_ledger.ledger.learning.playbook import Playbook
from goal_ledger.ledger.proposals.proposals import Evaluation, Proposals
from goal_ledger.ledger.runs.runs import Runs
from goal_ledger.ledger.work.candidates import Candidates
from goal_ledger.ledger.work.dispatch import Attempt
from goal_ledger.ledger.work.work import serve

if TYPE_CHECKING:
    from goal_ledger.domain.work.serving_order import ServingOrder

Progress = Callable[[int, int], None]

_NOTHING = "nothing"


class Decision(NamedTuple):
    """What a policy decided: the event that it caused, its receipt, and the choice in one word or id."""

    recorded: Recorded
    receipt: Receipt
    chosen: str


class Why(NamedTuple):
    """A recorded decision, and the same re-evaluated by this code under the present settings.

    now: the receipt of that; None when nothing would be chosen. chosen, now_chosen: an id or a word. outcome: `same`;
    `same_choice` when the candidates or their scores differ; `flipped` when the choice does. same_settings: whether the
    settings that the policy uses are those of then.
    """

    recorded: Recorded
    receipt: Receipt
    chosen: str
    now: Receipt | None
    now_chosen: str
    outcome: Literal["same", "same_choice", "flipped"]
    same_settings: bool


class Judged(NamedTuple):
    """A candidate as it was judged when the decision was recorded, and as it is judged now.

    None: not known. A receipt keeps the ten best, and no word of what it did not ask about.
    """

    id: str
    then: Considered | None
    now: Considered | None


class Flip(NamedTuple):
    """A decision that would be another one. was: what was chosen then. becomes: what would be chosen now."""

    position: int
    stream: str
    at: str
    policy: str
    was: Judged
    becomes: Judged


class Replay(NamedTuple):
    """What came of making recorded decisions again.

    decisions = same + flipped (changed) + those not re-evaluated. rescored: of the same, those chosen from other
    candidates or other scores. not_made_again: how many, by the code of the reason.
    """

    policy: str
    decisions: int
    same: int
    rescored: int
    flipped: int
    not_made_again: dict[str, int]
    flips: Sequence[Flip]


class Again(Protocol):
    """One version of a policy under some settings, asked about decisions in the order in which they were made."""

    def decide(self, tx: Tx, made: Sequence[Recorded]) -> Sequence[Event | None]:
        """What would be decided in the place of each of these events of one transaction; None for nothing."""
        ...

    def judged(self, candidate: str) -> Considered | None:
        """What it thought of a candidate in what it was asked last, when it knows more than the receipt says."""
        ...


class Family(NamedTuple):
    """The versions of a policy. events: those that it causes. begin: (present, past, version) -> Again."""

    versions: Sequence[str]
    events: tuple[type[Event], ...]
    begin: Callable[[Engine, Engine, str], Again]


# --- The families


class _Router:
    """Which goal is served."""

    def __init__(self, present: Engine, past: Engine, policy: str) -> None:
        self._past, self._policy = past, policy
        self._candidates = Candidates(None if policy == BY_PRIORITY else past.settings.weight, policy)
        self._order: ServingOrder | None = None

    def decide(self, tx: Tx, made: Sequence[Recorded]) -> Sequence[Event | None]:
        order = self._order = self._candidates.refreshed(self._past.core, utc_text(tx.now or tx.at))
        return [self._serve(tx, order, one.event) for one in made]

    def judged(self, candidate: str) -> Considered | None:
        choice = None if self._order is None else self._order.choice(candidate)
        return None if choice is None or not choice.eligible else Considered(**choice.scored._asdict())

    def _serve(self, tx: Tx, order: ServingOrder, event: Event) -> Event | None:
        agent = event.agent if isinstance(event, RunDispatched) else None
        goal_id = serve(tx, order, Attempt(agent=agent), self._policy, self._past.settings, _untold)
        gathered = [] if goal_id is None else tx.gathered(goal_id)
        return next((one.event for one in reversed(gathered) if isinstance(one.event, RunDispatched)), None)


def _untold(tx: Tx, goal_id: str) -> None:
    """What a run is told at its start makes no difference to the choice."""


class _Evaluations:
    """Whether proposals become goals; those of one scan know what became of those before them."""

    def __init__(self, present: Engine, past: Engine, policy: str) -> None:
        self._present, self._past = present, past

    def decide(self, tx: Tx, made: Sequence[Recorded]) -> Sequence[Event | None]:
        together: dict[str, Evaluation] = {}
        decided: list[Event | None] = []
        for one in made:
            proposal = self._proposal(one.stream)
            scan = proposal.scan_id or one.stream
            if (evaluation := together.get(scan)) is None:
                evaluation = together[scan] = Evaluation(self._past, tx)
            finding = Finding(**{name: getattr(proposal, name) for name in Finding.model_fields})
            evaluated = evaluation.take(proposal.detector, finding, proposal.scan_id)
            decided.append(tx.gathered(evaluated.proposal_id)[-1].event)
        return decided

    def judged(self, candidate: str) -> Considered | None:
        return None

    def _proposal(self, stream: str) -> ProposalMade:
        for one in self._present.stream(stream):
            if isinstance(one, Recorded) and isinstance(one.event, ProposalMade):
                return one.event
        raise Rejected("unreadable", f"what {stream} proposed cannot be read")


class _Promotions:
    """Whether rules are tried, put in force, and taken back."""

    def __init__(self, present: Engine, past: Engine, policy: str) -> None:
        self._present, self._settings = present, past.settings

    def decide(self, tx: Tx, made: Sequence[Recorded]) -> Sequence[Event | None]:
        return [self._step(tx, one) for one in made]

    def judged(self, candidate: str) -> Considered | None:
        return None

    def _step(self, tx: Tx, taken: Recorded) -> Event | None:
        """The step, after what the same transaction had counted before it."""
        known = tx.gathered(taken.stream)
        counted = [
            one.event
            for one in _readable(self._present.stream(taken.stream))
            if tx.head < one.position < taken.position
        ]
        tx.act(taken.stream, RULE, lambda _: counted[len(known) :])
        event = taken.event
        if not isinstance(event, RuleCanaried | RulePromoted | RuleRolledBack):
            raise AssertionError(event)
        return step_again(tx.load(taken.stream, RULE), event, position=tx.head, settings=self._settings)


FAMILIES = {
    "promotion": Family((PROMOTION,), (RuleCanaried, RulePromoted, RuleRolledBack), _Promotions),
    "router": Family((BY_PRIORITY, BY_WORTH, ROUTER), (RunDispatched,), _Router),
    "evaluation": Family((EVALUATION,), (ProposalAccepted, ProposalRejected), _Evaluations),
}
"""A policy whose receipts are to be explained has a line here."""


# --- What is asked


def why(present: Engine, event: int | str) -> Why:
    """The decision in an event, and the same re-evaluated. See `Ledger.why` for the errors."""
    core = present.core
    decision = _decision_at(core, event) if isinstance(event, int) else _last_decision(present, event)
    policy = decision.receipt.policy
    family = _family(policy)
    if not isinstance(decision.recorded.event, family.events):
        raise Rejected("no_choice", f"{decision.recorded.name} records a step that left no choice, see its receipt")
    again = _Replayer(present, present.settings, family, policy)
    try:
        [*_, now] = again.made_again(_transaction(core, family, decision))
    finally:
        again.close()
    return Why(
        decision.recorded,
        decision.receipt,
        decision.chosen,
        now.receipt,
        now.chosen,
        "flipped" if now.chosen != decision.chosen else "same" if _is_same(decision, now) else "same_choice",
        now.receipt is None or now.receipt.settings_digest == decision.receipt.settings_digest,
    )


def replay(
    present: Engine,
    policy: str,
    settings: Settings,
    *,
    first: int,
    last: int,
    limit: int | None,
    progress: Progress,
) -> Replay:
    """Make the decisions of a family again, in order. See `Ledger.replay`."""
    core, family = present.core, _family(policy)
    again = _Replayer(present, settings, family, policy)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    flips: list[Flip] = []
    try:
        found = islice(_decisions(core, family, first - 1, last), limit)
        for number, (_, group) in enumerate(groupby(found, key=_transaction_of)):
            items = list(group)
            counts["decisions"] += len(items)
            readable = [item for item in items if isinstance(item, Decision)]
            reasons["unreadable"] += len(items) - len(readable)
            if not readable:
                continue
            asked = _transaction(core, family, readable[-1]) if number == 0 else readable
            try:
                remade = again.made_again(asked)[-len(readable) :]
            except LedgerError as error:
                reasons[error.code] += len(readable)
                continue
            for decision, now in zip(readable, remade, strict=True):
                if decision.chosen == now.chosen:
                    counts["same"] += 1
                    counts["rescored"] += not _is_same(decision, now)
                else:
                    flips.append(again.flip(decision, now))
            progress(readable[-1].recorded.position, last)
    finally:
        again.close()
    return Replay(
        policy, counts["decisions"], counts["same"], counts["rescored"], len(flips), dict(sorted((+reasons).items())),
        flips,
    )  # fmt: skip


class _Now(NamedTuple):
    """What would be decided."""

    chosen: str
    receipt: Receipt | None


class _Replayer:
    """One version of a policy under some settings, with the past it decides in, which grows from decision to decision.

    So the log is folded once, however many decisions are re-evaluated.
    """

    def __init__(self, present: Engine, settings: Settings, family: Family, policy: str) -> None:
        self._present, self._core, self._settings = present, present.core, settings
        self._family, self._policy = family, policy
        self._originals: dict[str, _Replayer] = {}
        self._begin(0)

    def close(self) -> None:
        """Forget the past."""
        for original in self._originals.values():
            original.close()
        self._past.close()

    def made_again(self, decisions: Sequence[Decision]) -> list[_Now]:
        """What would be decided in the place of the decisions of one transaction. Errors: those of the policy."""
        position, made = decisions[0].receipt.position, [decision.recorded for decision in decisions]
        if position >= made[0].position:
            raise Rejected("bad_receipt", f"the receipt at position {made[0].position} says it knew of {position}")
        if position < self._past.position:
            self._past.close()
            self._begin(position)
        self._past.advance(position)
        pending = self._pending(made[0])
        decided = self._again.decide(self._tx(made[0], pending), made)
        written = {one.stream for one in pending.recorded}
        self._states.update({key: state for key, state in pending.states.items() if key[0] not in written})
        return [_now(event) for event in decided]

    def flip(self, decision: Decision, now: _Now) -> Flip:
        """A decision that is another one now; to be asked right after it was re-evaluated."""
        recorded, receipt = decision.recorded, decision.receipt

        def judged(candidate: str) -> Judged:
            then = _considered(receipt, candidate)
            if then is None and receipt.count > len(receipt.candidates):
                then = self._judged_then(decision, candidate)
            later = None if now.receipt is None else _considered(now.receipt, candidate)
            return Judged(candidate, then, later or self._again.judged(candidate))

        at = recorded.occurred_at or recorded.at
        was, becomes = judged(decision.chosen), judged(now.chosen)
        return Flip(recorded.position, recorded.stream, at, receipt.policy, was, becomes)

    def _begin(self, position: int) -> None:
        self._past = PastCore(self._core, position, None)
        self._past.settings = self._settings.model_copy(update={"stale": Stale.REBUILD})  # it is folded here alone
        past = Engine(self._past, Circumstances("user:replay"))
        self._again = self._family.begin(self._present, past, self._policy)
        self._states, self._rows = StateCache(self._settings.state_cache), StateCache(self._settings.state_cache)

    def _pending(self, recorded: Recorded) -> Pending:
        """What is gathered when an event is decided again; it is thrown away."""
        log, at = PastTransaction(self._past.log), parse_utc(recorded.at)
        return Pending(log, self._states, self._rows, at, self._settings.text_limit, self._past.ledger_id)

    def _tx(self, recorded: Recorded, pending: Pending) -> Tx:
        """A transaction under the circumstances in which an event was recorded."""
        occurred = recorded.occurred_at
        who = Circumstances(recorded.by, occurred_at=UNKNOWN if occurred is None else parse_utc(occurred))
        return Tx(pending, who, None, self._past.ids)

    def _judged_then(self, decision: Decision, candidate: str) -> Considered | None:
        """How a candidate was judged that is not among the ten best, as far as that can still be told.

        That is when its own version, under the present settings, gives the receipt that was recorded.
        """
        receipt = decision.receipt
        if receipt.policy not in self._family.versions:
            return None
        if (original := self._originals.get(receipt.policy)) is None:
            original = _Replayer(self._present, self._present.settings, self._family, receipt.policy)
            self._originals[receipt.policy] = original
        [then] = original.made_again([decision])
        is_told = then.receipt is not None and (then.receipt.settings_digest, then.receipt.digest) == (
            receipt.settings_digest,
            receipt.digest,
        )
        return original._again.judged(candidate) if is_told else None


# --- Finding decisions


def _decisions(core: Core, family: Family, after: int, up_to: int) -> Iterator[Decision | Unreadable]:
    """The decisions of a family between two positions, in order; only their events are decoded."""
    names = {NAMES[event_type] for event_type in family.events}
    while after < up_to and (rows := core.log.page(after, core.settings.page)):
        for row in rows:
            if row[0] <= up_to and row[3] in names:
                item = core.log.decode(row)
                found = item if isinstance(item, Unreadable) else _decision(item)
                if found is not None and (isinstance(found, Unreadable) or _knows(family, found.receipt.policy)):
                    yield found
        after = rows[-1][0]


def _transaction_of(item: Decision | Unreadable) -> int:
    """Decisions of one transaction have seen the same position."""
    return -item.position if isinstance(item, Unreadable) else item.receipt.position


def _transaction(core: Core, family: Family, decision: Decision) -> list[Decision]:
    """The decisions of its transaction up to this one."""
    seen = decision.receipt.position
    found = _decisions(core, family, min(seen, decision.recorded.position - 1), decision.recorded.position)
    return [one for one in found if isinstance(one, Decision) and one.receipt.position == seen]


def _decision(recorded: Recorded) -> Decision | None:
    """The decision in an event; None when it holds no receipt."""
    receipt = getattr(recorded.event, "receipt", None)
    return Decision(recorded, receipt, _chosen(recorded.event, receipt)) if isinstance(receipt, Receipt) else None


def _decision_at(core: Core, position: int) -> Decision:
    row = next(iter(core.log.page(position - 1, 1)), None) if 0 < position <= core.head() else None
    if row is None:
        raise NotFound(
            "unknown_position", f"there is no event at position {position}: the log ends at {core.head()}",
            hint=Hint("follow") + " shows positions",
        )  # fmt: skip
    item = core.log.decode(row)
    if isinstance(item, Unreadable):
        raise Rejected("unreadable", f"{item.name} at position {position} cannot be read: {item.problem}")
    if (decision := _decision(item)) is None:
        raise _no_receipt(f"{item.name} at position {position}")
    return decision


_KINDS: Sequence[Kind[Any]] = (Goals.kind, Runs.kind, Proposals.kind, Playbook.kind)


def _last_decision(present: Engine, stream: str) -> Decision:
    """The last decision about a goal, a run, a proposal or a rule."""
    kind = next((kind for kind in _KINDS if stream.startswith(kind.prefix)), None)
    if kind is None:
        raise Invalid("bad_event", f"{stream!r} is no position, nor the id of a goal, a run, a proposal or a rule")
    events = _readable(present.stream(stream))
    if not events:
        raise kind.unknown(stream)
    if kind is Runs.kind:  # its goal recorded why it was dispatched
        begun = [one.event for one in events if isinstance(one.event, RunStarted | RunQueued)]
        goal_events = _readable(present.stream(begun[0].goal_id)) if begun else []
        events = [
            one for one in goal_events if isinstance(one.event, RunDispatched) and one.event.run_id == stream
        ]  # fmt: skip
    for one in reversed(events):
        if (decision := _decision(one)) is not None:
            return decision
    raise _no_receipt(f"no event of {kind.noun} {stream}", "holds")


def _readable(events: Iterable[Recorded | Unreadable]) -> list[Recorded]:
    return [one for one in events if isinstance(one, Recorded)]


def _no_receipt(what: str, holds: str = "does not hold") -> Rejected:
    return Rejected(
        "no_receipt", f"{what} {holds} a receipt: no policy decided it", hint="look at its reason and actor"
    )


# --- Comparing


def _now(event: Event | None) -> _Now:
    receipt = getattr(event, "receipt", None)
    if event is None or not isinstance(receipt, Receipt):
        return _Now(_NOTHING, None)
    return _Now(_chosen(event, receipt), receipt)


def _chosen(event: Event, receipt: Receipt) -> str:
    """The choice; a goal that needs no review is another one than a goal that does."""
    return "auto_approved" if isinstance(event, ProposalAccepted) and event.auto else receipt.chosen


def _is_same(decision: Decision, now: _Now) -> bool:
    return now.receipt is not None and decision.receipt.digest == now.receipt.digest


def _considered(receipt: Receipt, candidate: str) -> Considered | None:
    return next((one for one in receipt.candidates if one.id == candidate), None)


def _family(policy: str) -> Family:
    """The family of a version. NotFound: unknown_policy."""
    family = FAMILIES.get(policy.partition("@")[0])
    if family is None or policy not in family.versions:
        known = ", ".join(chain.from_iterable(one.versions for one in FAMILIES.values()))
        raise NotFound("unknown_policy", f"this code does not know the policy {policy!r}", hint=f"it knows {known}")
    return family


def _knows(family: Family, policy: str) -> bool:
    return family is FAMILIES.get(policy.partition("@")[0])
