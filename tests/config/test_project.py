"""Each mistake is refused with file, key, what was expected and what was found."""

import pytest

from plimsoll.config import ConfigError
from plimsoll.config.schema import LimitKeys
from plimsoll.config.translate import core_settings
from plimsoll.core.model import Mode
from plimsoll.core.settings import NO_LIMIT, BreakerSettings, CoreSettings, Timing


def refusal(desk, *args, **rest) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        desk.load(*args, **rest)
    return caught.value


def test_a_whole_configuration_becomes_the_settings_of_the_core(desk):
    core = core_settings(desk.load())
    assert (core.account, core.tag) == ("main", "abc")
    limits = core.limits
    assert limits.price_distance_ppm == 20_000
    assert limits.order_notional == 500 * 10**8
    assert limits.orders_per_second == 5
    assert limits.orders_per_day == 1_000
    assert limits.open_orders == 4
    assert limits.position_notional == 2_000 * 10**8
    assert limits.exposure == 5_000 * 10**8
    assert limits.daily_loss == 100 * 10**8
    assert limits.drawdown_ppm == 50_000
    assert limits.leverage_ppm == 2_000_000
    (one,) = core.strategies
    assert (one.name, one.source) == ("one", "strategies/plain.py:Plain")
    assert (one.instruments, one.mode, one.capital) == (("linear:BTCUSDT",), Mode.PAPER, 10**11)
    assert one.params == {"fast": 7}
    assert len(one.source_hash) == 64
    assert one.limits is None


def test_defaults_are_those_of_the_core(desk):
    core = core_settings(desk.load())
    default = CoreSettings(account="", tag="")
    assert core.timing == Timing()
    assert (core.max_slippage_ppm, core.end_policy, core.seed) == (
        default.max_slippage_ppm, default.end_policy, default.seed,
    )  # fmt: skip


def test_execution_keys_reach_the_core(desk):
    text = '[execution]\nanswer_timeout = "1 s"\nconfirm_timeout = "2 s"\nabsence_margin = "3 s"\n'
    text += 'paper_queue = "75 %"\ngap_price = 0.0005\ngap_filled = "5 %"\n'
    text += 'sweep = "4 s"\npaper_latency = "5 ms"\nmax_slippage = "1 %"\nend_policy = "keep"\n'
    desk.replace("[[strategy]]", f"{text}[[strategy]]")
    core = core_settings(desk.load())
    timing = core.timing
    assert (timing.answer_ns, timing.confirm_ns) == (10**9, 2 * 10**9)
    assert (timing.absence_margin_ms, timing.sweep_ns) == (3_000, 4 * 10**9)
    assert (timing.paper_latency_ns, core.max_slippage_ppm) == (5_000_000, 10_000)
    assert (timing.paper_queue_ppm, core.gap_price_ppm) == (750_000, 500)
    assert (core.gap_filled_ppm, core.end_policy) == (50_000, "keep")


def test_a_limit_an_instance_leaves_out_narrows_nothing(desk):
    desk.replace("[[strategy]]", "[limits.strategy.one]\nopen_orders = 1\n[[strategy]]")
    (one,) = core_settings(desk.load()).strategies
    assert one.limits is not None
    assert (one.limits.open_orders, one.limits.orders_per_second) == (1, NO_LIMIT)


def test_the_net_of_an_instance_needs_none_of_the_account_and_is_no_wider(desk):
    own = '[limits.strategy.one]\nnet_exposure = "300 USDT"\n[[strategy]]'
    desk.replace("[[strategy]]", own)
    (one,) = core_settings(desk.load()).strategies
    assert one.limits is not None
    assert one.limits.net_exposure == 300 * 10**8
    desk.replace("[limits]", '[limits]\nnet_exposure = "200 USDT"')
    error = refusal(desk)
    assert error.key == "limits.strategy.one.net_exposure"


def test_new_keys_left_out_narrow_nothing(desk):
    core = core_settings(desk.load())
    limits = core.limits
    found = (limits.order_units, limits.net_exposure, limits.margin_ppm, limits.free_balance)
    assert found == (NO_LIMIT, NO_LIMIT, NO_LIMIT, -1)
    assert (core.instrument_limits, core.breakers) == ({}, BreakerSettings())


def test_limits_of_an_instrument_and_of_the_accounts_health(desk):
    text = '[limits.instrument."linear:BTCUSDT"]\norder_qty = "0.05 BTC"\nopen_orders = 2\n'
    text += '[breakers]\noff = ["spread"]\nlosing_streak = 4\ncool_down = "1 h"\n[[strategy]]'
    desk.replace("[[strategy]]", text)
    desk.replace("[limits]", '[limits]\nmargin = "40 %"\nfree_balance = "100 USDT"')
    core = core_settings(desk.load())
    bound = core.instrument_limits["linear:BTCUSDT"]
    assert (bound.order_units, bound.open_orders, bound.exposure) == (5_000_000, 2, NO_LIMIT)
    assert (core.limits.margin_ppm, core.limits.free_balance) == (400_000, 100 * 10**8)
    assert core.breakers == BreakerSettings(
        off=("spread",), losing_streak=4, cool_down_ns=3_600 * 10**9
    )


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[limits.instrument."linear:BTCUSDT"]\nopen_orders = 9\n', "open_orders", "narrower"),
        ('[limits.instrument."linear:BTCUSDT"]\nexposure = 9\n', "exposure", "not known"),
        ('[breakers]\noff = ["spreads"]\n', "breakers.off", "one of daily_loss"),
        ('[operator]\npassphrase = "hunter2"\n', "operator.passphrase", "a reference"),
    ],
)
def test_mistakes_in_limits_breakers_and_operator(desk, text, key, words):
    desk.replace("[[strategy]]", f"{text}[[strategy]]")
    found = refusal(desk)
    assert key in found.key
    assert words in str(found)


# ---- layers ----


def test_later_layers_win_and_say_where_a_value_came_from(desk):
    desk.write("[limits]\nopen_orders = 3\norders_per_day = 7\n", "config/testing.toml")
    project = desk.load(
        "testing",
        environ={"PLIMSOLL_LIMITS__ORDERS_PER_DAY": "8", "PLIMSOLL_PROJECT": "x", "HOME": "y"},
        options={"limits.orders_per_second": 2},
    )
    limits = project.settings.limits
    assert (limits.open_orders, limits.orders_per_day, limits.orders_per_second) == (3, 8, 2)
    assert limits.leverage == 2_000_000
    assert project.origin("limits", "open_orders").endswith("config/testing.toml")
    assert project.origin("limits", "orders_per_day") == "PLIMSOLL_LIMITS__ORDERS_PER_DAY"
    assert project.origin("limits", "orders_per_second") == "command line"
    assert project.origin("limits", "leverage").endswith("plimsoll.toml")
    assert project.origin("venue", "kind") == "default"


def test_an_environment_has_paths_of_its_own(desk):
    desk.write("", "config/testing.toml")
    project = desk.load("testing")
    var = desk.root / "var" / "testing"
    assert project.journal_dir == var / "journal" / "main"
    assert (project.lease_dir, project.run_dir) == (var / "lease", var / "run")


def test_an_unknown_environment_is_refused_with_the_known_ones(desk):
    desk.write("", "config/testing.toml")
    error = refusal(desk, "production")
    assert "production.toml" in error.file
    assert "testing" in error.expected


@pytest.mark.parametrize("name", ["../x", "A", "a/b"])
def test_an_environment_cannot_lead_out_of_the_project(desk, name):
    assert refusal(desk, name).key == "--env"


def test_a_directory_without_project_is_told_with_the_command_that_makes_one(tmp_path):
    from plimsoll.config.project import load_project

    with pytest.raises(ConfigError, match=r"plimsoll\.toml") as caught:
        load_project(tmp_path, environ={})
    assert "plimsoll demo" in caught.value.hint


def test_a_file_that_is_no_toml_is_told_with_its_line(desk):
    desk.write("[account\ntag = 1")
    error = refusal(desk)
    assert error.file.endswith("plimsoll.toml")
    assert "line 1" in error.expected


# ---- single keys ----


@pytest.mark.parametrize(
    ("old", "new", "key", "expected", "found"),
    [
        ('tag = "abc"', "tag = 5", "account.tag", "text", "5"),
        ('tag = "abc"', 'tag = "9abc"', "account.tag", "letter first", '"9abc"'),
        ('tag = "abc"', 'tag = "abcdefghi"', "account.tag", "1 to 8", '"abcdefghi"'),
        (
            "orders_per_second = 5",
            'orders_per_second = "five"',
            "limits.orders_per_second",
            "whole number",
            '"five"',
        ),
        (
            "orders_per_second = 5",
            "orders_per_second = -1",
            "limits.orders_per_second",
            "from 0",
            "-1",
        ),
        (
            "orders_per_second = 5",
            "orders_per_second = 1.5",
            "limits.orders_per_second",
            "whole number",
            "1.5",
        ),
        ('"500 USDT"', '"500 euros"', "limits.order_notional", "money", '"500 euros"'),
        ('"2 %"', '"2 percent"', "limits.price_distance", "fraction", '"2 percent"'),
        ("drawdown = 0.05", "drawdown = 5", "limits.drawdown", "fraction", "5"),
        ("drawdown = 0.05", "drawdown = true", "limits.drawdown", "fraction", "true"),
        ("leverage = 2", 'leverage = "two"', "limits.leverage", "multiple", '"two"'),
        ('name = "one"', 'name = "one two"', "strategy.one two.name", "letter first", '"one two"'),
        ('name = "one"', 'name = "foreign"', "strategy.foreign.name", "letters", '"foreign"'),
        (
            '"linear:BTCUSDT"',
            '"BTCUSDT"',
            "strategy.one.instruments[1]",
            "linear:BTCUSDT",
            '"BTCUSDT"',
        ),
        ("strategies/plain.py:Plain", "plain.py", "strategy.one.class", "a class", '"plain.py"'),
        ("capital =", 'mode = "fast"\ncapital =', "strategy.one.mode", "live", '"fast"'),
        ("[[strategy]]", "[strategy]", "strategy", "[[strategy]]", "name"),
        ("[account]", '[venue]\nkind = "other"\n[account]', "venue.kind", "bybit", '"other"'),
        ("[account]", "[venue]\nenvironment = 1\n[account]", "venue.environment", "mainnet", "1"),
        ("[account]", '[journal]\nsync = "never"\n[account]', "journal.sync", "kernel", '"never"'),
        (
            "[account]",
            "[journal]\nmarket_keep = 10\n[account]",
            "journal.market_keep",
            "10 GB",
            "10",
        ),
        (
            "[account]",
            "[execution]\nsweep = 15\n[account]",
            "execution.sweep",
            "with its unit",
            "15",
        ),
        (
            "[account]",
            '[execution]\nend_policy = "explode"\n[account]',
            "execution.end_policy",
            "cancel",
            '"explode"',
        ),
        (
            'tag = "abc"',
            'tag = "abc"\nkey = "AKIA123"\nsecret = "x"',
            "account.key",
            "file:PATH",
            '"AKIA123"',
        ),
        ('tag = "abc"', 'tag = "abc"\nname = "a b"', "account.name", "letters", '"a b"'),
    ],
)
def test_a_wrong_value_names_file_key_expected_and_found(broken, old, new, key, expected, found):
    error = refusal(broken(old, new))
    assert error.file.endswith("plimsoll.toml")
    assert error.key == key
    assert expected in error.expected
    assert found in error.found
    assert str(error) == f"{error.file}: {error.key}: {error.expected}, found {error.found}"


@pytest.mark.parametrize(
    ("old", "new", "key", "hint"),
    [
        ("open_orders = 4", "open_order = 4", "limits.open_order", "'open_orders'"),
        ("[account]", "[accounts]", "accounts", "'account'"),
        ("capital =", "captial =", "strategy.one.captial", "'capital'"),
        ("[account]", "[alerts]\n[account]", "alerts", "later release"),
        ("[account]", "[execution]\nfoo = 1\n[account]", "execution.foo", "known here"),
        (
            "[[strategy]]",
            "[limits.strategy.one]\nexposures = 1\n[[strategy]]",
            "limits.strategy.one.exposures",
            "'exposure'",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(broken, old, new, key, hint):
    desk = broken(old, new)
    error = refusal(desk)
    found = [error, *error.others]
    (unknown,) = [one for one in found if one.key == key]
    assert unknown.expected == "this key is not known"
    assert hint in unknown.hint


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ('tag = "abc"\n', "account.tag"),
        ('name = "one"\n', "strategy[1].name"),
        ('class = "strategies/plain.py:Plain"\n', "strategy.one.class"),
    ],
)
def test_a_missing_key_is_named(broken, old, key):
    error = refusal(broken(old, ""))
    assert (error.key, error.expected) == (key, "this key is required")
    assert error.file.endswith("plimsoll.toml")


def test_an_empty_file_says_what_it_needs(desk):
    desk.write("")
    error = refusal(desk)
    assert error.key == "account"
    assert "tag" in error.hint


def test_all_mistakes_are_told_at_once(desk):
    desk.replace('tag = "abc"', "tag = 5")
    desk.replace("open_orders = 4", "open_orders = []")
    error = refusal(desk)
    assert {one.key for one in (error, *error.others)} == {"account.tag", "limits.open_orders"}


def test_a_wrong_variable_is_named_as_where_the_value_stands(desk):
    error = refusal(desk, environ={"PLIMSOLL_LIMITS__OPEN_ORDERS": "many"})
    assert (error.file, error.key) == ("PLIMSOLL_LIMITS__OPEN_ORDERS", "limits.open_orders")


def test_a_variable_without_a_place_is_refused(desk):
    error = refusal(desk, environ={"PLIMSOLL_LIMIT__OPEN_ORDERS": "1"})
    assert (error.file, error.key) == ("PLIMSOLL_LIMIT__OPEN_ORDERS", "limit")


# ---- what single keys cannot show ----


def test_two_instances_need_two_names(desk):
    text = (desk.root / "plimsoll.toml").read_text()
    desk.write(text + '[[strategy]]\nname = "one"\nclass = "strategies/plain.py:Plain"\n')
    assert refusal(desk).key == "strategy.one.name"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('mode = "hybrid"', "needs it above zero"),
        ('mode = "hybrid"\nlive_capital = 0', "needs it above zero"),
        ('mode = "live"\nlive_capital = 5', "no second capital"),
        ('mode = "hybrid"\nlive_capital = "1_001 USDT"', "no more than capital, 1000"),
        ("live_capital = 2_000", "no more than capital, 1000"),
    ],
)
def test_a_live_capital_that_makes_no_sense_is_refused(desk, written, expected):
    desk.replace('tag = "abc"', 'tag = "abc"\nkey = "env:K"\nsecret = "env:S"')
    desk.replace("capital =", f"{written}\ncapital =")
    error = refusal(desk)
    assert error.key == "strategy.one.live_capital"
    assert expected in error.expected
    assert error.hint


def test_a_hybrid_has_two_capitals_and_needs_a_key(desk):
    desk.replace("capital =", 'mode = "hybrid"\nlive_capital = "50 USDT"\ncapital =')
    assert refusal(desk).key == "account.key"
    desk.replace('tag = "abc"', 'tag = "abc"\nkey = "env:K"\nsecret = "env:S"')
    (one,) = core_settings(desk.load()).strategies
    assert (one.mode, one.capital, one.live_capital) == (Mode.HYBRID, 10**11, 5 * 10**9)


def test_a_live_instance_needs_a_key(broken):
    assert refusal(broken("capital =", 'mode = "live"\ncapital =')).key == "account.key"


def test_a_key_needs_its_secret(broken):
    error = refusal(broken('tag = "abc"', 'tag = "abc"\nkey = "env:KEY"'))
    assert error.key == "account.secret"


def test_an_address_is_for_the_simulator_only(broken):
    error = refusal(broken("[account]", '[venue]\nenvironment = "mainnet"\nurl = "x:1"\n[account]'))
    assert error.key == "venue.url"


def test_limits_of_an_unknown_instance_are_refused(broken):
    error = refusal(broken("[[strategy]]", "[limits.strategy.on]\nopen_orders = 1\n[[strategy]]"))
    assert error.key == "limits.strategy.on"
    assert "'one'" in error.hint


def test_an_instance_cannot_have_wider_limits(broken):
    error = refusal(broken("[[strategy]]", "[limits.strategy.one]\nopen_orders = 5\n[[strategy]]"))
    assert error.key == "limits.strategy.one.open_orders"
    assert "narrower" in error.expected


def test_missing_limits_are_warned_of_by_name(desk):
    assert list(desk.load().warnings()) == []
    desk.replace("open_orders = 4\n", "")
    (warning,) = desk.load().warnings()
    assert warning.startswith("limits.open_orders: not set, so zero")


def test_a_project_without_limits_warns_of_each(desk):
    desk.write('[account]\ntag = "abc"\n')
    first, second = desk.load().warnings()
    assert all(f"limits.{name}" in first for name in LimitKeys.model_fields)
    assert "trade nothing" in second


def test_a_second_live_instance_on_an_instrument_is_refused(desk):
    second = '\n[[strategy]]\nname = "two"\nclass = "strategies/plain.py:Plain"\n'
    second += 'instruments = ["linear:BTCUSDT"]\ncapital = "10 USDT"\nmode = "MODE"\n'
    whole = (desk.root / "plimsoll.toml").read_text()
    whole = whole.replace('name = "one"', 'name = "one"\nmode = "live"')
    whole = whole.replace('tag = "abc"', 'tag = "abc"\nkey = "env:K"\nsecret = "env:S"')
    desk.write(whole + second.replace("MODE", "paper"))
    assert len(desk.load().settings.strategy) == 2
    desk.write(whole + second.replace("MODE", "live"))
    with pytest.raises(ConfigError, match=r'two.instruments.*linear:BTCUSDT.*"one"'):
        desk.load()
