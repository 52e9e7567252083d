"""Row 18: a clock that is off, and orders refused for their time.

People lose money to a machine whose clock drifts: the venue refuses every order and every cancel
with "timestamp outside the window", and the time sync of some clients caused it. Here the distance
to the venue's clock is measured, never the machine's clock believed: with a clock five seconds
ahead or behind and drifting, no request is ever refused for its time; where the venue's own clock
steps by five seconds, none is from two seconds after the step on. A clock that is off is told.

Judged from the exchange's record: answers with code 10002 (and REST's same), and orders that go on.
"""

import pytest
from tests.torture.stage import FULL, PERP, SECOND, Stage, actor

from plimsoll.core.strategy import Strategy

REFUSED = (10002, -1)
"""Answers that mean: your time is not ours."""

DRIFTS = (-1000, -50, 0, 50, 1000) if FULL else (-200, 200)
"""Parts per million: ordinary quartz is within 50."""


class Steady(Strategy):
    """Rests and cancels an order in turn."""

    def on_start(self):
        self.resting = None

    def on_book(self, market):
        if self.resting is not None and self.resting.is_working:
            self.resting.cancel()
        else:
            self.resting = self.buy(market.instrument.name, 0.01, market.book.mid * 0.99)


def staged(**more) -> Stage:
    return Stage({"a": Steady}, actor("a", PERP), **more)


@pytest.mark.parametrize("drift_ppm", DRIFTS)
@pytest.mark.parametrize("off_s", [-5, 5])
def test_a_machine_whose_clock_is_off_and_drifts_is_refused_nothing(off_s, drift_ppm):
    stage = staged()
    stage.engine.machine.offset_ns = off_s * SECOND
    stage.engine.machine.drift_ppm = drift_ppm
    with stage.running() as engine:
        stage.ready()
        stage.run(600 if FULL else 60)
        stage.agree()
        assert stage.judge.counts["orders"] > 50
        assert stage.refusals(*REFUSED) == []
        assert any(
            "clock" in line and "5000" in line.replace("4999", "5000") for line in told(stage)
        )
        offset_ns = engine.core.safety.clock_offset_ns
        assert abs(offset_ns + off_s * SECOND) < SECOND


def told(stage) -> list[str]:
    return [line for line in stage.story if "clock" in line]


@pytest.mark.parametrize("step_ms", [-5000.0, 5000.0])
def test_a_step_of_the_venues_clock_is_noticed_within_two_seconds(step_ms):
    stage = staged()
    with stage.running():
        stage.ready()
        stage.run(10)
        steps = [stage.kernel.now_ns, stage.kernel.now_ns + 30 * SECOND]
        stage.ask("clock_step", magnitude=step_ms, duration_s=30)
        stage.run(60)  # and a step back
        stage.agree()
        refused = [line["t_ns"] for line in stage.refusals(*REFUSED)]
        assert refused, "the step was not felt: the test shows nothing"
        late = [at for at in refused if not any(0 <= at - one <= 2 * SECOND for one in steps)]
        assert late == []
        assert stage.judge.counts["orders"] > 40


def test_a_venue_whose_clock_drifts_is_followed():
    stage = staged()
    with stage.running():
        stage.ready()
        stage.ask("clock_drift", magnitude=1.0, duration_s=60)
        stage.run(70)
        stage.agree()
        assert stage.refusals(*REFUSED) == []
