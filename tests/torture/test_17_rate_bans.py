"""Row 17: banned for asking too often.

People lose money to a ban: for ten minutes nothing can be cancelled. Here each engine keeps to its
own account of what the venue grants, cancels keep room of their own, and after a first "too many"
nobody insists. Two engines on one key share no budget: under overload a third of what they ask is
refused with "too many visits" (it is told, and trips a breaker), but they are not banned either.

Judged from the exchange's record of answers (its limits are on): no 403; where one engine is alone,
at most one "too many" in a thousand. Real sockets and a minute of wall time:
``tests/simulation/test_rates.py``.
"""

from collections import Counter

import msgspec
import pytest
from tests.torture.stage import ETH, FULL, PERP, TAG, Stage, actor

from plimsoll.core.records import OrderDenied
from plimsoll.core.strategy import Strategy

SECONDS = 600 if FULL else 30
BANNED = (403,)
LIMITED = (429, 10006, 10429, 20003, 10403)


class Flood(Strategy):
    """Asks for many orders, amends and cancels with every book, all far from the market."""

    each: int = 20

    def on_start(self):
        self.resting = []

    def on_book(self, market):
        name, middle = market.instrument.name, market.book.mid
        self.resting = [one for one in self.resting if one.is_working]
        for place, one in enumerate(self.resting):
            if place % 2:
                one.cancel()
            else:
                one.amend(price=middle * (0.97 + place % 7 / 1000))
        for number in range(self.each):
            self.resting.append(self.buy(name, 0.01, middle * (0.96 + number / 1000)))


def staged() -> Stage:
    return Stage({"a": Flood, "b": Flood}, actor("a", PERP), pulse_ms=100, instruments=(PERP, ETH))


def test_ten_minutes_of_overload_get_no_ban():
    stage = staged()
    with stage.running() as engine:
        stage.ready()
        stage.run(SECONDS)
        answers = stage.judge.of("answer")
        codes = Counter(line.get("retCode", 0) for line in answers)
        assert stage.refusals(*BANNED) == [], codes
        limited = sum(codes[code] for code in LIMITED)
        assert limited <= len(answers) / 1000, codes
        assert len(answers) > 8 * SECONDS, "the venue's rate was used"
        assert len(engine.of(OrderDenied)) > 20 * SECONDS, "much more was asked for"


@pytest.mark.timeout(600)
def test_two_engines_on_one_key_get_no_ban():
    stage = staged()
    other = msgspec.structs.replace(
        stage.settings, tag=f"{TAG[:3]}2", account="other", strategies=(actor("b", ETH),)
    )
    with stage.running():
        second = stage.second(other, "two")
        second.machine.start()
        stage.ready()
        stage.run(SECONDS)
        answers = stage.judge.of("answer")
        codes = Counter(line.get("retCode", 0) for line in answers)
        assert stage.refusals(*BANNED) == [], codes
        assert codes[0] > 8 * SECONDS, codes
        assert {one.link[:4] for one in stage.judge.orders.values()} == {TAG, f"{TAG[:3]}2"}
