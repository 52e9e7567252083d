"""Which instances a strategy has: by configuration, by switches, by edits between two starts."""

import pytest
from tests.properties.driver import CASH, one_strategy, settings_of

from plimsoll.core.execution.modes import Modes
from plimsoll.core.model import LiveStage, Mode, live_name, paper_name, strategy_of
from plimsoll.core.records import LiveEnded, ModeSet

P, L, H = Mode.PAPER, Mode.LIVE, Mode.HYBRID


def configured(mode, modes=None, **more):
    modes = modes or Modes()
    modes.configure(settings_of(one_strategy(mode, **more)), 5)
    return modes


def switched(modes, mode, stage, policy="", cap=0, evidence=""):
    record = ModeSet(9, 9, 1, 0, "s", mode, stage, policy, cap, evidence, "anna", "why")
    modes.on_set(record)
    return modes


def running(modes):
    found = modes.effective()
    return {one.name: (str(one.mode), one.capital // CASH) for one in found.strategies}


def test_a_book_has_the_strategys_name_or_a_suffix_nobody_else_can_have():
    assert [strategy_of(one) for one in ("s", live_name("s"), paper_name("s"))] == ["s"] * 3


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        (P, {"s": ("paper", 100_000)}),
        (L, {"s": ("live", 100_000)}),
        (H, {"s": ("live", 700), "s.paper": ("paper", 100_000)}),
    ],
)
def test_a_configuration_alone_names_the_instances(mode, found):
    more = {"live_capital": 700 * CASH} if mode is H else {}
    assert running(configured(mode, **more)) == found


def test_a_configuration_without_switches_and_hybrids_is_left_as_it_is():
    settings = settings_of(one_strategy(L), one_strategy(P, name="t"))
    modes = Modes()
    modes.configure(settings, 5)
    assert modes.effective() is settings


def test_the_first_book_keeps_its_kind_whatever_is_configured_later():
    modes = configured(P)
    configured(L, modes)
    assert running(modes) == {"s.live": ("live", 100_000)}
    assert (modes.live_book("s"), modes.paper_book("s")) == ("s.live", "s")
    modes = configured(L)
    configured(P, modes)
    assert running(modes) == {"s": ("live", 100_000), "s.paper": ("paper", 100_000)}
    assert modes.standings["s"].stage is LiveStage.RUN_OFF
    assert not modes.paper_owners & modes.live_owners


def test_a_run_off_by_configuration_ends_once():
    modes = configured(P, configured(L))
    modes.on_ended(LiveEnded(3, 3, 1, 0, "s", "s"))
    assert running(configured(P, modes)) == {"s.paper": ("paper", 100_000)}


@pytest.mark.parametrize("policy", ["run_off", "flatten", "hand_over"])
def test_what_runs_follows_from_the_stage(policy):
    stage = {"run_off": LiveStage.RUN_OFF, "flatten": LiveStage.FLATTEN}.get(
        policy, LiveStage.HANDED_OVER
    )
    modes = switched(configured(L), P, stage, policy)
    assert ("s" in running(modes)) is (policy != "hand_over")
    assert "s.paper" in running(modes)
    assert f"({policy}) by anna: why" in modes.restrained()["s"]


def test_an_override_caps_capital_and_evidence_does_not():
    modes = switched(configured(P), L, LiveStage.LIVE, cap=200 * CASH)
    assert running(modes) == {"s.live": ("live", 200)}
    assert (modes.caps(), modes.standings["s"].words) == (
        {"s.live": 200 * CASH}, "live, UNPROVEN",
    )  # fmt: skip
    switched(modes, L, LiveStage.LIVE, evidence="d1ce")
    assert running(modes) == {"s.live": ("live", 100_000)}
    assert modes.caps() == {}


@pytest.mark.parametrize(
    ("first", "switch", "then", "expected"),
    [
        (L, (P, LiveStage.NONE), L, (P, LiveStage.NONE)),
        (L, (P, LiveStage.NONE), H, (P, LiveStage.NONE)),
        (P, (P, LiveStage.NONE), L, (P, LiveStage.NONE)),
        (P, (L, LiveStage.LIVE), P, (L, LiveStage.LIVE)),
        (P, (L, LiveStage.LIVE), H, (H, LiveStage.LIVE)),
        (L, (H, LiveStage.LIVE), P, (P, LiveStage.RUN_OFF)),
        (L, (P, LiveStage.RUN_OFF), P, (P, LiveStage.RUN_OFF)),
    ],
)
def test_a_start_takes_risk_from_a_switch_and_gives_it_none(first, switch, then, expected):
    modes = switched(configured(first), *switch)
    found = configured(then, modes).standings["s"]
    assert (found.mode, found.stage) == expected


def test_a_demotion_is_not_undone_by_editing_the_file_twice():
    modes = switched(configured(L), P, LiveStage.NONE)
    for mode in (P, L, P, H):
        configured(mode, modes)
        assert modes.standings["s"].mode is P


def test_a_cap_is_gone_with_the_mode_it_was_for():
    modes = switched(configured(P), L, LiveStage.LIVE, cap=200 * CASH)
    configured(H, modes)
    assert modes.caps() == {"s.live": 200 * CASH}
    configured(P, modes)
    assert modes.caps() == {}
    assert modes.standings["s"].actor == "configuration"


def test_records_about_strategies_nobody_knows_change_nothing():
    modes = Modes()
    switched(modes, L, LiveStage.LIVE)
    modes.on_ended(LiveEnded(3, 3, 1, 0, "s", "s"))
    assert (modes.standings, modes.effective(), modes.configured("s")) == ({}, None, None)
