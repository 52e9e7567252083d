"""Every benchmark, one report: ``make bench`` runs this.

python -m benchmarks.run [--full] [--json]
"""

from benchmarks import (
    backtest_bars,
    backtest_quotes,
    decode_book,
    gate_check,
    halting,
    indicators,
    journal_append,
    log_and_risk,
    metering,
    quality,
    report,
    restart,
    simulator_throughput,
    startup,
    why,
    world_speed,
)
from benchmarks.receive import contest as receive
from benchmarks.tick_to_order import contest

if __name__ == "__main__":
    report.run(
        "the speed of this program on this machine",
        [
            decode_book.measure,
            metering.measure,
            gate_check.measure,
            indicators.measure,
            journal_append.measure,
            log_and_risk.measure,
            startup.measure,
            why.measure,
            backtest_bars.measure,
            backtest_quotes.measure,
            quality.measure,
            restart.measure,
            simulator_throughput.measure,
            world_speed.measure,
            receive.measure,
            contest.measure,
            halting.measure,
        ],
    )
