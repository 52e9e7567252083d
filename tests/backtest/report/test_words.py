"""Numbers as people read them."""

import pytest

from plimsoll.backtest.report import words


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (words.money(1234.5), "1,234.50"),
        (words.money(-0.004), "0.00"),
        (words.money(5, signed=True), "+5.00"),
        (words.money(0, signed=True), "0.00"),
        (words.percent(-0.0512), "-5.12 %"),
        (words.percent(0.5, signed=True), "+50.00 %"),
        (words.price(42_000.5), "42,000.5"),
        (words.price(0.00000012), "1.2e-07"),
        (words.span(90), "90.0 s"),
        (words.span(600), "10.0 min"),
        (words.span(86_400), "24.0 h"),
        (words.span(864_000), "10.0 d"),
        (words.moment(1_704_067_200 * 10**9), "2024-01-01 00:00:00"),
        (words.execution("rule_share", 0.5), "50.00 %"),
        (words.execution("slippage_decided_bps", 1.234), "+1.23 bps"),
        (words.execution("refusals", {}), "none"),
        (words.execution("refusals", {"a": 1, "b": 2}), "a: 1, b: 2"),
        (words.execution("orders", 12_000), "12,000"),
        (words.execution("slippage_arrival_bps", None), words.DASH),
        (words.execution("note", "text"), "text"),
        (words.execution("other", 1.5), "1.50"),
        (words.typographic("-1 to -2.5, stop-first"), "\u22121 to \u22122.5, stop-first"),
    ],
)
def test_words(shown: str, wanted: str) -> None:
    assert shown == wanted
