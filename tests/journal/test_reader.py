"""What is kept of a session, told by the oldest segment."""

from plimsoll.journal import MARKET, Journal, JournalSettings, is_kept

SMALL = JournalSettings(market_segment_bytes=8192)


def test_a_session_is_kept_until_its_first_market_data_are_dropped(tmp_path):
    seq, firsts = 0, {}
    for epoch in (1, 2, 3):
        journal = Journal.open(tmp_path, "main", epoch, SMALL)
        firsts[epoch] = seq + 1
        for _ in range(20):
            seq += 1
            journal.market(seq, seq, 1, b"x" * 1_000)
        journal.close()

    def kept() -> list[bool]:
        return [is_kept(tmp_path, MARKET, epoch, firsts[epoch]) for epoch in (1, 2, 3)]

    states = [kept()]
    for path in sorted((tmp_path / MARKET).glob("*.seg*")):
        path.unlink()
        if kept() != states[-1]:
            states.append(kept())
    assert states == [
        [True, True, True],
        [False, True, True],
        [False, False, True],
        [False, False, False],
    ]
    assert not is_kept(tmp_path / "none", MARKET, 1, 1)
