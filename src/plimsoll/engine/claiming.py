"""What a session holds before anything else: the lease, and the journal with what it tells."""

import contextlib
from collections.abc import Iterator

from plimsoll.engine.beating import announce
from plimsoll.engine.refusing import refusing
from plimsoll.engine.restoring import Restored, highest_epoch_of, restore_state
from plimsoll.engine.settings import EngineSettings
from plimsoll.journal import Journal, JournalError, JournalSettings, repair
from plimsoll.lease import FileLease, take

Claim = tuple[FileLease, Journal, Restored]


@contextlib.contextmanager
def claimed(settings: EngineSettings) -> Iterator[Claim]:
    """Hold lease and journal for one session.

    Raises:
        Refused: one of them cannot be had.
    """
    with refusing():
        settings.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        announce(settings.run_dir)
        lease, restored = take_over(settings)
        try:
            journal = Journal.open(
                settings.journal_dir,
                settings.core.account,
                lease.epoch,
                JournalSettings(
                    sync=settings.sync,
                    market_keep_bytes=settings.market_keep_bytes,
                    market_keep_s=settings.market_keep_s,
                ),
            )
        except OSError as error:
            lease.release()
            where, why = settings.journal_dir, error.strerror or error
            raise JournalError(
                f"cannot open {where}: {why}; check the disk, the folder and free space"
            ) from error
        except BaseException:
            lease.release()
            raise
    try:
        yield lease, journal, restored
    finally:
        lease.held = False
        with contextlib.suppress(JournalError):
            journal.close()
        lease.release()


def take_over(settings: EngineSettings) -> tuple[FileLease, Restored]:
    """Take the lease with an epoch above every one in the journal, and read the journal."""
    account = settings.core.account
    lease = take(settings.lease_dir, account, "engine")
    try:
        repair(settings.journal_dir, account)  # what a power cut left is read by nobody before
        restored = restore_state(settings.journal_dir, keep=True)
        seen = highest_epoch_of(restored.state, settings.core.tag)
        if seen >= lease.epoch:  # the epoch file was lost, or is an old copy
            lease.release()
            lease = take(settings.lease_dir, account, "engine", floor=seen)
    except BaseException:
        lease.release()
        raise
    return lease, restored
