"""`stats`, `graduate` and its decisions, on logs whose figures are known and a listening socket."""

import hashlib
import json
import stat

import msgspec
import pytest
from tests.cli.test_control import accept, listening, refuse
from tests.properties.driver import CASH
from tests.track.log import HASH, UNITS_A_TICK, Log, strategy

from plimsoll.cli.exits import Exit
from plimsoll.cli.graduating import evidence_dir
from plimsoll.config.books import load_books
from plimsoll.core.execution.graduation import DEFAULTS, SCREENS, Betting, DayRow, summary_of
from plimsoll.core.model import LiveStage, Mode
from plimsoll.core.records import RECORD_KIND, ModeSet, encode
from plimsoll.journal import Journal

CAPITAL = 1_000 * CASH
GOOD = ((9_000, -1_000, 2_000), (-2_500,))
"""Round trips, ticks each, of two days; a tick is a millionth of capital."""


def write(root, log: Log) -> None:
    books = load_books(root)
    for epoch in range(1, log.epoch + 1):
        journal = Journal.open(books.journal_dir, books.account, epoch)
        for record in (one for one in log.records if one.epoch == epoch):
            journal.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        journal.close()


def paper(days=60) -> Log:
    log = Log().begin(strategy(), strategy("mean"))
    log.measure()
    log.equity(10_000 * CASH)
    return log.days(*(GOOD * days)[:days])


def candidate(days=120) -> Log:
    log = Log().begin(strategy(mode=Mode.LIVE))
    log.measure()
    log.equity(10_000 * CASH)
    log.staged("candidate", capital=100 * CASH)
    return log.days(*(GOOD * days)[:days])


@pytest.fixture
def desk(root):
    def made(log: Log):
        write(root, log)
        return root

    return made


def files(root):
    folder = evidence_dir(load_books(root))
    return sorted(folder.iterdir()) if folder.exists() else []


# ---- stats ----


def test_statistics_are_those_of_the_days(plimsoll, desk):
    log = paper()
    root = desk(log)
    found = plimsoll("stats", "ema", "--project", root, "--json").document
    (one,) = found["strategies"]
    share = UNITS_A_TICK / CAPITAL
    gains = [sum(trips) * share for trips in (GOOD * 30)]
    assert [day["return"] for day in one["days"]] == pytest.approx(gains)
    wanted = summary_of([DayRow(nth, gain, 1, 1, 0) for nth, gain in enumerate(gains)])
    metrics = one["metrics"]
    assert metrics["sharpe"]["value"] == pytest.approx(wanted.sharpe)
    assert metrics["sharpe"]["n"] == 60
    assert metrics["trips"]["value"] == 120
    assert metrics["profit_factor"]["value"] == pytest.approx(11_000 / 3_500)
    assert metrics["execution_success"]["value"] == 1
    assert metrics["var_95"] == {
        "value": None, "unit": "share", "n": 60, "reason": "60 of 250 days",
    }  # fmt: skip
    assert one["mode"] == "paper"
    assert found["last_seq"] == len(log.records)


def test_a_sharpe_of_few_days_is_a_dash(plimsoll, desk):
    ran = plimsoll("stats", "--project", desk(paper(12)))
    assert ran.code == Exit.DONE
    (sharpe, _) = [line for line in ran.out.splitlines() if line.strip().startswith("Sharpe")]
    assert sharpe.split() == ["Sharpe", "-", "12", "12", "of", "30", "days"]
    assert "95 % interval" not in ran.out
    assert "mean  paper" in ran.out


def test_a_name_nobody_has_is_refused_with_the_nearest(plimsoll, desk):
    root = desk(paper(2))
    for words in (("stats", "emma"), ("graduate", "emma"), ("graduate", "approve", "emma")):
        ran = plimsoll(*words, "--project", root, "--json", *(["--plan"] * (len(words) == 3)))
        assert (ran.code, ran.error["code"]) == (Exit.USAGE, "not-found")
        assert ran.error["hint"] == "did you mean ema?"


def test_a_project_that_never_ran_says_so(plimsoll, root):
    for words in (("stats",), ("graduate",), ("graduate", "approve", "ema", "--plan")):
        ran = plimsoll(*words, "--project", root, "--json")
        assert (ran.code, ran.error["code"]) == (Exit.CONFIGURATION, "no-journal")


# ---- graduate ----


def hybrid(days=60, *, is_candidate: bool) -> Log:
    log = Log().begin(strategy())
    log.measure()
    log.equity(10_000 * CASH)
    if is_candidate:
        log.staged("candidate", capital=100 * CASH)
    said = ("ema", Mode.HYBRID, LiveStage.LIVE, "", 100 * CASH, HASH, "anna", "x")
    log.put(ModeSet, *said)
    log.measure("ema", "ema.live")
    return log.days(*(GOOD * days)[:days])


@pytest.mark.parametrize(("is_candidate", "book"), [(False, "ema"), (True, "ema.live")])
def test_a_strategy_has_one_entry_and_the_book_that_counts(plimsoll, desk, is_candidate, book):
    root = desk(hybrid(is_candidate=is_candidate))
    (one,) = plimsoll("graduate", "--project", root, "--json").document["strategies"]
    assert (one["strategy"], one["book"], one["mode"]) == ("ema", book, "hybrid")
    assert one["unproven"] is not is_candidate
    asked = plimsoll("graduate", "ema.live", "--project", root, "--json")
    assert (asked.code, asked.error["hint"]) == (Exit.USAGE, "did you mean ema?")
    both = plimsoll("stats", "ema", "--project", root, "--json").document["strategies"]
    assert [one["strategy"] for one in both] == ["ema", "ema.live"]


def test_the_ramp_of_a_capped_book_is_of_what_its_strategy_is_configured_with(plimsoll, desk):
    root = desk(hybrid(is_candidate=True))
    (one,) = plimsoll("graduate", "--project", root, "--json").document["strategies"]
    capitals = [float(step["capital"]) for step in one["ramp"]["steps"]]
    assert capitals == [250, 500, 1_000, 1_000]


def test_the_screen_is_shown_row_by_row_with_what_it_is_worth(plimsoll, desk):
    ran = plimsoll("graduate", "ema", "--project", desk(paper()))
    assert ran.code == Exit.DONE
    assert "a screen against broken strategies, not evidence of edge" in ran.out
    lines = ran.out.splitlines()
    for need in SCREENS["candidate"]:
        assert any(line.strip().startswith(need.label) for line in lines), need
    assert "stage      paper (nobody decided)" in ran.out
    assert "unknown  not checked: `plimsoll graduate ema --check`" in ran.out
    assert "the screen is not passed (unknown: paper and backtest decide alike)" in ran.out
    assert "ramp" not in ran.out


def test_json_and_text_tell_the_same(plimsoll, desk):
    root = desk(candidate())
    (one,) = plimsoll("graduate", "--project", root, "--json").document["strategies"]
    test = Betting(DEFAULTS.day_loss)
    for trips in (GOOD * 60)[1:]:  # the day of the decision does not count
        test.add(sum(trips) * UNITS_A_TICK / CAPITAL)
    assert one["stage"] == "candidate"
    assert one["test"]["best"] == pytest.approx(test.best)
    assert one["test"]["days"] == 119
    assert one["test"]["wanted"] == 2
    assert (one["goal"], one["goal_step"]) == ("live", 1)
    assert one["evidence_file"] == "missing"
    text = plimsoll("graduate", "--project", root).out
    assert f"evidence {test.best:.2f} at most" in text
    assert "evidence   missing" in text


def test_the_plan_shows_the_ramp_and_the_money_at_risk(plimsoll, desk):
    root = desk(candidate())
    ran = plimsoll("graduate", "ema", "--plan", "--project", root)
    assert "smallest order needs a capital of 100.00" in ran.out
    assert "inside 2% of equity 10,000.00" in ran.out
    (one,) = plimsoll("graduate", "ema", "--project", root, "--json").document["strategies"]
    steps = one["ramp"]["steps"]
    assert [step["capital"] for step in steps] == ["100", "500", "1000", "1000"]
    assert [step["at_risk"] for step in steps] == ["20", "100", "200", "200"]


def test_an_account_nobody_measured_has_no_ramp(plimsoll, desk):
    log = Log().begin(strategy())
    log.measure()
    ran = plimsoll("graduate", "--plan", "--project", desk(log.days(*GOOD)))
    assert "the account's equity was never measured" in ran.out


def test_money_that_no_evidence_stands_behind_is_shown_as_unproven(plimsoll, desk):
    log = Log().begin(strategy(mode=Mode.LIVE))
    log.measure()
    root = desk(log.days(*GOOD))
    assert "UNPROVEN" in plimsoll("graduate", "--project", root).out
    (one,) = plimsoll("graduate", "--project", root, "--json").document["strategies"]
    assert one["unproven"] is True


def test_what_cannot_be_reached_says_so(plimsoll, desk):
    log = Log().begin(strategy())
    log.measure()
    ran = plimsoll("graduate", "--project", desk(log.days((100,), *[()] * 40)))
    assert "UNREACHABLE: 2,009 more days at 0.024 a day, beyond the horizon of 365" in ran.out


def test_a_demotion_names_its_cause_and_the_policy(plimsoll, desk):
    log = candidate(40)
    ran = plimsoll("graduate", "--project", desk(log.days((-90_000,), (-90_000,), (-90_000,))))
    assert "ENDS       drawdown: fell by " in ran.out
    assert "plimsoll graduate move ema under_review" in ran.out
    assert "plimsoll mode set ema paper --policy flatten" in ran.out


# ---- decisions ----


def test_an_approval_writes_evidence_and_sends_its_hash(plimsoll, desk):
    log = paper()
    root = desk(log)
    with listening(root, accept) as asked:
        ran = plimsoll(
            *("graduate", "approve", "ema", "--project", root, "--waive", "agreement"),
            *("--reason", "sixty good days"),
        )
    assert ran.code == Exit.DONE, ran.err
    (path,) = files(root)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    (command,) = asked
    assert command.cmd == "stage"
    wanted = {
        "strategy": "ema", "stage": "candidate", "step": 0, "capital": 100 * CASH,
        "evidence": digest, "reason": "sixty good days",
    }  # fmt: skip
    assert wanted.items() <= command.args.items()
    assert path.name == f"ema-{digest[:16]}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"plimsoll mode set ema live --evidence {digest} --project {root}\n" in ran.out
    assert "with 100 USDT at most:" in ran.out
    assert "ema is candidate at seq 42" in ran.out
    found = json.loads(content)
    assert found["waived"] == ["agreement"]
    assert found["reason"] == "sixty good days"
    assert found["user"] == command.actor
    assert (found["since_seq"], found["last_seq"], found["log_seq"]) == (
        2,
        len(log.records) - 1,
        len(log.records),
    )
    assert found["defaults"] == json.loads(msgspec.json.encode(DEFAULTS))
    assert found["expected_ppb"] == command.args["expected_ppb"]


def test_every_figure_of_the_evidence_can_be_worked_out_from_its_days(plimsoll, desk):
    root = desk(paper())
    ran = plimsoll(
        *("graduate", "approve", "ema", "--project", root, "--waive", "agreement", "--plan")
    )
    found = json.loads(ran.out)
    rows = [
        DayRow(nth, **{key: value for key, value in day.items() if key != "day"})
        for nth, day in enumerate(found["days"])
    ]
    again = summary_of(rows)
    assert again.sharpe == found["summary"]["sharpe"]
    assert again.drawdown == found["summary"]["drawdown"]
    test = Betting(found["defaults"]["day_loss"])
    for row in rows:
        test.add(row.gain)
    assert test.best == found["test"]["best"]
    assert files(root) == []


def test_what_is_not_earned_is_refused_and_leaves_nothing(plimsoll, desk):
    root = desk(paper())
    with listening(root, accept) as asked:
        ran = plimsoll(
            *("graduate", "approve", "ema", "--project", root, "--json", "--reason", "now")
        )
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "not-earned")
    assert "unknown: paper and backtest decide alike" in ran.error["message"]
    assert (asked, files(root)) == ([], [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--waive", "sharpe", "--reason", "x"), "answers for no figure"),
        (("--waive", "agreement"), "says why"),
        (("--reason", "x", "--equity", "much"), "--equity: expected"),
        (("--reason", "x", "--equity", "0 USDT"), "nothing to risk"),
    ],
)
def test_an_approval_that_makes_no_sense_is_refused(plimsoll, desk, words, said):
    root = desk(paper())
    ran = plimsoll("graduate", "approve", "ema", "--project", root, "--json", *words)
    assert (ran.code, ran.error["code"]) == (Exit.USAGE, "usage")
    assert said in ran.error["message"]


def test_without_an_engine_no_evidence_is_left(plimsoll, desk):
    root = desk(paper())
    ran = plimsoll(
        *("graduate", "approve", "ema", "--project", root, "--json", "--waive", "agreement"),
        *("--reason", "x"),
    )
    assert (ran.code, ran.error["code"]) == (Exit.UNREACHABLE, "no-engine")
    assert files(root) == []


def test_an_engine_that_refuses_leaves_no_evidence(plimsoll, desk):
    root = desk(paper())
    with listening(root, refuse):
        ran = plimsoll(
            *("graduate", "approve", "ema", "--project", root, "--json", "--waive", "agreement"),
            *("--reason", "x"),
        )
    assert (ran.code, ran.error["message"]) == (Exit.REFUSED, "the engine refused: not now")
    assert files(root) == []


def test_an_equity_nobody_measured_must_be_stated(plimsoll, desk):
    log = Log().begin(strategy())
    log.measure()
    root = desk(log.days(*(GOOD * 30)))
    words = ("graduate", "approve", "ema", "--project", root, "--json", "--waive", "agreement")
    ran = plimsoll(*words, "--reason", "x")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "no-equity")
    ran = plimsoll(*words, "--plan", "--equity", "10_000 USDT")
    assert ran.code == Exit.DONE
    assert ran.document["equity_stated"] is True


def test_evidence_that_was_touched_shows(plimsoll, root):
    books = load_books(root)
    evidence_dir(books).mkdir(parents=True)
    content = b"{}\n"
    digest = hashlib.sha256(content).hexdigest()
    path = evidence_dir(books) / f"ema-{digest[:16]}.json"
    path.write_bytes(content)
    log = Log().begin(strategy(mode=Mode.LIVE))
    log.measure()
    log.staged("candidate", evidence=digest)
    write(root, log.days(*GOOD))
    assert "evidence   intact" in plimsoll("graduate", "--project", root).out
    path.write_bytes(b"{ }\n")
    assert "evidence   CHANGED" in plimsoll("graduate", "--project", root).out
    assert digest != HASH


def test_a_step_of_the_ramp_is_approved_by_the_same_command(plimsoll, desk):
    log = candidate()
    log.staged("live", 1, capital=500 * CASH, expected_ppb=5)
    log.days(*(GOOD * 20))
    root = desk(log)
    with listening(root, accept) as asked:
        ran = plimsoll("graduate", "approve", "ema", "--project", root, "--reason", "on", "--json")
    assert ran.code == Exit.DONE, ran.err
    assert ran.document["step"] == asked[0].args["step"] == 2
    assert asked[0].args["stage"] == "live"


def test_a_move_needs_no_evidence(plimsoll, root):
    with listening(root, accept) as asked:
        ran = plimsoll(
            *("graduate", "move", "ema", "under_review", "--project", root, "--reason", "odd")
        )
    assert ran.code == Exit.DONE
    assert asked[0].args == {"strategy": "ema", "stage": "under_review", "reason": "odd"}
    assert "live book goes to paper now" in ran.out


@pytest.mark.parametrize("stage", ["candidate", "live", "nowhere"])
def test_no_move_leads_to_real_money(plimsoll, root, stage):
    ran = plimsoll("graduate", "move", "ema", stage, "--project", root, "--reason", "x", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.USAGE, "usage")


def test_a_move_says_why(plimsoll, root):
    ran = plimsoll("graduate", "move", "ema", "paper", "--project", root, "--json")
    assert (ran.code, ran.error["message"]) == (Exit.USAGE, "a decision says why")
