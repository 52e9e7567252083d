"""The auditor: follows an account's logs, derives its state again and compares what was recorded.

In: a journal. Out: a verdict (``audit.json``, log lines, an exit code) and snapshots beside the
logs; it never writes into a log. The command line may import it; `auditor.verdict` alone is what
readers need, and the process itself is ``auditor.process.serve``.
"""

from plimsoll.auditor.verdict import AUDIT_FILE, Finding, Verdict, read_verdict

__all__ = ["AUDIT_FILE", "Finding", "Verdict", "read_verdict"]
