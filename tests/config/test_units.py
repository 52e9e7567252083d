import pytest

from plimsoll.config import units


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("5 s", 5_000_000_000),
        ("250 ms", 250_000_000),
        ("1.5 min", 90_000_000_000),
        ("2h", 7_200 * 10**9),
    ],
)
def test_durations_have_units(text, ns):
    assert units.duration_ns(text) == ns


@pytest.mark.parametrize(
    "value", ["5", 5, "5 sec", "", "-1 s", "1e3 s", None, True, "0.0000001 ms"]
)
def test_a_duration_without_a_known_unit_is_refused(value):
    with pytest.raises(ValueError, match="duration"):
        units.duration_ns(value)


@pytest.mark.parametrize(
    ("value", "ppm"),
    [("2 %", 20_000), (0.02, 20_000), ("0.02", 20_000), ("0.05%", 500), (0, 0), (1, 10**6)],
)
def test_fractions_are_per_cent_or_plain(value, ppm):
    assert units.fraction_ppm(value) == ppm


@pytest.mark.parametrize(
    "value", [2, "2", "101 %", -0.1, True, "x", "0.00001 %", float("nan"), None]
)
def test_a_fraction_above_one_or_too_fine_is_refused(value):
    with pytest.raises(ValueError, match="fraction"):
        units.fraction_ppm(value)


@pytest.mark.parametrize(
    ("value", "cash"),
    [
        (500, 500 * 10**8),
        ("500", 500 * 10**8),
        ("1_000 USDT", 10**11),
        ("200USDT", 200 * 10**8),
        (0.1, 10**7),
        ("0.00000001", 1),
    ],
)
def test_money_is_exact(value, cash):
    assert units.cash(value) == cash


@pytest.mark.parametrize(
    "value", ["0.000000001", -1, "500usdt", "USDT", "1e9", True, None, [], "5 usdt", 1e300]
)
def test_money_that_is_not_exact_or_not_money_is_refused(value):
    with pytest.raises(ValueError, match=r"money|decimal places"):
        units.cash(value)


@pytest.mark.parametrize("value", ["1 BTC", "200BTC", "5 EUR", "1_000 ETH"])
def test_money_in_another_coin_is_not_taken_for_dollars(value):
    with pytest.raises(ValueError, match=r"counted in USDT, USDC, USD, not in"):
        units.cash(value)


def test_a_quantity_is_of_its_base_coin():
    assert [units.quantity(value) for value in ("0.05 BTC", "0.05", 0.05)] == [5_000_000] * 3


@pytest.mark.parametrize(
    ("text", "count"), [("10 GB", 10**10), ("1 GiB", 1 << 30), ("1.5 kB", 1500)]
)
def test_sizes_have_units(text, count):
    assert units.byte_count(text) == count


@pytest.mark.parametrize("value", [10, "10", "10 G", "10 gb", None])
def test_a_size_without_unit_is_refused(value):
    with pytest.raises(ValueError, match="size"):
        units.byte_count(value)


def test_a_multiple_may_carry_an_x():
    assert [units.multiple_ppm(value) for value in (2, "2", "1.5x", "3 x")] == [
        2_000_000, 2_000_000, 1_500_000, 3_000_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("read", "write", "text"),
    [
        (units.duration_ns, units.duration_text, "250 ms"),
        (units.duration_ns, units.duration_text, "5 s"),
        (units.fraction_ppm, units.fraction_text, "0.2 %"),
        (units.multiple_ppm, units.multiple_text, "1.5"),
        (units.byte_count, units.byte_text, "10 GB"),
    ],
)
def test_what_is_shown_is_read_back(read, write, text):
    assert write(read(text)) == text
