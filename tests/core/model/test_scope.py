"""Scopes of stops: how they are written, and what they cover."""

import pytest

from plimsoll.core.model import ACCOUNT, Scope, scope_of

BTC, ETH = "linear:BTCUSDT", "linear:ETHUSDT"


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("", ACCOUNT),
        ("account", ACCOUNT),
        ("strategy:trend", Scope("trend", "")),
        (f"instrument:{BTC}", Scope("", BTC)),
        (f"strategy:trend/{BTC}", Scope("trend", BTC)),
    ],
)
def test_a_scope_is_read_as_it_is_written(text, scope):
    assert scope_of(text) == scope
    assert scope_of(scope.text) == scope


@pytest.mark.parametrize(
    "text",
    ["trend", "strategy:", "strategy:/linear:X", "strategy:a/b", "instrument:BTC", "instrument:"],
)
def test_what_is_no_scope_is_refused_with_the_forms(text):
    with pytest.raises(ValueError, match="is no scope: write nothing for the account"):
        scope_of(text)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        (ACCOUNT, {("a", BTC), ("a", ETH), ("b", BTC), ("b", ETH)}),
        (Scope("a", ""), {("a", BTC), ("a", ETH)}),
        (Scope("", BTC), {("a", BTC), ("b", BTC)}),
        (Scope("a", BTC), {("a", BTC)}),
    ],
)
def test_a_scope_covers_what_it_names_and_nothing_else(scope, covered):
    places = {(owner, name) for owner in "ab" for name in (BTC, ETH)}
    assert {place for place in places if scope.covers(*place)} == covered
