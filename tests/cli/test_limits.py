"""`limits`, `breakers` and `operator passphrase` against a log and a listening socket."""

import io
import json
import stat

import msgspec
import pytest
from tests.cli.conftest import edit
from tests.cli.test_control import accept, listening, refuse
from tests.properties.driver import CASH, PERP, WIDE, Driver, execution_of, settings_of

from plimsoll.cli.exits import Exit
from plimsoll.config import Layout
from plimsoll.config.books import load_books
from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import MARKET_INPUTS, RECORD_KIND, OperatorCommand, encode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings
from plimsoll.engine.authority import matches
from plimsoll.journal import Journal


@pytest.fixture
def log(root):
    """Return a driver, and a function that writes what it did into the project's log."""
    limits = msgspec.structs.replace(WIDE, open_orders=9)
    driver = Driver(settings_of(limits=limits, breakers=BreakerSettings())).live()

    def write():
        books = load_books(root)
        with_log = Journal.open(books.journal_dir, books.account, 1)
        for record in (one for one in driver.log if type(one) not in MARKET_INPUTS):
            with_log.trading(record.seq, record.ts_ns, RECORD_KIND, encode(record))
        with_log.close()

    return driver, write


def typed(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def change(driver, key, value):
    args = json.dumps({"scope": "account", "key": key, "value": value})
    driver.put(OperatorCommand, "l", "anna", "limits", args)


# ---- limits ----


def test_limits_in_force_are_shown_with_what_was_changed(plimsoll, root, log):
    driver, write = log
    change(driver, "order_notional", 400 * CASH)
    write()
    ran = plimsoll("limits", "show", "--project", root, "--json")
    found = {row["key"]: row for row in ran.document["limits"]}
    assert found["limits.order_notional"] == {
        "key": "limits.order_notional", "value": "400", "changed": True,
    }  # fmt: skip
    assert found["limits.open_orders"]["value"] == "9"
    assert "limits.margin" not in found
    assert "changed while running" in plimsoll("limits", "show", "--project", root).out


def test_lowering_a_limit_needs_nothing(plimsoll, root, log):
    log[1]()
    with listening(root, accept) as asked:
        ran = plimsoll(
            *("limits", "set", "order_notional", "500 USDT", "--project", root),
            *("--reason", "thin books"),
        )
    assert ran.code == Exit.DONE
    assert "limits.order_notional is 500 at seq 42" in ran.out
    assert (asked[0].cmd, asked[0].proof) == ("limits", None)
    assert asked[0].args == {
        "scope": "account", "key": "order_notional", "value": 500 * CASH, "reason": "thin books",
    }  # fmt: skip


def test_raising_one_takes_the_passphrase_and_puts_it_nowhere_else(
    plimsoll, root, log, monkeypatch
):
    log[1]()
    typed(monkeypatch, "correct horse\nmore\n")
    proofs = []

    async def vet(command):
        proofs.append(command.proof)
        return ""

    with listening(root, accept, vet=vet) as asked:
        ran = plimsoll("limits", "set", "open_orders", "10", "--project", root)
    assert ran.code == Exit.DONE
    assert proofs == ["correct horse"]
    assert asked[0].proof == ""
    assert "horse" not in f"{ran.out}{ran.err}{asked[0]}"


def test_raising_one_without_a_passphrase_is_refused_before_anything_is_sent(
    plimsoll, root, log, monkeypatch
):
    log[1]()
    typed(monkeypatch, "")
    with listening(root, accept) as asked:
        ran = plimsoll("limits", "set", "open_orders", "10", "--project", root)
    assert (ran.code, asked) == (Exit.CREDENTIALS, [])


def test_a_limit_of_an_instance_or_an_instrument(plimsoll, root, log):
    log[1]()
    with listening(root, accept) as asked:
        for words in (
            ("drawdown", "5 %", "--strategy", "s"),
            ("order_qty", "0.05", "--instrument", PERP),
        ):
            assert plimsoll("limits", "set", *words, "--project", root).code == Exit.DONE
    assert [(one.args["scope"], one.args["value"]) for one in asked] == [
        ("s", 50_000), (PERP, 5_000_000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("expozure", "1"), "there is no limit"),
        (("exposure", "much"), "expected an amount of money"),
        (("open_orders", "1.5"), "expected a whole number"),
        (("margin", "5 %", "--strategy", "s"), "of: the account"),
        (("exposure", "1", "--strategy", "nobody"), "no instance is called"),
        (("exposure", "1", "--strategy", "s", "--instrument", PERP), "or of an instrument"),
        (("exposure", "1", "--instrument", "BTC"), "is no instrument"),
    ],
)
def test_what_cannot_be_set_is_told(plimsoll, root, log, words, told):
    log[1]()
    ran = plimsoll("limits", "set", *words, "--project", root)
    assert ran.code == Exit.USAGE
    assert told in ran.err


def test_the_engines_refusal_and_its_absence_are_told(plimsoll, root, log):
    log[1]()
    words = ("limits", "set", "open_orders", "1", "--project", root)
    assert plimsoll(*words).code == Exit.UNREACHABLE
    with listening(root, refuse):
        ran = plimsoll(*words)
    assert ran.code == Exit.REFUSED
    assert "not now" in ran.err


# ---- breakers ----


def test_breakers_list_what_has_tripped_and_preview_the_orders_of_each(plimsoll, root, log):
    driver, write = log
    entry = driver.open_order()
    driver.say(execution_of("x1", "by-hand", Side.BUY, 5))
    write()
    ran = plimsoll("breakers", "--project", root, "--json")
    assert ran.code == Exit.UNHEALTHY
    assert [(one["breaker"], one["scope"]) for one in ran.document["tripped"]] == [
        ("unasked_fill", PERP)
    ]
    listed = {(one["breaker"], one["scope"]): one for one in ran.document["breakers"]}
    assert {name for name, _ in listed} == set(BREAKERS)
    assert listed["drawdown", "account"]["cancels"] == [entry.id]
    assert listed["drawdown", "s"]["cancels"] == [entry.id]
    assert listed["volatility", PERP]["cancels"] == []
    assert listed["volatility", PERP]["stops"] == ["s"]
    assert ("slippage", f"s/{PERP}") in listed
    assert entry.state is OrderState.OPEN, "a preview touches nothing"
    ran = plimsoll("breakers", "--project", root)
    assert f"TRIPPED    unasked_fill of {PERP}" in ran.out
    assert "armed by a person" in ran.out
    status = plimsoll("status", "--project", root, "--json")
    assert (status.code, status.document["tripped"]) == (Exit.UNHEALTHY, [f"unasked_fill {PERP}"])


def test_no_breaker_has_tripped(plimsoll, root, log):
    log[1]()
    ran = plimsoll("breakers", "--project", root)
    assert ran.code == Exit.DONE
    assert ran.out.startswith("no breaker has tripped")


def test_a_reset_reaches_the_engine_with_its_reason(plimsoll, root, log):
    driver, write = log
    driver.say(execution_of("x1", "by-hand", Side.BUY, 5))
    write()
    words = ("breakers", "reset", "unasked_fill", PERP, "--project", root, "--reason", "by phone")
    assert plimsoll(*words).code == Exit.UNREACHABLE
    with listening(root, accept) as asked:
        ran = plimsoll(*words)
    assert ran.code == Exit.DONE
    assert asked[0].args == {"breaker": "unasked_fill", "scope": PERP, "reason": "by phone"}


def test_what_has_not_tripped_cannot_be_reset(plimsoll, root, log):
    log[1]()
    ran = plimsoll("breakers", "reset", "margin", "account", "--project", root)
    assert ran.code == Exit.USAGE
    assert "in force: none" in ran.err


# ---- the passphrase ----


def test_a_passphrase_leaves_only_its_hash(plimsoll, root, monkeypatch):
    typed(monkeypatch, "correct horse\n")
    ran = plimsoll("operator", "passphrase", "--project", root)
    assert ran.code == Exit.DONE
    path = root / "secrets" / "operator"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert matches("correct horse", path.read_text())
    assert "horse" not in path.read_text() + ran.out + ran.err
    assert 'passphrase = "file:secrets/operator"' in ran.out
    edit(root, "[limits]", '[operator]\npassphrase = "file:secrets/operator"\n\n[limits]')
    assert plimsoll("config", "check", "--project", root).code == Exit.DONE
    path.write_text("correct horse\n")
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert "operator.passphrase" in ran.err
    assert "horse" not in ran.err


def test_a_short_passphrase_is_refused(plimsoll, root, monkeypatch):
    typed(monkeypatch, "1234567\n")
    assert plimsoll("operator", "passphrase", "--project", root).code == Exit.USAGE
    assert not (Layout.of(root).root / "secrets" / "operator").exists()
