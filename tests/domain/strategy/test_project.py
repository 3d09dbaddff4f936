"""The rules of projects."""

from typing import Any

import pytest

from goal_ledger.domain.base import Event
from goal_ledger.domain.errors import STREAM, Blank, Hint
from goal_ledger.domain.strategy.project import (
    PROJECT,
    BugReported,
    BugResolved,
    BugSeverity,
    FeatureRecorded,
    ProjectAmended,
    ProjectRegistered,
    amend,
    project_id,
    record_feature,
    register,
    report_bug,
    resolve_bug,
)
from tests.spec import Spec

SHOP = ProjectRegistered(name="Web shop", description="Sells what we make")
INVOICE = FeatureRecorded(feature_id="f1", title="Pay by invoice", done=False)
TWICE = BugReported(bug_id="b1", title="Paid twice", severity=BugSeverity.CRITICAL)


def shop(*events: Event) -> Spec[Any]:
    return Spec(PROJECT).given(SHOP, *events)


# --- Projects


def test_a_project_is_registered_once_by_its_name():
    Spec(PROJECT).when(register, name=" Web shop ", reason="budget").then(
        ProjectRegistered(name="Web shop", reason="budget")
    )
    for said in (None, "Sells what we make"):
        shop().when(register, name="web  SHOP", description=said).then_quiet()
    assert project_id(" web\tSHOP") == project_id("Web shop") != project_id("Webshop")


def test_another_description_is_refused_and_amended_instead():
    error = shop().when(register, name="Web shop", description="Sells").then_rejected("already_exists", "Web shop")
    assert error.hint == Hint("project", "amend", STREAM, description=Blank())
    shop().when(amend, description="Sells").then(ProjectAmended(description="Sells"))
    shop(ProjectAmended(description="Sells")).when(amend, description="Sells").then_quiet()


def test_a_blank_name_is_refused():
    Spec(PROJECT).when(register, name=" \n").then_rejected("no_name")


@pytest.mark.parametrize(
    ("decide", "wish"),
    [
        (amend, {"description": "A"}),
        (record_feature, {"title": "A"}),
        (report_bug, {"title": "A"}),
        (resolve_bug, {"bug_id": "b1"}),
    ],
)
def test_nothing_is_said_of_a_project_that_nobody_knows(decide: Any, wish: dict[str, Any]):
    Spec(PROJECT).when(decide, **wish).then_rejected("unknown_project")


# --- Features


def test_a_feature_is_planned_done_and_taken_back():
    shop().when(record_feature, title=" Pay by invoice ").then(INVOICE)
    done = FeatureRecorded(feature_id="f1", title="Pay by invoice", done=True, reason="shipped")
    shop(INVOICE).when(record_feature, title="Pay by invoice", done=True, reason="shipped").then(done)
    shop(INVOICE, done).when(record_feature, title="Pay by invoice", done=False).then(INVOICE)


def test_a_feature_that_is_named_again_stays_as_it_is():
    done = INVOICE.model_copy(update={"done": True})
    shop(done).when(record_feature, title="Pay by invoice").then_quiet()
    shop(done).when(record_feature, title="Pay by invoice", feature_id="f1", done=True).then_quiet()


def test_an_id_that_is_given_says_which_one_is_meant():
    shop(INVOICE).when(record_feature, title="Pay later", feature_id="f1").then(
        FeatureRecorded(feature_id="f1", title="Pay later", done=False)
    )
    shop(INVOICE).when(record_feature, title="Pay by invoice", feature_id=" PAY-1 ").then(
        FeatureRecorded(feature_id="PAY-1", title="Pay by invoice", done=False)
    )


def test_an_id_that_is_made_is_free():
    taken = FeatureRecorded(feature_id="f2", title="Search", done=False)
    shop(taken).when(record_feature, title="Filter").then(FeatureRecorded(feature_id="f3", title="Filter", done=False))


@pytest.mark.parametrize(("wish", "code"), [({"title": " "}, "no_title"), ({"title": "A", "feature_id": " "}, "no_id")])
def test_a_blank_title_or_id_is_refused(wish: dict[str, Any], code: str):
    shop().when(record_feature, **wish).then_rejected(code)


# --- Bugs


def test_a_bug_is_reported_rated_anew_and_resolved():
    shop().when(report_bug, title="Paid twice", severity=BugSeverity.CRITICAL).then(TWICE)
    shop(TWICE).when(report_bug, title="paid twice", severity=BugSeverity.MINOR).then(
        BugReported(bug_id="b1", title="Paid twice", severity=BugSeverity.MINOR)
    )
    shop(TWICE).when(resolve_bug, bug_id="b1", reason="one charge").then(BugResolved(bug_id="b1", reason="one charge"))


def test_a_bug_that_is_reported_or_resolved_again_is_known():
    shop(TWICE).when(report_bug, title="Paid twice").then_quiet()
    shop(TWICE, BugResolved(bug_id="b1")).when(resolve_bug, bug_id="b1").then_quiet()


def test_a_resolved_bug_that_comes_back_is_open_again_as_bad_as_it_was():
    shop(TWICE, BugResolved(bug_id="b1")).when(report_bug, title="Paid twice").then(TWICE)


def test_a_new_bug_is_major_unless_said():
    shop().when(report_bug, title="Slow").then(BugReported(bug_id="b1", title="Slow", severity=BugSeverity.MAJOR))


def test_a_bug_that_nobody_reported_is_not_resolved():
    shop(TWICE).when(resolve_bug, bug_id="b2").then_rejected("unknown_bug", "'b2'")


def test_history_is_never_refused():
    assert shop(BugResolved(bug_id="b7")).state().bugs == {}
