"""Every benchmark, one report: ``make bench`` runs this.

python -m benchmarks.run [--full] [--json]
"""

from benchmarks import (
    decode_book,
    halting,
    journal_append,
    log_and_risk,
    metering,
    report,
    simulator_throughput,
    startup,
    why,
)
from benchmarks.receive import contest as receive
from benchmarks.tick_to_order import contest

if __name__ == "__main__":
    report.run(
        "the speed of this program on this machine",
        [
            decode_book.measure,
            metering.measure,
            journal_append.measure,
            log_and_risk.measure,
            startup.measure,
            why.measure,
            simulator_throughput.measure,
            receive.measure,
            contest.measure,
            halting.measure,
        ],
    )
