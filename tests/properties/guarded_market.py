"""The market of chance with exits: positions have stops at the venue, and prices reach them."""

from functools import partial
from typing import Any

from tests.properties.driver import (
    PERP,
    PRICE,
    Listed,
    Message,
    Venue,
    position_of,
    report_of,
)
from tests.properties.market_of_chance import Chance

from plimsoll.core.execution.protection import NO_LEVEL, Level
from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import ProtectionAnswered, ProtectionIntended
from plimsoll.core.strategy import Strategy


class GuardedVenue(Venue):
    """A venue that keeps a stop-loss and take-profit with each position."""

    def __init__(self) -> None:
        super().__init__()
        self.carried: dict[str, Level] = {}
        self.exits: dict[str, Level] = {}
        self.mark = int(PRICE[PERP] * 10)

    def create(self, sent: Any) -> Listed:
        order = super().create(sent)
        self.carried[order.id] = Level(sent.stop_ticks, sent.take_ticks)
        assert not (sent.reduce_only and any(self.carried[order.id])), "no exits on a reduction"
        return order

    def fill(self, order: Listed, lots: int) -> tuple[Message, Message]:
        before = self.position.get(order.instrument, 0)
        messages = super().fill(order, lots)
        after = self.position.get(order.instrument, 0)
        if before * after <= 0:  # flat or turned: what was there ended with its position
            self.exits.pop(order.instrument, None)
        level = self.carried.get(order.id, NO_LEVEL)
        if after * order.side.sign > 0 and any(level):
            self.exits[order.instrument] = level
        return messages

    def protect(self, sent: ProtectionIntended) -> str:
        """Set the exits of a position; return the outcome."""
        level = Level(sent.stop_ticks, sent.take_ticks)
        held = self.position.get(sent.instrument, 0)
        if not held:
            return "refused"
        sign = 1 if held > 0 else -1
        if level.stop_ticks and (self.mark - level.stop_ticks) * sign <= 0:
            return "refused"
        if level.take_ticks and (level.take_ticks - self.mark) * sign <= 0:
            return "refused"
        self.exits[sent.instrument] = level
        return "accepted"

    def look(self) -> list[Message]:
        """Carry out what the mark price has passed; return what the venue says of it."""
        held, level = self.position.get(PERP, 0), self.exits.get(PERP, NO_LEVEL)
        if not held:
            return []
        sign = 1 if held > 0 else -1
        is_lost = level.stop_ticks and (self.mark - level.stop_ticks) * sign <= 0
        is_won = level.take_ticks and (level.take_ticks - self.mark) * sign <= 0
        if not (is_lost or is_won):
            return []
        name = f"exit-{len(self.executions)}"
        side = Side.SELL if held > 0 else Side.BUY
        tif: Any = None
        order = Listed(name, PERP, side, self.mark, abs(held), True, tif, self._tick())
        execution, _ = super().fill(order, abs(held))
        self.exits.pop(PERP, None)
        plain = _without_link(execution, name)
        at_ms, order_id, _, _ = self.executions[-1]
        self.executions[-1] = at_ms, order_id, plain, plain
        return [plain, exit_report(order), self.stated()]

    def stated(self) -> Message:
        """Return the statement of the position as it is now."""
        level = self.exits.get(PERP, NO_LEVEL)
        return position_of(PERP, self.position.get(PERP, 0), *level, at_ms=self._tick())

    def rows(self, query: Any) -> list[Message]:
        if query.kind != "positions":
            return super().rows(query)
        level = self.exits.get(PERP, NO_LEVEL)
        lots, number = self.position.get(PERP, 0), query.query_id
        return [position_of(PERP, lots, *level, at_ms=self.clock_ms, query_id=number)]


def exit_report(order: Listed) -> Message:
    return report_of(
        "",
        OrderState.FILLED,
        side=order.side,
        price=0,
        qty=order.qty,
        cum=order.qty,
        reduce_only=True,
        updated_ms=order.updated_ms,
        venue_id=order.id,
        create_type="CreateByStopLoss",
        stop_type="StopLoss",
    )


def _without_link(message: Message, name: str) -> Message:
    """Return an execution of an order that the venue made: it has no id of ours."""

    def made(stamp: tuple[int, int, int, int]) -> Any:
        record: Any = message(stamp)
        fields = {field: getattr(record, field) for field in record.__struct_fields__}
        changed = {"client_order_id": "", "venue_order_id": name}
        return type(record)(**fields | changed | {"create_type": "CreateByStopLoss"})

    return made


class GuardedChance(Chance):
    """Delays and losses as ever, with exits, and a price that walks."""

    venue: GuardedVenue

    def make_venue(self) -> Venue:
        return GuardedVenue()

    def step(self) -> None:
        middle = int(PRICE[PERP] * 10)
        walked = self.venue.mark + self.random.randint(-400, 400)
        self.venue.mark = min(max(walked, middle - 900), middle + 900)
        self.driver.mark(PERP, self.venue.mark / 10)
        for message in self.venue.look():
            self._stream(message)
        self.judge(self)
        super().step()

    def _collect(self) -> None:
        super()._collect()
        levels, self.driver.levels = self.driver.levels, []
        for level in levels:
            if self.random.random() >= self.loss:
                self.later(partial(self._level, level), most_ms=1_900)

    def _level(self, level: ProtectionIntended) -> None:
        outcome = self.venue.protect(level)
        self._stream(self.venue.stated())
        if self.random.random() >= self.loss:
            word = "unknown" if self.random.random() < self.loss else outcome
            fields = (level.instrument, "r", word, 0, word)
            self.later(partial(self._put, ProtectionAnswered, *fields))
        self.judge(self)

    def _match(self, order: Any) -> None:
        super()._match(order)
        self._stream(self.venue.stated())


class Bracketeer(Strategy):
    """Change its mind often, always with a stop, now and then with a take."""

    wished = 0

    def on_book(self, market: Any) -> None:
        draw = self.rng.below
        if draw(3):
            return
        lots = (1 + draw(20)) * (1 if draw(2) else -1) * (draw(5) > 0)
        price = market.mark or PRICE[PERP]
        sign = 1 if lots >= 0 else -1
        stop = price - sign * (20 + draw(100))
        take = price + sign * (220 + draw(300)) if draw(2) else None
        denied = self.target(PERP, lots / 1000, stop=stop, take=take)
        assert denied is None, denied
        self.wished = max(self.wished, abs(lots))
