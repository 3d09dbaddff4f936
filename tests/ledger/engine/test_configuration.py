"""Settings: where they come from, and what is refused."""

import pytest

from goal_ledger.domain.settings import Settings
from goal_ledger.ledger import Invalid
from goal_ledger.ledger.engine.configuration import configure


@pytest.fixture
def file(tmp_path):
    return tmp_path / "goal-ledger.toml"


def test_without_a_file_and_variables_everything_is_default(file):
    found = configure(file, environment={})
    assert found.settings == Settings()
    assert set(found.origins.values()) == {"default"}


def test_the_environment_wins_over_the_file_and_arguments_over_both(file):
    file.write_text("text_limit = 500\nlock_wait_s = 1.5\npage = 7\n")
    found = configure(
        file, environment={"GOAL_LEDGER_TEXT_LIMIT": "600", "GOAL_LEDGER_PAGE": "8"}, arguments={"page": 9}
    )
    assert (found.settings.lock_wait_s, found.settings.text_limit, found.settings.page) == (1.5, 600, 9)
    assert found.origins["lock_wait_s"] == str(file)
    assert found.origins["text_limit"] == "GOAL_LEDGER_TEXT_LIMIT"
    assert found.origins["page"] == "argument"
    assert found.origins["durable"] == "default"


def test_the_environment_speaks_in_text(file):
    found = configure(file, environment={"GOAL_LEDGER_DURABLE": "false", "GOAL_LEDGER_LOCK_WAIT_S": "2"})
    assert (found.settings.durable, found.settings.lock_wait_s) == (False, 2.0)


def test_other_variables_are_left_alone(file):
    assert configure(file, environment={"GOAL_LEDGER_DB": "x", "GOAL_LEDGER_ACTOR": "y"}).settings == Settings()


@pytest.mark.parametrize(
    ("text", "code"),
    [("text_limit = ", "bad_settings"), ("colour = 'red'", "unknown_setting"), ("text_limit = '5'", "invalid_value")],
)
def test_a_wrong_file_is_refused_by_name(file, text, code):
    file.write_text(text)
    with pytest.raises(Invalid, match=r"goal-ledger\.toml") as refused:
        configure(file, environment={})
    assert refused.value.code == code


def test_a_wrong_variable_is_refused_by_name(file):
    for value in ("many", "0"):
        with pytest.raises(Invalid, match="GOAL_LEDGER_TEXT_LIMIT"):
            configure(file, environment={"GOAL_LEDGER_TEXT_LIMIT": value})
