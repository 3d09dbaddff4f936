"""Receipts: what a policy saw."""

from goal_ledger.domain.policies import Considered, Scored, digest, ranked, receipt

RANKED = [Scored(f"goal_{number:02}", 1 - number / 100, f"reason {number}") for number in range(12)]


def test_a_receipt_keeps_the_ten_best_and_names_the_full_list():
    kept = receipt("router@1", ranked(RANKED), "goal_00", position=7, settings={"a": 1})

    assert kept.candidates == tuple(Considered(id=one.id, score=one.score, why=one.why) for one in RANKED[:10])
    assert (kept.policy, kept.count, kept.chosen, kept.position) == ("router@1", 12, "goal_00", 7)
    assert kept.digest == digest([[one.id, one.score] for one in RANKED])
    assert (kept.propensity, kept.seed) == (1.0, None)


def test_another_list_or_other_settings_give_another_digest():
    kept = receipt("router@1", ranked(RANKED), "goal_00", position=7, settings={"a": 1})

    assert receipt("router@1", ranked(list(RANKED)), "goal_00", position=7, settings={"a": 1}) == kept
    assert receipt("router@1", ranked(RANKED[:11]), "goal_00", position=7, settings={"a": 1}).digest != kept.digest
    other = receipt("router@1", ranked(RANKED), "goal_00", position=7, settings={"a": 2})
    assert (other.digest, other.settings_digest != kept.settings_digest) == (kept.digest, True)


def test_a_digest_does_not_depend_on_the_order_of_names():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})
