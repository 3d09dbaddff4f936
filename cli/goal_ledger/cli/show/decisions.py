"""Decisions of policies: their data, and what people see of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goal_ledger.cli.frame.text import moment
from goal_ledger.cli.show import draw
from goal_ledger.cli.show.draw import Data
from goal_ledger.cli.show.log import event_data

if TYPE_CHECKING:
    from goal_ledger.ledger.audit.decisions import Judged, Replay, Why

_DIGITS = 12  # of a digest
_AGAIN = {
    "same": ("the same again, from the same candidates and scores", "green"),
    "same_choice": ("the same choice again, from other candidates or scores", "yellow"),
}


def why_data(found: Why) -> Data:
    """A decision: its event and receipt, and what would be decided now."""
    return {
        "event": event_data(found.recorded),
        "chosen": found.chosen,
        "receipt": found.receipt.model_dump(mode="json"),
        "again": {
            "outcome": found.outcome,
            "chosen": found.now_chosen,
            "same_settings": found.same_settings,
            "receipt": None if found.now is None else found.now.model_dump(mode="json"),
        },
    }


def replay_data(found: Replay) -> Data:
    """What came of a replay; of each flip what was chosen and what would be, each as it was judged then and now."""
    flips = [
        flip._asdict() | {"was": _judged_data(flip.was), "becomes": _judged_data(flip.becomes)} for flip in found.flips
    ]
    return found._asdict() | {"flips": flips}


def _judged_data(judged: Judged) -> Data:
    sides = {"then": judged.then, "now": judged.now}
    return {
        "id": judged.id,
        **{
            side: None if considered is None else {"score": considered.score, "why": considered.why}
            for side, considered in sides.items()
        },
    }


def why(data: Data) -> None:
    """A decision, what it was made from, and whether it would be taken again."""
    event, receipt, again = data["event"], data["receipt"], data["again"]
    draw.line((str(event["position"]), "bold"), (event["event"], ""), (event["stream"], "dim"))
    candidates = [f"{one['score']:.3f}  {one['id']}  {one['why']}" for one in receipt["candidates"]]
    if receipt["count"] > len(candidates):
        candidates.append(f"and {receipt['count'] - len(candidates):,} more")
    by_chance = receipt["propensity"] < 1
    draw.details(
        {
            "policy": receipt["policy"],
            "chosen": data["chosen"],
            "at": moment(event["occurred_at"] or event["at"]),
            "by": event["by"],
            "as of position": receipt["position"],
            "settings": receipt["settings_digest"][:_DIGITS],
            "propensity": receipt["propensity"] if by_chance else None,
            "seed": receipt["seed"] if by_chance else None,
            "candidates": candidates,
        }
    )
    settings = "the same settings" if again["same_settings"] else "other settings"
    words, style = _AGAIN.get(again["outcome"], (f"now it would be {again['chosen']}", "red"))
    draw.line((again["outcome"], style), (f"{words}; {settings}", ""))


def replay(data: Data) -> None:
    """The decisions that would be others, and how many would not."""
    for flip in data["flips"]:
        draw.line((str(flip["position"]), "bold"), (moment(flip["at"]), "dim"), (flip["policy"], ""))
        draw.details(
            {
                name: [flip[name]["id"], _judged("then", flip[name]["then"]), _judged("now", flip[name]["now"])]
                for name in ("was", "becomes")
            }
        )
    counts = {name: f"{data[name]:,}" for name in ("decisions", "same", "rescored", "flipped")}
    draw.line(("flipped", "red") if data["flipped"] else ("same", "green"), (f"under {data['policy']}", ""))
    reasons = [f"{count:,} {code}" for code, count in data["not_made_again"].items()]
    draw.details(counts, {"not re-evaluated": reasons})


def _judged(when: str, considered: Data | None) -> str:
    return f"{when}: " + ("not known" if considered is None else f"{considered['score']:.3f}  {considered['why']}")
