"""The report page in a real browser: it draws, answers keys, reads well, and asks nobody."""

import math
import re
from collections.abc import Callable, Iterator

import pytest
from tests.backtest.synthetic import synthetic

from plimsoll.backtest.report import page as page_of
from plimsoll.backtest.report import words
from plimsoll.backtest.results import Results
from plimsoll.core.portfolio.statistics.moments import Z95, Moments

HOSTILE = '</script><img src=x onerror="window.hit = 1">'
WIDTHS = pytest.mark.parametrize("width", [1280, 390])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
EQUITY, SHARPE, TRADES = ("[data-chart=equity]", "[data-chart=sharpe]", "[data-chart=trades]")


class Shown:
    """A report in a page of the browser, and what the browser said of it."""

    def __init__(self, page, url: str) -> None:
        self.page = page
        self.told: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.told.append(message.text))
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(url)

    def draw_all(self) -> None:
        for chart in self.page.locator("[data-chart]").all():
            self.draw(chart)

    def draw(self, chart) -> None:
        """Bring a chart into sight: it is drawn then."""
        chart.scroll_into_view_if_needed()
        self.page.wait_for_function("one => 'drawn' in one.dataset", arg=chart.element_handle())

    def chart(self, kind: str):
        found = self.page.locator(kind).first
        self.draw(found)
        return found

    def said(self, kind: str) -> str:
        return self.chart(kind).locator("output").text_content()

    def press(self, kind: str, *keys: str) -> str:
        self.chart(kind).locator(".plot").focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.said(kind)


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic(200, names=("ema_cross", HOSTILE))


@pytest.fixture(scope="module")
def url(results, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page_of(results))
    return path.as_uri()


@pytest.fixture(scope="module")
def small_url(tmp_path_factory) -> str:
    """Return a page with one of everything: axe looks at each cell of each table."""
    path = tmp_path_factory.mktemp("report") / "small.html"
    path.write_text(page_of(synthetic(100, names=("young", "quoter"), patience=400)))
    return path.as_uri()


@pytest.fixture
def show(chromium, url) -> Iterator[Callable]:
    contexts = []

    def shown(width: int = 1280, scheme: str = "light", at: str = url) -> Shown:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        return Shown(context.new_page(), at)

    yield shown
    for context in contexts:
        context.close()


@WIDTHS
@SCHEMES
def test_axe_finds_nothing(show, small_url, axe, width, scheme) -> None:
    shown = show(width, scheme, small_url)
    shown.draw_all()
    shown.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    shown.page.evaluate(axe)
    found = shown.page.evaluate("axe.run(document)")
    told = [
        f"{one['impact']} {one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
    assert told == []
    assert len(found["passes"]) > 20


def test_it_says_nothing_to_the_console_and_asks_for_nothing_but_itself(show, url) -> None:
    shown = show()
    shown.draw_all()
    assert shown.told == []
    assert shown.asked == [url]


def test_names_are_text_wherever_they_stand(show) -> None:
    shown = show()
    shown.draw_all()
    assert shown.page.evaluate("window.hit") is None
    assert shown.page.locator("#title-1").text_content() == HOSTILE
    assert shown.page.locator("img").count() == 0


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_is_wider_than_the_screen(show, width) -> None:
    shown = show(width)
    shown.draw_all()
    assert shown.page.evaluate("document.documentElement.scrollWidth") == width


def test_every_chart_is_drawn(show) -> None:
    shown = show()
    for kind in (EQUITY, SHARPE, TRADES):
        assert shown.chart(kind).locator("svg path[class]").count() > 0


def test_arrows_read_the_chart_from_one_end_to_the_other(show, results) -> None:
    shown, owner = show(), results.owners[0]
    first = shown.press(EQUITY, "ArrowRight")
    assert f"equity {words.money(owner.curve.equity[0])}" in first
    shown.page.mouse.move(0, 0)
    assert shown.chart(EQUITY).locator("output").get_attribute("aria-live") == "polite"


def test_the_last_point_is_the_final_equity(show, results) -> None:
    shown, owner = show(), results.owners[0]
    last = shown.press(EQUITY, "ArrowLeft")
    assert f"equity {words.money(owner.final_equity)}" in last
    assert f"exposure {owner.curve.exposure[-1]:.2f}x" in last
    fallen = words.typographic(words.percent(-owner.curve.drawdown[-1]))
    assert f"drawdown {fallen}" in last


def test_fills_are_reached_by_keys_and_told_in_full(show, results) -> None:
    shown, fill = show(), results.owners[0].fills[1]
    told = shown.press(TRADES, "ArrowRight", "ArrowRight")
    side = "Buy" if fill.side > 0 else "Sell"
    assert f"{side} {words.price(fill.qty)} at {words.price(fill.price)}" in told
    assert ("maker" if fill.is_maker else "taker") in told
    assert shown.chart(TRADES).locator(".ring").count() == 1


def axis_of(shown: Shown, kind: str) -> list[str]:
    texts = shown.chart(kind).locator("svg text").all_text_contents()
    return [text for text in texts if re.fullmatch(r"\d[\d:-]+", text) and "-" in text]


def test_keys_and_buttons_zoom_and_all_shows_all(show) -> None:
    shown = show()
    whole = axis_of(shown, EQUITY)
    shown.press(EQUITY, "+", "+", "+")
    assert axis_of(shown, EQUITY) != whole
    shown.press(EQUITY, "0")
    assert axis_of(shown, EQUITY) == whole
    shown.chart(EQUITY).get_by_role("button", name="closer").click()
    near = axis_of(shown, EQUITY)
    shown.chart(EQUITY).get_by_role("button", name="later").click()
    assert axis_of(shown, EQUITY) not in (near, whole)


def test_dragging_zooms_and_a_double_click_shows_all(show) -> None:
    shown = show()
    plot = shown.chart(TRADES).locator(".plot")
    plot.scroll_into_view_if_needed()
    whole, box = axis_of(shown, TRADES), plot.bounding_box()
    shown.page.mouse.move(box["x"] + 300, box["y"] + 100)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + 420, box["y"] + 100)
    shown.page.mouse.up()
    assert axis_of(shown, TRADES) != whole
    plot.dblclick(position={"x": 500, "y": 100})
    assert axis_of(shown, TRADES) == whole


def test_holding_may_be_left_out(show) -> None:
    shown = show()
    button = shown.chart(EQUITY).locator("[data-layer=hold]")
    before = axis_values(shown)
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert shown.chart(EQUITY).locator(".plot .hold").count() == 0
    assert axis_values(shown) != before


def axis_values(shown: Shown) -> list[str]:
    return shown.chart(EQUITY).locator("svg text[text-anchor=end]").all_text_contents()


def test_the_rolling_sharpe_is_that_of_the_statistics(show, results) -> None:
    shown, moments = show(), Moments()
    for _, gain in results.owners[0].daily[-30:]:
        moments.add(gain)
    sharpe, error = moments.sharpe(), moments.sharpe_error()
    assert sharpe is not None
    assert error is not None
    shown.chart(SHARPE).locator("select").select_option("30")
    told = words.typographic(shown.press(SHARPE, "ArrowLeft"))
    found = [float(one.replace("\u2212", "-")) for one in re.findall(r"\u2212?\d+\.\d\d", told)]
    wanted = (sharpe, sharpe - Z95 * error, sharpe + Z95 * error)
    assert len(found) == 3
    assert all(math.isclose(a, b, abs_tol=0.006) for a, b in zip(found, wanted, strict=True))
    assert "n = 30 days" in told


def test_a_window_longer_than_the_sample_says_so(show, results, chromium, tmp_path) -> None:
    path = tmp_path / "short.html"
    path.write_text(page_of(synthetic(50, names=("a",))))
    context = chromium.new_context()
    shown = Shown(context.new_page(), path.as_uri())
    shown.chart(SHARPE).locator("select").select_option("180")
    assert "needs as many: there are 50" in shown.chart(SHARPE).locator(".plot").text_content()
    context.close()


def test_the_figures_of_a_chart_stand_in_a_table(show, results) -> None:
    shown = show()
    shown.chart(EQUITY).locator("summary").click()
    rows = shown.chart(EQUITY).locator("tbody tr")
    assert rows.count() == len(results.owners[0].monthly)
    assert words.money(results.owners[0].final_equity) in rows.last.text_content()


def test_a_theme_is_chosen_and_kept(show, url) -> None:
    shown = show(scheme="light")
    back = "getComputedStyle(document.documentElement).backgroundColor"
    assert shown.page.evaluate(back) == "rgb(255, 255, 255)"
    shown.page.get_by_label("Theme").select_option("dark")
    assert shown.page.evaluate(back) == "rgb(14, 17, 22)"
    shown.page.goto(url)
    assert shown.page.evaluate(back) == "rgb(14, 17, 22)"


def test_gain_and_loss_may_be_green_and_red(show) -> None:
    shown = show(scheme="dark")
    colour = "getComputedStyle(document.querySelector('.gain')).color"
    shown.page.get_by_label("Gain and loss").select_option("green-red")
    assert shown.page.evaluate(colour) == "rgb(63, 191, 143)"


def test_a_formula_is_told_on_focus_and_hushed_by_escape(show) -> None:
    shown = show()
    term = shown.page.locator(".term").nth(1)
    tip = shown.page.locator(".tip").nth(1)
    term.focus()
    assert tip.is_visible()
    assert "sqrt(365)" in tip.text_content()
    shown.page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_first_tab_leads_past_the_head(show) -> None:
    shown = show()
    shown.page.evaluate("scrollTo(0, 0)")
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate("document.activeElement.className") == "skip"
    names = []
    for _ in range(3):
        shown.page.keyboard.press("Tab")
        names.append(
            shown.page.evaluate("document.activeElement.id || document.activeElement.tagName")
        )
    assert names == ["theme", "pair", "A"]
