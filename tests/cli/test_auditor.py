"""The auditor as its users meet it: what it prints, what it exits with, what `status` shows."""

import json
import signal
import subprocess
import sys

import msgspec
import pytest
from tests.auditor.test_audit import append, hashes, traded
from tests.simulation.live import wait_for

from plimsoll.auditor import read_verdict
from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.journal import Journal


@pytest.fixture
def books(root):
    return load_books(root, environ={})


def write(books, records):
    journal = Journal.open(books.journal_dir, books.account, 1)
    append(journal, records)
    journal.close()


def forged():
    driver = traded()
    last = hashes(driver)[-1]
    return [
        msgspec.structs.replace(one, books_hash="f" * 32) if one is last else one
        for one in driver.log
    ], last


def test_once_it_tells_how_far_the_books_agree(plimsoll, books):
    write(books, traded().log)
    ran = plimsoll("auditor", "--once", "--project", books.root, "--json")
    assert ran.code == Exit.DONE
    found = ran.document["auditor"]
    assert (found["running"], found["finding"], found["behind"]) == (False, None, 0)
    assert found["books_checked"] >= 3
    told = plimsoll("status", "--project", books.root)
    assert "auditor    not running; books agree up to seq" in told.out
    assert "logs       trading " in told.out
    assert "GB free" in told.out


def test_a_finding_ends_it_loudly_and_stands_until_it_is_forgotten(plimsoll, books):
    records, last = forged()
    write(books, records)
    ran = plimsoll("auditor", "--once", "--project", books.root)
    assert ran.code == Exit.FINDINGS
    told = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
    assert (told[-1]["event"], told[-1]["level"]) == ("audit finding", "critical")
    assert told[-1]["seq"] == last.seq
    shown = plimsoll("status", "--project", books.root)
    assert shown.code == Exit.UNHEALTHY
    assert f"FOUND books at seq {last.seq:,}" in shown.out
    document = plimsoll("status", "--project", books.root, "--json").document
    assert document["auditor"]["finding"]["code"] == "books"
    assert plimsoll("auditor", "--once", "--project", books.root).code == Exit.FINDINGS
    again = plimsoll("auditor", "--once", "--forget", "--from-start", "--project", books.root)
    assert again.code == Exit.FINDINGS, "it is still there"
    for path in (books.journal_dir / "trading").iterdir():
        path.unlink()
    write(books, traded().log)
    assert plimsoll("auditor", "--once", "--project", books.root).code == Exit.FINDINGS
    assert plimsoll("auditor", "--once", "--forget", "--project", books.root).code == Exit.DONE
    assert "FOUND" not in plimsoll("status", "--project", books.root).out


def test_a_damaged_log_and_one_of_another_release_are_findings_with_words(plimsoll, books):
    write(books, traded().log)
    path = next((books.journal_dir / "trading").glob("*.seg"))
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert plimsoll("auditor", "--once", "--project", books.root).code == Exit.FINDINGS
    verdict = read_verdict(books.layout.run_dir)
    assert verdict is not None
    assert verdict.finding is not None
    assert verdict.finding.code == "damage"
    assert "damaged at byte" in plimsoll("status", "--project", books.root).err
    path.write_bytes(whole)
    journal = Journal.open(books.journal_dir, books.account, 2)
    journal.trading(10_000_000, 1, 1, b"\x91\xa7unknown")
    journal.close()
    ran = plimsoll("auditor", "--once", "--forget", "--project", books.root)
    assert ran.code == Exit.FINDINGS
    assert "record 10000000 is none that this release knows" in ran.err
    shown = plimsoll("status", "--project", books.root, "--json")
    assert shown.code == Exit.UNHEALTHY
    assert shown.error["code"] == "journal-unreadable"


def test_it_follows_until_a_signal_and_a_second_one_is_refused(plimsoll, books):
    run_dir = books.layout.run_dir
    process = subprocess.Popen(
        [sys.executable, "-m", "plimsoll.cli", "auditor", "--project", str(books.root)],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("its first word", lambda: read_verdict(run_dir) is not None)
        write(books, traded().log)
        wait_for("the books", lambda: (one := read_verdict(run_dir)) and one.books_checked >= 3)
        assert "auditor    running" in plimsoll("status", "--project", books.root).out
        second = plimsoll("auditor", "--once", "--project", books.root)
        assert second.code == Exit.REFUSED
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == Exit.TERMINATED
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert "auditor    not running" in plimsoll("status", "--project", books.root).out
