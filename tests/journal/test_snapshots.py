from plimsoll.journal import snapshots, write_snapshot


def newest(directory):
    return next(snapshots(directory), None)


def test_newest_whole_snapshot_is_found_and_three_are_kept(tmp_path):
    directory = tmp_path / "kept"
    assert newest(directory) is None
    for seq in (5, 70, 800, 9000):
        write_snapshot(directory, seq, b"state %d" % seq)
    assert newest(directory) == (9000, b"state 9000")
    assert len(list(directory.iterdir())) == 3
    assert not (directory / f"{5:020d}.snap").exists()
    assert [seq for seq, _ in snapshots(directory)] == [9000, 800, 70]


def test_every_flipped_byte_and_truncation_falls_back_to_the_one_before(tmp_path):
    write_snapshot(tmp_path, 1, b"older")
    path = write_snapshot(tmp_path, 2, b"newer state")
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        assert newest(tmp_path) == (1, b"older")
        path.write_bytes(content[:at])
        assert newest(tmp_path) == (1, b"older")
