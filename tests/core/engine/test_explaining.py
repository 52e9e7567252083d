"""Money that moves without a trade: read from the log, told where unknown, doubted where large."""

import pytest
from tests.core.engine.test_keeper import funded, run
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    SECOND,
    SPOT,
    T0,
    Driver,
    Venue,
    row_of,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.records import (
    DifferenceFound,
    FlowMeasured,
    IncidentRaised,
    QueryIntended,
    Reconciled,
    WalletDoubted,
)
from plimsoll.core.settings import Timing

TIMING = Timing()
MILLION = 10**6 * CASH


class Bank(Venue):
    """A venue whose wallet is moved row by row."""

    def __init__(self, **wallet):
        super().__init__()
        self.wallet = wallet or {"USDT": MILLION}
        self.log = []
        self.hides = False

    def move(self, driver, kind, change, *, coin="USDT", **named):
        at_ms = driver.now_ns // MS
        self.wallet[coin] = self.wallet.get(coin, 0) + change
        self.log.append(
            (f"r{len(self.log)}", kind, change, {"coin": coin, "at_ms": at_ms, **named})
        )

    def rows(self, query):
        if query.kind == "cash":
            return [
                row_of(name, kind, change, query_id=query.query_id, **named)
                for name, kind, change, named in self.log
                if named["at_ms"] >= query.since_ms and not self.hides
            ]
        return super().rows(query)


def banked(*names, **wallet):
    bank = Bank(**wallet)
    driver = Driver().live(*names, venue=bank)
    return driver, bank


def on(driver, bank, ns=20 * SECOND):
    run(driver, ns, answer=lambda d, q: d.answer(q, bank.rows(q)))


def codes(driver):
    return [one.code for one in driver.of(IncidentRaised)]


def test_a_transfer_is_found_in_the_log_before_any_difference_is_told():
    driver, bank = banked()
    on(driver, bank)
    equity, lost = driver.core.losses.equity, driver.core.losses.lost_today
    bank.move(driver, "TRANSFER_OUT", -MILLION // 2)
    on(driver, bank)
    assert driver.core.ledger.cash == bank.wallet
    assert [one for one in driver.of(DifferenceFound) if one.action == "told"] == []
    assert driver.core.losses.equity == equity - MILLION // 2
    assert (driver.core.losses.lost_today, driver.core.losses.drawdown_ppm) == (lost, 0)


def test_interest_is_a_loss_and_no_flow():
    driver, bank = banked()
    bank.move(driver, "INTEREST", -1_000 * CASH)
    on(driver, bank)
    assert driver.core.losses.lost_today == 1_000 * CASH
    assert driver.core.ledger.causes["USDT"]["interest"].units == -1_000 * CASH


def test_a_type_nobody_knows_is_booked_under_its_name_and_told_once():
    driver, bank = banked()
    for _ in range(3):
        bank.move(driver, "MOON_TAX", -5)
        on(driver, bank)
    assert codes(driver).count("unknown_cash") == 1
    assert driver.core.ledger.causes["USDT"]["moon_tax"].units == -15
    assert driver.core.ledger.cash == bank.wallet


def test_what_was_there_at_the_first_start_is_not_booked_again():
    """A deposit of half a minute before is in the balance that was adopted."""
    bank = Bank()
    bank.log.append(("old", "TRANSFER_IN", MILLION, {"at_ms": T0 // MS - 30_000, "coin": "USDT"}))
    driver = Driver().live(venue=bank)
    on(driver, bank, 2 * TIMING.sweep_ns)
    assert driver.core.ledger.cash == {"USDT": MILLION}
    asked = [one for one in driver.of(QueryIntended) if one.kind == "cash"]
    assert asked
    assert min(one.since_ms for one in asked) == T0 // MS


def test_the_log_is_read_at_the_start_and_hourly():
    driver, bank = banked()
    on(driver, bank)
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2, now_ns=driver.now_ns)
    again.live(venue=bank)
    reads = [one for one in again.of(QueryIntended) if one.kind == "cash"]
    assert len(reads) == 1
    run(again, 3_700 * SECOND, answer=lambda d, q: d.answer(q, bank.rows(q)), step=5 * SECOND)
    assert len([one for one in again.of(QueryIntended) if one.kind == "cash"]) == 2


def test_a_log_that_cannot_be_read_spoils_no_round_and_is_told_once():
    driver, bank = banked()
    rounds = len(driver.of(Reconciled))

    def answer(driver, query):
        driver.answer(query, bank.rows(query), ok=query.kind != "cash")

    run(driver, 60 * SECOND, answer=answer)
    assert len(driver.of(Reconciled)) > rounds + 2
    assert codes(driver).count("cash_unread") == 1


@pytest.mark.parametrize(("units", "stops"), [(900 * CASH, False), (1_100 * CASH, True)])
def test_a_large_difference_without_a_cause_stops_new_risk_after_five_minutes(units, stops):
    driver, bank = banked()
    on(driver, bank)
    bank.hides = True
    bank.move(driver, "TRANSFER_IN", units)
    on(driver, bank, 200 * SECOND)
    assert driver.do(lambda s: s.buy(PERP, "0.001", "49000")).refusal is None
    run(driver, 200 * SECOND, answer=lambda d, q: d.answer(q, bank.rows(q)), step=SECOND)
    assert bool(driver.core.safety.wallet_doubt) is stops
    assert not driver.core.safety.blocks
    refusal = driver.do(lambda s: s.buy(PERP, "0.001", "49000")).refusal
    assert (refusal.code if refusal else "") == ("unexplained_cash" if stops else "")
    assert driver.do(lambda s: s.sell(PERP, "0.001", "51000", reduce_only=True)).refusal is None
    assert codes(driver).count("unexplained_cash") == stops
    assert codes(driver).count("wallet_difference") == 1
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2)
    assert again.core.safety.wallet_doubt == driver.core.safety.wallet_doubt
    bank.hides = False
    on(driver, bank, 2 * TIMING.sweep_ns)
    assert driver.core.ledger.cash == bank.wallet
    assert not driver.core.safety.wallet_doubt
    assert [bool(one.reason) for one in driver.of(WalletDoubted)] == [True, False] * stops


def test_a_deposit_of_a_coin_is_valued_and_no_profit():
    driver, bank = banked(PERP, SPOT, USDT=MILLION, BTC=CASH)
    before = driver.core.losses.equity
    bank.move(driver, "TRANSFER_IN", 2 * CASH, coin="BTC")
    on(driver, bank)
    assert [one.worth_units for one in driver.of(FlowMeasured)] == [100_000 * CASH]
    assert driver.core.losses.equity == before + 100_000 * CASH
    assert driver.core.losses.peak == driver.core.losses.equity
    bank.move(driver, "TRANSFER_OUT", -3 * CASH, coin="BTC")
    on(driver, bank)
    assert driver.core.losses.lost_today == 0


def test_rounding_of_a_unit_an_entry_is_no_difference_where_it_is_allowed():
    bank = Bank()
    driver = Driver(settings_of(cash_slack_units=1)).live(venue=bank)
    bank.wallet["USDT"] += 1
    on(driver, bank, 2 * TIMING.sweep_ns)
    assert "wallet_difference" not in codes(driver)
    bank.wallet["USDT"] += 1  # two units, and one entry
    on(driver, bank, 2 * TIMING.sweep_ns)
    assert codes(driver).count("wallet_difference") == 1


def test_a_standing_difference_is_looked_at_once_a_round_and_not_five_times():
    driver, _ = funded()
    bank = Bank()
    bank.wallet["USDT"] += 5
    on(driver, bank, 20 * SECOND)
    before = len([one for one in driver.of(QueryIntended) if one.kind == "wallet"])
    on(driver, bank, 2 * TIMING.sweep_ns + SECOND)
    assert len([one for one in driver.of(QueryIntended) if one.kind == "wallet"]) <= before + 3
