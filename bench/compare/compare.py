#!/usr/bin/env python3
"""Runs stages of the comparison. Called by inside.sh, which sets BINDIR, PKGLIBDIR, STAGE, PROGRAMS, CODE_VERSION,
CODE_COMMIT and HNSWLIB_VERSION."""

import argparse
import signal
import sys

from harness.bench import Bench
from harness.report import write_report
from harness.stages import STAGES
from harness.systems import SYSTEMS


def main():
	parser = argparse.ArgumentParser(prog="bench/compare/run.sh")
	parser.add_argument("--work", required=True)
	parser.add_argument("--data", required=True)
	parser.add_argument("--systems", default=",".join(system.name for system in SYSTEMS))
	parser.add_argument("--again", action="store_true")
	parser.add_argument("--latencies", action="store_true")
	parser.add_argument("--quick", action="store_true")
	parser.add_argument("--variants", default="")
	parser.add_argument("stages", nargs="*", metavar="STAGE[:SET,SET...]")
	given = parser.parse_args()
	asked = [stage.partition(":") for stage in given.stages or STAGES]
	unknown = [name for name, _, _ in asked if name not in STAGES and name != "report"]
	if unknown:
		sys.exit(f"no such stage: {' '.join(unknown)}; there are {' '.join(STAGES)} report")
	bench = Bench(given.work, given.data, [system for system in SYSTEMS if system.name in given.systems.split(",")],
		given.again, given.latencies, [variant for variant in given.variants.split(",") if variant], given.quick)
	report = bench.work / ("quick" if given.quick else "report")
	for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
		signal.signal(ending, lambda *_: sys.exit(1))
	try:
		for name, _, sets in asked:
			if name != "report":
				STAGES[name](bench, [set for set in sets.split(",") if set])
				write_report(bench.results, report)
	finally:
		bench.server.stop()
	write_report(bench.results, report)


if __name__ == "__main__":
	main()
