"""The report page: one file, whole, safe to open, small, readable by contrast."""

import base64
import hashlib
import random
import re

import msgspec
import pytest
from tests.backtest.synthetic import synthetic

from plimsoll.backtest.report import page
from plimsoll.backtest.report.page import _asset
from plimsoll.backtest.results import Curve, FillRow, OwnerResult, PriceSeries, Results

HOSTILE = "<b>&\"'</script><!--"
PLAIN = synthetic(60)


def full(owners: int) -> Results:
    """Return results as large as they get: whole curves of odd times, all fills kept."""
    chance = random.Random(5)
    times = sorted(chance.randrange(31_536_000) * 10**9 for _ in range(5_000))
    few = times[:4_000]
    equity = [10_000 * chance.random() + 0.123456 for _ in few]
    curve = Curve(few, equity, [chance.random() for _ in few], [chance.random() for _ in few])
    cells = [[100_000 * chance.random() for _ in range(2_000)] for _ in range(4)]
    names = [f"linear:COIN{number}USDT" for number in range(owners)]
    made = []
    for number, name in enumerate(names):
        fills = [
            FillRow(ts_ns, "", name, 1, 1e5 * chance.random(), chance.random(), 1.0, True, 1.0, "r")
            for ts_ns in times
        ]
        base = PLAIN.owners[0]
        made.append(
            msgspec.structs.replace(
                base, owner=f"s{number}", instruments=[name], curve=curve, fills=fills
            )
        )
    prices = [PriceSeries(name, times[:2_000], *cells) for name in names]
    holds = dict.fromkeys(names, curve)
    return msgspec.structs.replace(PLAIN, owners=made, prices=prices, benchmark=holds)


def bare(**changed) -> Results:
    owner = OwnerResult(
        "idle", "x:X", {}, ["spot:BTCUSDT"], 1e3, 1e3, Curve(), [], 0, [], 0, {}, [], {}
    )
    named = {"owners": [owner], "prices": [], "benchmark": {}, "warnings": []} | changed
    return msgspec.structs.replace(PLAIN, **named)


@pytest.mark.parametrize("owners", [1, 3, 12])
def test_a_full_page_stays_below_a_megabyte(owners: int) -> None:
    assert len(page(full(owners)).encode()) < 1_000_000


def test_nothing_is_fetched_from_anywhere() -> None:
    text = page(PLAIN)
    assert set(re.findall(r"https?://[^\"'\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert re.findall(r"<(?:link|img|iframe)|@import|url\((?!#)|\bfetch\(", text) == []
    assert "default-src 'none'" in text


def test_the_policy_names_the_hashes_of_style_and_script() -> None:
    text = page(PLAIN)
    policy = re.findall(r"Content-Security-Policy\" content=\"([^\"]+)\"", text)[0]
    for name in ("style", "script"):
        body = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body[0].encode()).digest()).decode()
        assert len(body) == 1
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert " style=" not in text
    assert not re.findall(r"<[^>]*\son\w+=", text)


def test_names_from_outside_are_text_everywhere() -> None:
    owner = msgspec.structs.replace(
        PLAIN.owners[0],
        owner=HOSTILE,
        class_name=HOSTILE,
        params={HOSTILE: HOSTILE},
        instruments=[HOSTILE],
        execution={HOSTILE: HOSTILE, "rules": {HOSTILE: 1}},
        stats_missing={"sharpe": HOSTILE},
        stats={},
        fills=[FillRow(1, HOSTILE, HOSTILE, 1, 1.0, 1.0, 0.0, False, 1.0, HOSTILE)],
    )
    text = page(
        bare(
            owners=[owner, owner],
            warnings=[HOSTILE],
            source=[HOSTILE],
            assumptions={HOSTILE: HOSTILE},
            version=HOSTILE,
            benchmark={HOSTILE: owner.curve},
            prices=[PriceSeries(HOSTILE, [1], [1.0], [1.0], [1.0], [1.0])],
        )
    )
    assert "<b>" not in text
    assert "<!--" not in text
    assert len(re.findall("</script>", text)) == 2


def test_what_was_not_measured_is_a_dash_with_its_reason() -> None:
    text = page(synthetic(12, names=("young",)))
    assert "12 of 30 days" in text
    assert "The Sharpe ratio has no value" in text


def test_an_instance_that_did_nothing_has_a_page() -> None:
    text = page(bare())
    assert "Nothing was filled" in text
    assert "No round trip has ended" in text
    assert 'data-chart="' not in text.partition("</style>")[2].partition("<script")[0]


def test_results_without_an_instance_have_a_page() -> None:
    assert "no instance" in page(bare(owners=[]))


def test_all_fills_are_counted_where_only_the_newest_are_shown() -> None:
    owner = msgspec.structs.replace(PLAIN.owners[0], fills_total=12_345)
    text = page(bare(owners=[owner], prices=PLAIN.prices))
    assert "there were 12,345" in text
    assert "of 12,345 fills" in text


# ---- contrast, computed from the tokens ----


def tokens() -> dict[str, tuple[str, str]]:
    """Return each colour as (light, dark); the second pair of gain and loss with a star."""
    found: dict[str, tuple[str, str]] = {}
    rows = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", _asset("page.css"))
    for name, light, dark in rows:
        found[name if name not in found else f"{name}*"] = (light, dark)
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, part: float) -> str:
    pairs = [(int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a * part + b * (1 - part)):02x}" for a, b in pairs)


SCHEMES = pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])


@SCHEMES
def test_text_can_be_read_on_every_surface(scheme: int) -> None:
    colours = {name: pair[scheme] for name, pair in tokens().items()}
    surfaces = [colours.pop(name) for name in ("bg", "surface", "raised")]
    border = colours.pop("border")
    assert {"text", "muted", "gain", "loss", "gain*", "loss*", "warn", "accent"} == set(colours)
    weak = [
        (name, on) for name, one in colours.items() for on in surfaces if contrast(one, on) < 4.5
    ]
    assert weak == []
    assert min(contrast(border, on) for on in surfaces) >= 3


@SCHEMES
def test_months_can_be_read_on_their_shade(scheme: int) -> None:
    colours = {name: pair[scheme] for name, pair in tokens().items()}
    parts = re.findall(r"color-mix\(in srgb, var\(--(gain|loss)\) (\d+)%", _asset("page.css"))
    assert len(parts) == 6
    for name, part in parts:
        for kind in (name, f"{name}*"):
            shade = mixed(colours[kind], colours["surface"], int(part) / 100)
            assert contrast(colours["text"], shade) >= 4.5, (kind, part)
