"""What counts how much when goals are ranked."""

from goal_ledger.domain.base import Payload, Share


class Weights(Payload):
    """What each part of the utility counts; it is clamped to 0 to 1."""

    value: Share = 0.5
    effort: Share = 0.25
    risk: Share = 0.15
    urgency: Share = 0.05
    alignment: Share = 0.05
