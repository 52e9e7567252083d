"""The bench of the torture suite: one engine on one exchange in virtual time, and what both wrote.

A row says what its strategies do, which faults there are and what is judged. The world's own judge
always looks as well: no order doubled or without intent, no risk after a halt, the worst case
inside the limits; in the calm both books equal, and the session ends in order.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from tests.simulation.judge import violations
from tests.simulation.world.facts import Violation
from tests.simulation.world.scenario import LIMITS, START_NS, TAG, Scenario
from tests.simulation.world.world import WELL_S, Outcome, World

from plimsoll.core.engine import Load
from plimsoll.core.model import Mode
from plimsoll.core.records import Record, decode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Limits, StrategySettings
from plimsoll.simulator import AccountSettings
from plimsoll.simulator.faults.ask import Ask

IS_FULL: Final = os.environ.get("TORTURE") == "full"
UNIT: Final = 10**8
SECOND: Final = 1_000_000_000
PERP, SPOT = "linear:BTCUSDT", "spot:BTCUSDT"

WIDE: Final = msgspec.structs.replace(
    LIMITS,
    order_notional=10**6 * UNIT,
    open_orders=10_000,
    orders_per_second=1_000,
    position_notional=10**8 * UNIT,
    exposure=10**8 * UNIT,
    daily_loss=10**8 * UNIT,
    leverage_ppm=10**9,
)
"""Limits that let through what a row is not about."""

RICH: Final = AccountSettings(vip=3, balances={"USDT": "10000000", "BTC": "100", "ETH": "1000"})
"""Sixty orders a second, and money for all of them."""


def sized(gate: int, full: int) -> int:
    """Return how much a row does: the gate's few, or with ``TORTURE=full`` all of it."""
    return full if IS_FULL else gate


def engine(
    *instruments: str, limits: Limits = WIDE, breakers: Iterable[str] = (), **core: Any
) -> CoreSettings:
    """Return an engine of one live instance an instrument, with the breakers named and no other."""
    return CoreSettings(
        account="world",
        tag=TAG,
        limits=limits,
        breakers=BreakerSettings(off=tuple(set(BREAKERS) - set(breakers))),
        strategies=tuple(
            StrategySettings(
                name=f"s{number}",
                source="torture",
                instruments=(name,),
                mode=Mode.LIVE,
                capital=10**6 * UNIT,
            )
            for number, name in enumerate(instruments or (PERP,))
        ),
        **{"repeat_max": 10**9, "same_action_max": 10**9, "venue_orders_per_second": 60} | core,
    )


class Bench(World):
    """A world with the engine and strategies of a row, which keeps what was written."""

    def __init__(
        self,
        core: CoreSettings,
        strategies: Load,
        *,
        seed: int = 1,
        seconds: float = 20.0,
        asks: Sequence[Ask] = (),
        account: AccountSettings = RICH,
        is_told: bool = False,
        proves: bool = False,
        course: "Callable[[Any], None] | None" = None,
        **scenario: Any,
    ) -> None:
        """Put it together.

        Args:
            core: The engine.
            strategies: Makes the strategy of each instance.
            seed: Of every choice.
            seconds: Of faults; 30 s of calm follow.
            asks: Faults of the exchange.
            account: The exchange's side of the account.
            is_told: Keep the story, for whoever looks for a cause.
            proves: Replay every session afterwards.
            course: What happens instead of faults, calm and comparison.
            scenario: More fields of the scenario.
        """
        self.record: list[dict[str, Any]] = []
        """The exchange's record."""
        self.log: list[Record] = []
        """The trading log, as it was appended."""
        self.looks: list[Callable[[], None]] = []
        """Called every 250 ms."""
        self._course = course
        names = dict.fromkeys(name for one in core.strategies for name in one.instruments)
        super().__init__(
            Scenario(seed, chaos_s=seconds, instruments=tuple(names), asks=list(asks), **scenario),
            is_told=is_told,
            proves=proves,
            core=core,
            strategies=strategies,
            accounts=(account,),
        )

    def judged(self) -> Outcome:
        """Run to the end; fail where something was that must never be."""
        outcome = self.run()
        told = "".join(f"\n{at_s:9.3f} {text}" for at_s, text in self.story[-80:])
        assert not outcome.violation, f"seed {self.scenario.seed}: {outcome.violation}{told}"
        return outcome

    def at(self, seconds: float, act: Callable[..., object], *args: Any) -> None:
        """Let something happen so long after the start."""
        self.kernel.at(START_NS + int(seconds * 1e9), act, *args)

    def of(self, *kinds: type[Record]) -> list[Any]:
        """Return all records of these kinds in the log."""
        return [one for one in self.log if isinstance(one, kinds)]

    def lines(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines of a kind in the exchange's record."""
        return [
            line for line in self.record if line["kind"] == kind and fields.items() <= line.items()
        ]

    def _run(self) -> None:
        if self._course is None:
            super()._run()
            return
        self.venue.start(self.scenario.asks)
        self.kernel.after(SECOND // 10, self.machine.start)
        self.kernel.after(SECOND // 4, self._look)
        self._course(self)

    def settle(self) -> None:
        """End all faults, wait for the calm, compare and stop: the end of a course."""
        self._calm()
        self.kernel.run(self.kernel.now_ns + int(WELL_S * 1e9))
        self._be_well()
        self._compare()
        self._stop()

    def _look(self) -> None:
        super()._look()
        for look in self.looks:
            look()

    def _stop(self) -> None:
        super()._stop()
        found = violations(self.record, self.directory / "journal", TAG)
        if found:
            raise Violation("; ".join(found))

    def _lines(self, lines: list[bytes]) -> None:
        super()._lines(lines)
        self.record += map(msgspec.json.decode, lines)

    def recorded(self, seq: int, payload: bytes) -> None:
        """Keep a record of the trading log."""
        super().recorded(seq, payload)
        self.log.append(decode(payload))
