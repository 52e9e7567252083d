"""Our part of the venue's rates: turns for reads, and what answers tell about orders."""

import pytest

from plimsoll.venues.bybit.rates import Grant, Holder, RateNews, ReadBudget, read_grant

SECOND = 1_000_000_000
MANY = "/v5/order/realtime"
FEW = "/v5/account/fee-rate"


def turns(budget, path, count, now_ns=0, *, signed=True):
    return [budget.turn_ns(path, now_ns, signed=signed) for _ in range(count)]


def most_in_a_window(times, length):
    return max(sum(at <= other < at + length for other in times) for at in times)


@pytest.mark.parametrize(
    ("holder", "at_once"), [(Holder.ENGINE, 35), (Holder.STANDBY, 10), (Holder.TOOLS, 5)]
)
def test_each_holder_has_its_part_of_an_endpoint(holder, at_once):
    given = turns(ReadBudget(holder), MANY, at_once + 1)
    assert given[:at_once] == [0] * at_once
    assert given[at_once] == SECOND


def test_no_second_ever_holds_more_than_our_part():
    budget = ReadBudget()
    given = [budget.turn_ns(FEW, at, signed=True) for at in range(0, 5 * SECOND, SECOND // 20)]
    assert given == sorted(given)
    assert most_in_a_window(given, SECOND) == 3  # 70 % of five


def test_endpoints_do_not_wait_for_each_other():
    budget = ReadBudget()
    turns(budget, FEW, 10)
    assert budget.turn_ns(MANY, 0, signed=True) == 0


def test_an_answer_sets_the_limit():
    budget = ReadBudget()
    budget.learn(FEW, Grant(100, 99, 0))
    assert turns(budget, FEW, 70) == [0] * 70
    budget.learn(FEW, Grant(5, 4, 0))
    assert budget.turn_ns(FEW, 2 * SECOND, signed=True) == 2 * SECOND
    assert most_in_a_window(turns(budget, FEW, 20, 3 * SECOND), SECOND) <= 3


def test_a_closed_endpoint_gives_no_turn_before_its_time():
    budget = ReadBudget()
    budget.close(MANY, 3 * SECOND)
    assert budget.turn_ns(MANY, SECOND, signed=True) == 3 * SECOND
    assert budget.turn_ns(FEW, SECOND, signed=True) == SECOND


def test_public_reads_and_orders_by_rest_share_the_address():
    budget = ReadBudget()
    for _ in range(400):
        budget.note(0)
    given = turns(budget, "/v5/market/kline", 21, signed=False)
    assert given == [0] * 20 + [5 * SECOND]  # 70 % of 600 in five seconds


def test_a_grant_is_read_from_whole_headers_only():
    names = ("X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp")
    assert read_grant(dict(zip(names, ("10", "9", "1700000000001"), strict=True))) == Grant(
        10, 9, 1_700_000_000_001
    )
    assert read_grant({}) is None
    assert read_grant(dict(zip(names, ("10", "-1", "1"), strict=True))) is None
    assert read_grant(dict(zip(names, ("0", "0", "1"), strict=True))) is None


def test_a_limit_is_news_once():
    news = RateNews()
    assert news.of("create.linear", Grant(10, 9, 0), 0, 1_000) == (10, 0)
    assert news.of("create.linear", Grant(10, 8, 0), 0, 1_001) is None
    assert news.of("create.spot", Grant(20, 19, 0), 0, 1_002) == (20, 0)
    assert news.of("create.linear", Grant(40, 39, 0), 0, 1_003) == (40, 0)
    assert news.of("create.linear", None, 0, 1_004) is None


@pytest.mark.parametrize("code", [10006, 10403, 10429, 20003, 170005, 170222, 429])
def test_a_refusal_for_the_rate_closes_its_group_until_the_reset(code):
    news = RateNews()
    assert news.of("cancel.linear", Grant(10, 0, 1_700), code, 1_000) == (10, 1_700)
    assert news.of("cancel.linear", None, code, 1_000) == (10, 2_000)
    assert news.refused == 2


def test_a_reset_time_from_another_age_closes_for_five_seconds_at_most():
    news = RateNews()
    assert news.of("create.linear", Grant(10, 0, 10**15), 10006, 1_000) == (10, 6_000)
    assert news.of("create.linear", Grant(10, 0, 1), 10006, 1_000) == (10, 1_000)
