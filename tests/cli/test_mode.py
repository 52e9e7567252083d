"""`mode show` and `mode set`: against logs, and with an engine that trades on the simulator."""

import io
import json

import pytest
from tests.cli.conftest import edit
from tests.cli.test_adopt import is_up, running, until
from tests.properties.driver import CASH, PERP, Driver, one_strategy, settings_of

from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import MARKET_INPUTS, RECORD_KIND, OperatorCommand, encode
from plimsoll.engine.authority import hashed
from plimsoll.journal import Journal
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread

WORD = "correct horse"


@pytest.fixture
def log(root):
    """Return a driver of one strategy, and a function that writes its log into the project's."""
    driver = Driver(settings_of(one_strategy(Mode.LIVE, name="ema"))).live()

    def write():
        books = load_books(root)
        with_log = Journal.open(books.journal_dir, books.account, 1)
        for record in (one for one in driver.log if type(one) not in MARKET_INPUTS):
            with_log.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        with_log.close()

    return driver, write


def switch(driver, mode, **args):
    said = {"strategy": "ema", "mode": mode, **args}
    driver.put(OperatorCommand, "c", "anna", "mode", json.dumps(said))


def hold(driver):
    driver.do(lambda s: s.buy(PERP, "0.010"), "ema")
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.execute(order.id, 10, "e1")
    driver.report(order.id, OrderState.FILLED, cum=10)


def test_a_plan_says_what_evidence_allows_and_whether_it_is_the_stages(plimsoll, root, log):
    driver, write = log
    said = {"strategy": "ema", "stage": "candidate", "capital": 300 * CASH, "evidence": "ab" * 32}
    driver.put(OperatorCommand, "s", "anna", "stage", json.dumps(said | {"reason": "earned"}))
    write()
    words = ("mode", "set", "ema", "live", "--plan", "--project", root, "--evidence")
    own = plimsoll(*words, "ab" * 32)
    assert "let ema have at most 300.00 at risk from then on" in own.out
    assert "AGAINST IT" not in own.out
    other = plimsoll(*words, "cd" * 32, "--json").document
    assert "is not the evidence on record" in other["against"][0]


def test_modes_are_shown_with_books_and_who_set_them(plimsoll, root, log):
    driver, write = log
    hold(driver)
    switch(driver, "paper", reason="wide spreads")
    write()
    (one,) = plimsoll("mode", "show", "--project", root, "--json").document["strategies"]
    assert (one["mode"], one["stage"], one["configured"]) == ("paper", "run_off", "live")
    assert (one["live_book"], one["paper_book"]) == ("ema", "ema.paper")
    assert one["holds"] == f"0.010 {PERP}"
    page = plimsoll("mode", "show", "--project", root)
    assert "paper, live book run off" in page.out
    assert "anna (run_off): wide spreads" in page.out
    told = plimsoll("status", "--project", root).out
    assert "ema is paper, live book run off by anna" in told
    assert "live, running off" in told
    assert plimsoll("status", "--project", root, "--json").document["modes"] == [one]
    listed = plimsoll("strategy", "list", "--project", root, "--json").document["strategies"]
    assert [one["switched"] for one in listed if one["name"] == "ema"] == [
        "paper, live book run off"
    ]


def test_what_a_mode_prevents_and_who_said_it_can_be_asked(plimsoll, root, log):
    driver, write = log
    hold(driver)
    switch(driver, "paper", reason="wide spreads")
    write()
    found = plimsoll("why-not", "ema", "--project", root, "--json").document
    assert "run_off" in [one["code"] for one in found["hindrances"]]
    assert "the strategy is paper" in plimsoll("why-not", "ema", "--project", root).out
    story = plimsoll("why", "ema", "--project", root).out
    assert "ema goes to paper (run_off) by anna: wide spreads" in story


def test_an_override_is_shown_as_unproven_with_its_cap(plimsoll, root, log):
    driver, write = log
    switch(driver, "paper")
    switch(driver, "live", override=True, capital=200 * CASH, reason="a try")
    write()
    told = plimsoll("status", "--project", root).out
    assert "ema is live, UNPROVEN by anna: a try, at most 200 at risk" in told
    assert "live, UNPROVEN" in plimsoll("mode", "show", "--project", root).out


def test_a_plan_changes_nothing_and_tells_everything_that_stands_against(plimsoll, root, log):
    driver, write = log
    hold(driver)
    switch(driver, "paper")
    write()
    where = ("--project", root, "--plan", "--json")
    up = plimsoll("mode", "set", "ema", "live", *where).document
    assert len(up["against"]) >= 2
    assert "no evidence" in up["against"][0]
    assert any("still holds 0.010" in one for one in up["against"])
    down = plimsoll("mode", "set", "ema", "paper", "--policy", "hand_over", *where).document
    assert (down["to"]["stage"], down["holds"], down["against"]) == (
        "handed_over", f"0.010 {PERP}", [],
    )  # fmt: skip
    page = plimsoll("mode", "set", "ema", "live", "--project", root, "--plan")
    assert page.out.count("AGAINST IT") == len(up["against"])
    assert page.code == Exit.DONE


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("nobody", "paper"), Exit.USAGE, "no-strategy"),
        (("ema", "live", "--override", "--capital", "much"), Exit.USAGE, "usage"),
        (("ema", "backtest"), Exit.USAGE, "usage"),
        (("ema", "paper", "--policy", "drop"), Exit.USAGE, "usage"),
        (("ema", "paper", "--policy", "flatten"), Exit.UNREACHABLE, "no-engine"),
    ],
)
def test_mistakes_are_told_with_documented_codes(plimsoll, root, log, words, code, error):
    _driver, write = log
    write()
    ran = plimsoll("mode", "set", *words, "--project", root, "--json")
    assert (ran.code, ran.error["code"]) == (code, error)


def test_without_a_log_there_is_nothing_to_switch(plimsoll, root):
    ran = plimsoll("mode", "show", "--project", root, "--json")
    assert (ran.code, ran.error["code"]) == (Exit.UNREACHABLE, "no-engine")


def test_what_is_so_already_is_no_mistake(plimsoll, root, log):
    driver, write = log
    switch(driver, "paper")
    write()
    ran = plimsoll("mode", "set", "ema", "paper", "--project", root, "--json")
    assert (ran.code, ran.document["changed"]) == (Exit.DONE, False)
    assert "already" in plimsoll("mode", "set", "ema", "paper", "--project", root).out


# ---- with an engine ----


@pytest.fixture
def exchange(tmp_path):
    with SimulatorThread(SimSettings(directory=str(tmp_path / "sim"), limits="off")) as one:
        yield one


def typed(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_strategy_goes_down_and_up_again_and_its_restart_remembers(
    plimsoll, project, exchange, monkeypatch
):
    kept = project / "secrets" / "operator"
    kept.write_text(hashed(WORD, b"salt"))
    kept.chmod(0o600)
    main = project / "plimsoll.toml"
    main.write_text(main.read_text() + '\n[operator]\npassphrase = "file:secrets/operator"\n')
    where = ("--project", project, "--json")
    with running(project):
        until("the first comparison", lambda: is_up(plimsoll, project))
        down = plimsoll("mode", "set", "ema", "paper", "--policy", "flatten", *where)
        assert (down.code, down.document["stage"]) == (Exit.DONE, "none")
        bare = plimsoll("mode", "set", "ema", "live", *where)
        assert (bare.code, bare.error["code"]) == (Exit.REFUSED, "refused")
        assert "no evidence" in bare.error["message"]
        words = ("mode", "set", "ema", "live", "--override", "--capital", "50USDT", "--reason", "x")
        typed(monkeypatch, "wrong\n")
        assert plimsoll(*words, *where).code == Exit.REFUSED
        typed(monkeypatch, "")
        assert plimsoll(*words, *where).code == Exit.CREDENTIALS

        def up():
            typed(monkeypatch, f"{WORD}\n")
            ran = plimsoll(*words, *where)
            return ran if ran.code == Exit.DONE else None  # after the pause for the wrong one

        assert until("the right passphrase", up).document["unproven"] is True
    with running(project):  # it was killed
        until("the next comparison", lambda: is_up(plimsoll, project))
        found = plimsoll("mode", "show", *where).document["strategies"]
        ema = next(one for one in found if one["strategy"] == "ema")
        assert (ema["words"], ema["cap"]) == ("live, UNPROVEN", "50")


def test_a_project_on_paper_runs_without_any_key(plimsoll, project, exchange):
    text = (project / "plimsoll.toml").read_text()
    text = text.replace('mode = "live"', 'mode = "paper"')
    keys = [line for line in text.splitlines() if line.startswith(("key =", "secret ="))]
    assert keys
    for line in keys:
        text = text.replace(f"{line}\n", "")
    (project / "plimsoll.toml").write_text(text)

    def trades():
        ran = plimsoll("status", "--project", project, "--json")
        if not ran.out or ran.err:
            return None
        counts = ran.document["counts"]
        return ran.document if counts.get("paper-fill") and counts.get("checkpoint") else None

    with running(project):
        found = until("a fill on paper", trades, 60.0)
        assert "private" not in found["links"]
        assert "sent" not in found["counts"]
        page = plimsoll("mode", "set", "ema", "live", "--plan", "--project", project)
        assert "this engine has no key" in page.out


def test_a_hybrid_is_announced_and_checked(plimsoll, root):
    edit(root, 'name = "ema"', 'name = "ema"\nlive_capital = "1_000_000_000 USDT"')
    ran = plimsoll("config", "check", "--project", root, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert "strategy.ema.live_capital" in ran.err
