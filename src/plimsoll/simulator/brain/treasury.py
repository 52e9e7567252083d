"""Money that no order moves, and what a person or a test changes about an account while it runs."""

from decimal import Decimal
from typing import Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.booking import note_transaction, push_wallet
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.ledger import Rates
from plimsoll.simulator.brain.margin import free_coin, totals_of
from plimsoll.simulator.brain.messages import FeesChanged, KeyChanged, Transfer
from plimsoll.simulator.brain.money_rows import transaction_row
from plimsoll.simulator.brain.numbers import ZERO, decimal_of, floor8, text_of

CAUSES: Final = ("TRANSFER", "BONUS", "FEE_REFUND", "INTEREST")
_BOTH_WAYS: Final = ("TRANSFER", "INTEREST")


class Treasury:
    """Moves money in and out of accounts."""

    def __init__(self, floor: Floor) -> None:
        """Serve a floor."""
        self._floor = floor

    def transfer(self, now_ns: int, request: Transfer) -> None:
        """Move coins into an account, or out of it where the amount is negative.

        Raises:
            ValueError: unknown account or cause, a bad amount, or more than the account can spare.
        """
        account = self._floor.account(request.uid)
        amount = decimal_of(request.amount)
        if request.cause not in CAUSES:
            raise ValueError(f"cause must be one of {', '.join(CAUSES)}, found {request.cause!r}")
        if not amount or amount != floor8(amount):
            raise ValueError(f"amount must not be 0 nor finer than 1e-8, found {request.amount}")
        if request.cause not in _BOTH_WAYS and amount < 0:
            raise ValueError(f"{request.cause} cannot be negative, found {request.amount}")
        if amount < 0 and -amount > spare(self._floor, account, request.coin):
            raise ValueError(f"account {request.uid} cannot spare {-amount} {request.coin}")
        move_money(self._floor, account, request.coin, amount, request.cause, now_ns)

    def set_fees(self, now_ns: int, request: FeesChanged) -> None:
        """Change an account's fee rates of a category from now on.

        Raises:
            ValueError: unknown account or category, or no number.
        """
        account = self._floor.account(request.uid)
        if request.category not in ("linear", "spot"):
            raise ValueError(f"category must be linear or spot, found {request.category!r}")
        rates = Rates(decimal_of(request.taker), decimal_of(request.maker))
        account.ledger.fees[request.category] = rates
        fields = {"event": "fees", "category": request.category}
        fields |= {"takerFeeRate": request.taker, "makerFeeRate": request.maker}
        self._floor.record(now_ns, "config", account.uid, fields)

    def change_key(self, now_ns: int, request: KeyChanged) -> None:
        """Change what the account's key may do from now on.

        Raises:
            ValueError: unknown account or property.
        """
        account = self._floor.account(request.uid)
        account.rights.change(request.changes)
        fields = {"event": "key", "changes": request.changes}
        self._floor.record(now_ns, "config", account.uid, fields)


def move_money(
    floor: Floor, account: Account, coin: str, amount: Decimal, cause: str, now_ns: int
) -> None:
    """Change a balance for a reason of the venue's transaction types, and tell everyone."""
    now_ms = now_ns // 1_000_000
    kind = cause
    if cause == "TRANSFER":
        kind = "TRANSFER_IN" if amount > 0 else "TRANSFER_OUT"
    change = account.ledger.move(coin, amount)
    row = transaction_row(change, kind, f"transfer_{floor.next_serial()}", now_ms)
    if kind == "BONUS":
        bonus = account.ledger.bonus
        bonus[coin] = bonus.get(coin, ZERO) + amount
        row["bonusChange"] = text_of(amount)
    note_transaction(floor, account, row, now_ms)
    push_wallet(floor, account, {coin}, now_ns, recorded=True, cause=kind)


def spare(floor: Floor, account: Account, coin: str) -> Decimal:
    """Return how much of a coin may leave without touching what positions and orders need."""
    quotes = floor.quotes()
    total = totals_of(account, quotes)
    free = free_coin(account, total, coin)
    counted = quotes.usd.get(coin, ZERO) * quotes.ratios.get(coin, ZERO)
    if account.margin_mode == "ISOLATED_MARGIN" or not total.initial or not counted:
        return max(ZERO, free)
    return max(ZERO, min(free, floor8(total.available / counted)))
