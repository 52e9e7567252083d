"""All executors of one instance, and the handles it holds them by."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from plimsoll.core.model import Denied, Instrument, Order, Refusal, Regrid
from plimsoll.core.records import PublicTraded
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.plan import Terms, wrong
from plimsoll.core.strategy.executors.pov import Following
from plimsoll.core.strategy.executors.run import AnyPlan, Run

MOST_RUNNING: Final = 100
ENDED_KEPT: Final = 100
_LABEL: Final = re.compile(r"[a-z]+#(\d+)\.\d+")


class Wish(Protocol):
    """What a strategy asks ``execute`` for: ``Twap``, ``Vwap``, ``Iceberg``, ``Pov`` ..."""

    def begin(
        self, terms: Terms, instrument: str
    ) -> tuple[AnyPlan, list[tuple[str, int, int]]] | Denied:
        """Return a plan and its legs (instrument, direction, lots), or why there is none."""
        ...


def is_executor_label(label: str) -> bool:
    """Return whether an order's label says that an executor made it."""
    return "#" in label and _LABEL.fullmatch(label) is not None


def number_of(label: str) -> int:
    """Return the executor's number in a label, 0 where it is another one's."""
    found = _LABEL.fullmatch(label)
    return int(found[1]) if found else 0


class LegProgress(NamedTuple):
    """What one instrument of an executor has come to; quantities signed."""

    instrument: str
    qty: Decimal
    filled: Decimal
    average_price: float


class ExecutorHandle:
    """What ``execute`` returns: an executor, or why there is none."""

    __slots__ = ("_book", "_refusal", "run")

    def __init__(self, book: "Executors", run: Run | None, refusal: Denied | None = None) -> None:
        """Hold a run, or the refusal of one."""
        self._book = book
        self._refusal = refusal
        self.run = run

    @property
    def number(self) -> int:
        """Return its number, 0 where it was refused; ``Strategy.executor`` finds it again."""
        return self.run.number if self.run else 0

    @property
    def kind(self) -> str:
        """Return ``twap``, ``vwap`` ..."""
        return self.run.kind if self.run else ""

    @property
    def is_done(self) -> bool:
        """Return whether it has ended and nothing of it can match any more."""
        return self.run is None or bool(self.run.ended)

    @property
    def reason(self) -> str:
        """Return why it ended, empty while it works."""
        return self.run.ended if self.run else "refused"

    @property
    def refusal(self) -> Denied | None:
        """Return why there is none, or the newest refusal of one of its orders."""
        if self.run is None or not self.run.refusal[0]:
            return self._refusal
        code, text = self.run.refusal
        return Denied(_REFUSALS.get(code, Refusal.EXECUTOR), text, code)

    @property
    def legs(self) -> tuple[LegProgress, ...]:
        """Return what each instrument has come to."""
        return tuple(self._progress(leg) for leg in self.run.legs) if self.run else ()

    @property
    def qty(self) -> Decimal:
        """Return the quantity asked for, signed; of several legs the first one's."""
        return self.legs[0].qty if self.run else Decimal(0)

    @property
    def filled(self) -> Decimal:
        """Return what is traded of it, signed."""
        return self.legs[0].filled if self.run else Decimal(0)

    @property
    def rest(self) -> Decimal:
        """Return what is not traded of it, signed."""
        return self.qty - self.filled

    @property
    def average_price(self) -> float:
        """Return the average price of what is traded, 0 before anything is."""
        return self.legs[0].average_price if self.run else 0.0

    @property
    def progress(self) -> float:
        """Return the part that is traded, 0 to 1; of several legs the one furthest behind."""
        if self.run is None:
            return 0.0
        return min(leg.filled_lots / leg.qty_lots for leg in self.run.legs)

    def cancel(self) -> None:
        """End it: what rests is cancelled. It is done once nothing can match any more."""
        if self.run is not None and not self.run.ended:
            self.run.closes = self.run.closes or "cancelled"
            self._book.wake(self.run)

    def _progress(self, leg: Leg) -> LegProgress:
        listed = self._book.listed(leg.instrument)
        lot, price = listed.lot, leg.average_ticks * float(listed.tick)
        qty, filled = leg.sign * leg.qty_lots * lot, leg.sign * leg.filled_lots * lot
        return LegProgress(leg.instrument, qty, filled, price)


_REFUSALS: Final = {one.value: one for one in Refusal}


class Executors:
    """The runs of one instance, oldest first, in its checkpoint."""

    def __init__(
        self, listed: Callable[[str], Instrument | None], wake: Callable[[Iterable[str]], None]
    ) -> None:
        """Start with none; ``wake`` has the engine look at what happens in these instruments."""
        self._listed = listed
        self._wake = wake
        self.runs: dict[int, Run] = {}
        self.count = 0
        """Number of the newest."""
        self._legs: dict[str, tuple[Run, Leg]] = {}
        self._told: dict[int, tuple[object, ...]] = {}
        self._saved: dict[int, str] = {}
        """How each stood in the newest checkpoint."""

    # ---- what a strategy asks ----

    def begin(self, wish: Wish, instrument: str, terms: Terms) -> ExecutorHandle:
        """Start one, or return a handle that says why not."""
        if sum(not run.ended for run in self.runs.values()) >= MOST_RUNNING:
            return self.refused(wrong(f"{MOST_RUNNING} executors are running"))
        begun = wish.begin(terms, instrument)
        if isinstance(begun, Denied):
            return self.refused(begun)
        plan, wanted = begun
        self.count += 1
        kind = type(wish).__name__.lower()
        legs = [
            Leg(name, f"{kind}#{self.count}.{index}", sign, lots)
            for index, (name, sign, lots) in enumerate(wanted)
        ]
        run = Run(self.count, kind, plan, legs, terms.now_ns)
        self._add(run)
        self._let_go()
        self.wake(run)
        return ExecutorHandle(self, run)

    def refused(self, denied: Denied) -> ExecutorHandle:
        """Return a handle without an executor."""
        return ExecutorHandle(self, None, denied)

    def handles(self) -> list[ExecutorHandle]:
        """Return those that have not ended and the newest that have, oldest first."""
        return [ExecutorHandle(self, run) for run in self.runs.values()]

    def find(self, number: int) -> ExecutorHandle | None:
        """Return the one with a number."""
        run = self.runs.get(number)
        return ExecutorHandle(self, run) if run else None

    def listed(self, name: str) -> Instrument:
        """Return the filters of an instrument."""
        found = self._listed(name)
        assert found is not None
        return found

    def wake(self, run: Run) -> None:
        """Have the engine look at a run."""
        self._wake([leg.instrument for leg in run.legs])

    # ---- what the engine does ----

    def running(self, names: Iterable[str]) -> list[Run]:
        """Return those under way in any of these instruments, oldest first."""
        wanted = set(names)
        return [
            run
            for run in self.runs.values()
            if not run.ended and any(leg.instrument in wanted for leg in run.legs)
        ]

    def instruments(self) -> set[str]:
        """Return where any is under way."""
        return {leg.instrument for run in self.runs.values() if not run.ended for leg in run.legs}

    def hear(self, order: Order, now_ns: int) -> None:
        """Take over what an order of an executor has come to."""
        found = self._legs.get(order.label)
        if found is not None:
            run, leg = found
            run.hear(leg, order, now_ns)

    def take_up(self, orders: Iterable[Order]) -> None:
        """Read all orders that are known: what a checkpoint did not see any more counts."""
        for order in orders:
            self.count = max(self.count, number_of(order.label))
            found = self._legs.get(order.label)
            if found is not None:
                found[1].note(order)

    def is_parentless(self, order: Order) -> bool:
        """Return whether an order says that an executor made it, and none is under way."""
        if not is_executor_label(order.label):
            return False
        found = self._legs.get(order.label)
        return found is None or bool(found[0].ended)

    def on_public_trade(self, traded: PublicTraded) -> None:
        """Let those count that follow the tape."""
        for run in self.runs.values():
            plan = run.plan
            if isinstance(plan, Following) and not run.ended:
                (leg,) = run.legs
                if leg.instrument == traded.instrument:
                    plan.on_public_trade(traded, self.listed(leg.instrument))

    def news(self) -> Iterator[ExecutorHandle]:
        """Yield each that was filled, refused anew or ended since it was told of last."""
        for run in list(self.runs.values()):
            now = _state_of(run)
            if self._told.get(run.number) != now:
                self._told[run.number] = now
                yield ExecutorHandle(self, run)

    def end_all(self, reason: str) -> None:
        """End everything: what may still match is cancelled as parentless."""
        for run in self.runs.values():
            run.ended = run.ended or reason

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count in the new steps of an instrument."""
        for run in self.runs.values():
            legs = [leg for leg in run.legs if leg.instrument == instrument]
            for leg in legs:
                leg.regrid(regrid)
            if legs:
                run.plan.regrid(instrument, regrid)

    @property
    def is_unsaved(self) -> bool:
        """Return whether one began, or is to end, that no checkpoint knows of."""
        if len(self._saved) != len(self.runs):
            return True
        for number, run in self.runs.items():
            if self._saved.get(number) != run.ended + run.closes:
                return True
        return False

    def note_saved(self) -> None:
        """Note that a checkpoint knows of all."""
        self._saved = {number: run.ended + run.closes for number, run in self.runs.items()}

    def restore(self, runs: Sequence[Run], count: int) -> None:
        """Take over what a checkpoint holds."""
        self.count = count
        for run in runs:
            self._add(run)
        self.note_saved()

    # ---- inside ----

    def _add(self, run: Run) -> None:
        self.runs[run.number] = run
        self._told[run.number] = _state_of(run)
        for leg in run.legs:
            self._legs[leg.label] = run, leg

    def _let_go(self) -> None:
        """Forget the oldest ended ones."""
        ended = [run for run in self.runs.values() if run.ended]
        for run in ended[: max(0, len(ended) - ENDED_KEPT)]:
            del self.runs[run.number], self._told[run.number]
            for leg in run.legs:
                del self._legs[leg.label]


def _state_of(run: Run) -> tuple[object, ...]:
    return (run.ended, run.refusal[0], *(leg.filled_lots for leg in run.legs))
