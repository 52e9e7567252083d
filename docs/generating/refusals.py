"""The page of the reasons for which a request of a strategy is refused."""

from collections.abc import Mapping
from typing import Final

from generating.page import made_from, page, row_of
from plimsoll.core.feed import Cause
from plimsoll.core.feed.trust import CAUSE_WORDS, CONTENT_CAUSES
from plimsoll.core.model import Refusal


def refusals_page() -> str:
    """Return every reason for which a request of a strategy is denied."""
    lines = [
        "# Why a request is refused",
        "",
        *made_from("src/plimsoll/core/model/refusal.py"),
        "A refused request never leaves. Refusals by the gate stand in the log as `OrderDenied`",
        "with one of these codes and words that name what was found, the limit and its key;",
        "`plimsoll journal tail --type deny` shows them. Those a strategy's desk makes before the",
        "gate is asked (marked *desk*) are returned to the strategy at once, and counted by call",
        "and reason: `plimsoll status`, `why-not` and the report of a backtest show how many, when",
        "the first came, and its words; in the log they are `AskRefused`. The first check that",
        "fails answers. Reduce-only orders on a perpetual pass all checks but those marked",
        "*always*.",
        "",
        "| code | checked | what was found | what ends it |",
        "|---|---|---|---|",
    ]
    for one in Refusal:
        where, found, end = row_of(_REFUSALS, one, "refusal")
        lines.append(f"| `{one}` | {where} | {found} | {end} |")
    lines += [
        "",
        "The book is always needed, on perpetuals the ticker (it carries the mark price), and of",
        "public trades and bars what the instance lives on. The `detail` of `data_not_live`:",
        "",
        "| detail | what was found | a new snapshot is asked for |",
        "|---|---|---|",
        *(f"| `{one}` | {CAUSE_WORDS[one]} | {_renewed(one)} |" for one in Cause),
        "",
        "A limit that the configuration leaves out is zero: with no `[limits]` at all every order",
        "that can add risk is refused. `net_exposure`, `margin`, `free_balance` and the limits of",
        "instances and instruments narrow nothing where they are left out. A key stands for all",
        "levels: the words of a refusal name the one that was met, such as",
        "`limits.strategy.ema.exposure`. More than 200 refusals in a minute stop the instance.",
    ]
    return page(lines)


def _renewed(cause: Cause) -> str:
    if cause is Cause.SILENT:
        return "for the book"
    return "yes" if cause in CONTENT_CAUSES else "no"


_REFUSALS: Final[Mapping[str, tuple[str, str, str]]] = {
    Refusal.STOPPING: ("gate", "the session is stopping", "the next start"),
    Refusal.WRONG_SIDE: (
        "gate",
        "a trigger at the price of now, a stop that is no loss or a take that is no profit",
        "another price",
    ),
    Refusal.PROTECTION: (
        "venue",
        "the venue did not take the stop or take of a position; told by `on_refusal`",
        "another price; until then the engine's own stop acts",
    ),
    Refusal.EXECUTOR: (
        "desk",
        "an executor that cannot be, one beside a target or a target beside one, or a label of one",
        "as the words say",
    ),
    Refusal.STRATEGY_STOPPED: (
        "always",
        "the instance raised, repeated itself or the session ends",
        "the next start, once the cause is mended",
    ),
    Refusal.WARMING_UP: ("gate", "bars for its windows are still being fetched", "the last answer"),
    Refusal.UNKNOWN_INSTRUMENT: (
        "desk",
        "the instrument is not among those of the instance",
        "`instruments` in its `[[strategy]]` entry",
    ),
    Refusal.OFF_STEP: (
        "desk",
        "a price or quantity off the venue's step, or no number",
        "pass a float to have it rounded, or a multiple of the step",
    ),
    Refusal.BELOW_MINIMUM: (
        "always; desk for amends",
        "less than the venue's minimum quantity or value",
        "a larger quantity",
    ),
    Refusal.ABOVE_MAXIMUM: ("always", "more than the venue's maximum quantity", "smaller orders"),
    Refusal.NO_SUCH_ORDER: ("desk", "the order is over, or was never placed", "nothing: it is so"),
    Refusal.ORDER_BUSY: ("desk", "an earlier request about it is unanswered", "its answer"),
    Refusal.NO_SPACE: (
        "gate",
        "the disk under the journal is nearly full (5 % or 100 MB free)",
        "free some space; it goes on by itself",
    ),
    Refusal.HALTED: (
        "gate",
        "a halt of the account, the instance, the instrument or both is in force",
        "`plimsoll resume SCOPE`, as the words say",
    ),
    Refusal.RUN_OFF: (
        "gate, live only",
        "the strategy went to paper: its live book may only reduce until it is flat",
        "`plimsoll mode set NAME live`, once the live book is flat",
    ),
    Refusal.PAUSED: (
        "gate",
        "a pause of the account, the instance, the instrument or both is in force",
        "`plimsoll resume SCOPE`, as the words say",
    ),
    Refusal.OBSERVED: (
        "gate, live only",
        "a foreign position was there at the first start, and nobody has decided whose it is",
        "`plimsoll adopt`; see [an account that is not empty]"
        "(../how-to/start-on-an-account-that-is-not-empty.md)",
    ),
    Refusal.UNEXPLAINED_CASH: (
        "gate, live only",
        "the wallet has differed by more than `execution.wallet_difference` of equity for "
        "`execution.wallet_patience`, and no cause explains it",
        "the cause: it goes on by itself",
    ),
    Refusal.BLOCKED: (
        "gate",
        "the instrument is blocked",
        "see [release a blocked instrument](../how-to/release-a-blocked-instrument.md)",
    ),
    Refusal.NOT_RECONCILED: (
        "gate, live only",
        "our books have not been compared with the venue's since the private link came up, or the "
        "account's equity has not been measured yet",
        "the comparison, within seconds",
    ),
    Refusal.LINK_DOWN: ("gate, live only", "the private link is down", "its reconnect"),
    Refusal.DATA_NOT_LIVE: (
        "gate",
        "a stream the order depends on is not LIVE (see below), or there is no price to trade at",
        "good data: within a second or two of them",
    ),
    Refusal.CLOCK: (
        "gate, live only",
        "the venue's time is known less exactly than 500 ms",
        "a measurement with a faster round trip",
    ),
    Refusal.NO_REFERENCE: (
        "gate; desk for targets",
        "no mark price, live book or print younger than 5 s",
        "the next market data",
    ),
    Refusal.PRICE_DISTANCE: (
        "gate",
        "the price is further against us from the reference than `limits.price_distance`",
        "another price, or the limit",
    ),
    Refusal.ORDER_NOTIONAL: (
        "gate",
        "the order is worth more than `limits.order_notional`",
        "a smaller order, or the limit",
    ),
    Refusal.ORDER_QTY: (
        "gate",
        "the order is larger than the instrument's `order_qty`",
        "a smaller order, or the limit",
    ),
    Refusal.RATE: (
        "gate",
        "`limits.orders_per_second` creates and amends, or four fifths of the venue's own limit, "
        "left in the last second",
        "the next second",
    ),
    Refusal.DAY_RATE: ("gate", "`limits.orders_per_day` are used", "00:00 UTC, or the limit"),
    Refusal.OPEN_ORDERS: ("gate", "`limits.open_orders` are working", "the end of one"),
    Refusal.POSITION: (
        "gate",
        "the worst case in the instrument, everything in flight counted, would be worth more than "
        "`limits.position_notional`",
        "less in flight, or the limit",
    ),
    Refusal.EXPOSURE: (
        "gate",
        "the worst case over all instruments would exceed `limits.exposure`",
        "less in flight, or the limit",
    ),
    Refusal.NET_EXPOSURE: (
        "gate",
        "longs less shorts over all instruments would exceed `limits.net_exposure` in the worst "
        "case",
        "the other side, or the limit",
    ),
    Refusal.LEVERAGE: (
        "gate, live only",
        "worst-case exposure over equity would exceed `limits.leverage`",
        "less exposure, or the limit",
    ),
    Refusal.DAILY_LOSS: (
        "gate, live only",
        "equity has fallen by `limits.daily_loss` since 00:00 UTC",
        "00:00 UTC, equity regained, or the limit",
    ),
    Refusal.DRAWDOWN: (
        "gate, live only",
        "equity is `limits.drawdown` below its highest",
        "equity regained, or the limit",
    ),
    Refusal.MARGIN: (
        "gate, live only",
        "the account's initial margin rate has reached `limits.margin`",
        "a lower rate, or the limit",
    ),
    Refusal.FREE_BALANCE: (
        "gate, live only",
        "less than `limits.free_balance` would stay free after the order",
        "a smaller order, or the limit",
    ),
    Refusal.INITIAL_MARGIN: (
        "paper only",
        "capital and profit of the instance do not carry the margin of what it holds and asks for",
        "a smaller order, more `capital`, or a higher `account.leverage`",
    ),
    Refusal.BREAKER: (
        "gate",
        "a circuit breaker has tripped for the account, the instance, the instrument or both; "
        "`detail` is its name",
        "see [breakers](breakers.md)",
    ),
    Refusal.SELF_CROSS: (
        "gate",
        "it would cross our own resting order",
        "cancel that order, or another price",
    ),
    Refusal.NOT_HELD: (
        "gate, spot only",
        "the instance would sell more of the coin than it holds and has not already offered",
        "a smaller quantity",
    ),
}
