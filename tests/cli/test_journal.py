"""What stands against a start on a journal, what `journal verify` names, and the way out."""

import json

import pytest
from tests.auditor.test_audit import append, traded

from plimsoll.auditor import AUDIT_FILE
from plimsoll.cli.exits import Exit
from plimsoll.config.books import load_books
from plimsoll.journal import Journal, JournalSettings
from plimsoll.journal.layout import HEADER_BYTES
from plimsoll.lease import read_epoch, take

SMALL = JournalSettings(trading_segment_bytes=8192, market_segment_bytes=8192)


@pytest.fixture
def books(root):
    """Return the books of a project whose simulator does not run: nothing gets that far."""
    path = root / "plimsoll.toml"
    path.write_text(path.read_text().replace("var/sim/sim.json", "127.0.0.1:1"))
    return load_books(root, environ={})


def write(books, account="", epoch=1):
    journal = Journal.open(books.journal_dir, account or books.account, epoch, SMALL)
    append(journal, traded().log)
    journal.close()
    return sorted((books.journal_dir / "trading").glob("*.seg"))


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x04
    path.write_bytes(content)


def refused(plimsoll, books, *words):
    ran = plimsoll("run", "--project", books.root)
    assert ran.code == Exit.REFUSED, ran.err
    assert "Traceback" not in ran.err
    for word in words:
        assert str(word) in ran.err, ran.err
    return ran


def test_a_journal_of_another_account_is_refused(plimsoll, books):
    write(books, account="somebody")
    refused(plimsoll, books, "'somebody'", f"'{books.account}'", "check the configured account")


def test_an_unknown_format_is_refused(plimsoll, books, monkeypatch):
    monkeypatch.setattr("plimsoll.journal.layout.VERSION", 7)
    path = write(books)[0]
    monkeypatch.undo()
    refused(plimsoll, books, path, "reads format 1, found 7")


def test_a_missing_segment_is_refused(plimsoll, books):
    paths = write(books)
    assert len(paths) > 2
    paths[1].unlink()
    refused(plimsoll, books, "a segment is missing")


def test_a_flipped_bit_is_refused_and_verify_names_the_record(plimsoll, books):
    path = write(books)[1]
    flip(path, HEADER_BYTES + 40)
    refused(plimsoll, books, path, f"byte {HEADER_BYTES}", "after seq")
    ran = plimsoll("journal", "verify", "--project", books.root)
    assert ran.code == Exit.FINDINGS
    assert f"{path} byte {HEADER_BYTES}, after seq" in ran.out
    assert "DAMAGED" in ran.out
    found = plimsoll("journal", "verify", "--project", books.root, "--json").document
    (damage, *_) = found["logs"][0]["damage"]
    assert (damage["file"], damage["offset"]) == (str(path), HEADER_BYTES)
    assert damage["seq"] > 0


def test_a_truncated_finished_segment_is_refused(plimsoll, books):
    path = write(books)[0]
    path.write_bytes(path.read_bytes()[:-100])
    refused(plimsoll, books, path, "after seq")


def test_records_of_another_release_are_refused(plimsoll, books):
    write(books)
    journal = Journal.open(books.journal_dir, books.account, 2, SMALL)
    journal.trading(10**7, 1, 1, b"\x91\xa7unknown")
    journal.close()
    refused(plimsoll, books, "record 10000000 is none that this release knows")


def test_rebuild_tells_what_is_lost_and_changes_nothing_unless_confirmed(plimsoll, books):
    write(books)
    before = sorted(books.journal_dir.rglob("*"))
    ran = plimsoll("journal", "rebuild", "--project", books.root)
    assert ran.code == Exit.REFUSED
    assert "taken over as foreign" in ran.err
    assert "nothing was changed" in ran.err
    assert sorted(books.journal_dir.rglob("*")) == before
    assert not books.layout.run_dir.exists()


def test_rebuild_keeps_the_old_journal_the_epoch_above_and_a_standing_halt(plimsoll, books):
    path = write(books, epoch=6)[0]
    flip(path, HEADER_BYTES + 40)
    files = {one.name: one.read_bytes() for one in (books.journal_dir / "trading").iterdir()}
    assert plimsoll("auditor", "--once", "--project", books.root).code == Exit.FINDINGS
    ran = plimsoll("journal", "rebuild", "--yes", "--project", books.root, "--json")
    assert ran.code == Exit.DONE
    (aside,) = (books.layout.var_dir / "journal-aside").iterdir()
    assert ran.document["aside"] == str(aside)
    assert {one.name: one.read_bytes() for one in (aside / "trading").iterdir()} == files
    assert (aside / AUDIT_FILE).exists()
    assert not books.journal_dir.exists()
    lease = books.layout.lease_dir / f"{books.account}.epoch"
    assert read_epoch(lease) == ran.document["epoch"] == 7
    request = json.loads((books.layout.run_dir / "halt.json").read_text())
    assert "journal was rebuilt" in request["reason"]
    again = plimsoll("journal", "rebuild", "--yes", "--project", books.root, "--json")
    assert again.error["code"] == "no-journal"


def test_rebuild_goes_above_the_epoch_that_was_seen_at_the_venue(plimsoll, books):
    write(books)
    ran = plimsoll(
        "journal", "rebuild", "--yes", "--above", "41", "--project", books.root, "--json"
    )
    assert ran.document["epoch"] == 42


def test_rebuild_is_refused_while_an_engine_runs(plimsoll, books):
    write(books)
    lease = take(books.layout.lease_dir, books.account, "engine")
    try:
        ran = plimsoll("journal", "rebuild", "--yes", "--project", books.root, "--json")
    finally:
        lease.release()
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "engine-runs")
    assert books.journal_dir.exists()


def test_rebuild_is_refused_while_an_auditor_runs(plimsoll, books):
    from plimsoll.auditor.process import alone

    write(books)
    books.layout.run_dir.mkdir(parents=True)
    with alone(books.layout.run_dir):
        ran = plimsoll("journal", "rebuild", "--yes", "--project", books.root, "--json")
    assert (ran.code, ran.error["code"]) == (Exit.REFUSED, "auditor-runs")
    assert books.journal_dir.exists()
    assert not (books.layout.run_dir / "halt.json").exists()
