"""What every stage works with, and how figures are taken and kept."""

import contextlib
import fcntl
import os
import pathlib
import subprocess
import sys
import time

from harness.results import Results
from harness.server import Server
from harness.sets import SETS, Files
from harness.systems import Tables

EF = {10: [10, 20, 40, 60, 80, 120, 160, 240, 320, 480, 640, 800], 100: [100, 120, 160, 240, 320, 480, 640, 800]}
QUICK_EF = {10: [10, 40, 160, 640], 100: [100, 200, 800]}
LATENCY_COLUMNS = ["recall", "mean", "p50", "p95", "p99", "qps"]
EF_AFTER_BUILD = 80


def note(*words):
	print(time.strftime("%H:%M:%S"), *words, file=sys.stderr, flush=True)


class Bench:
	def __init__(self, work, data, systems, again=False, latencies=False, variants=(), quick=False):
		self.work = pathlib.Path(work)
		self.data = data
		self.systems = systems
		self.again = again
		self.latencies = latencies
		self.variants = variants
		self.programs = pathlib.Path(os.environ["PROGRAMS"])
		self.results = Results(self.work / ("quick.csv" if quick else "results.csv"))
		self.passes_each = 1 if quick else 3
		self.ef = QUICK_EF if quick else EF
		self.server = Server(self.work / "server")
		self.tables = Tables(self.server, self.program)
		self.measured = set()

	def program(self, name, *words):
		"""Runs one of our programs; its lines, as lists of fields."""
		done = subprocess.run([self.programs / name, *words], text=True, capture_output=True)
		if done.returncode != 0:
			raise RuntimeError(f"{name} {' '.join(map(str, words))}: {done.stderr}")
		return [line.split("\t") for line in done.stdout.splitlines()]

	def files(self, name):
		files = Files(SETS[name], self.work, self.data, self.programs)
		files.prepare()
		return files

	@contextlib.contextmanager
	def timing(self, minutes=False):
		"""Whoever takes a time holds this: TIMING_LOCK_FD is a file that other programs on the machine may lock, too. What
		takes many minutes does not keep them waiting."""
		if minutes or "TIMING_LOCK_FD" not in os.environ:
			yield
			return
		file = int(os.environ["TIMING_LOCK_FD"])
		fcntl.flock(file, fcntl.LOCK_EX)
		try:
			yield
		finally:
			fcntl.flock(file, fcntl.LOCK_UN)

	def wanted(self, stage, set, system, version, variant=""):
		"""The key of a measurement if it is to be made: it is one of those asked for, and has not been made for this version,
		or all are to be made again."""
		if variant and self.variants and variant not in self.variants:
			return None
		key = {"stage": stage, "set": set, "system": system, "version": version, "variant": variant}
		if tuple(key.values()) in self.measured or (self.results.has(key) and not self.again):
			return None
		note(stage, set, system, variant)
		return key

	def keep(self, key, rows):
		"""Ends a measurement: what was found goes to the file."""
		self.results.add([{**key, **row} for row in [*rows, {"what": "done", "value": 1}]])
		self.measured.add(tuple(key.values()))

	def search(self, system, files, k=10, values=None, clients=1, truth=None, table=None, options="", count=None):
		"""One pass over the values of ef; rows of figures, the floor's under ef 0."""
		session = f"SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; {options}"
		table = table or files.set.name
		asked = f"SELECT id FROM {table} ORDER BY v {files.set.operator} $1 LIMIT {k}"
		plan = self.server.sql(system.database, session, f"EXPLAIN (GENERIC_PLAN) {asked}")
		if f"Index Scan using {table}_hnsw" not in plan:
			raise RuntimeError(f"{system.name} does not use the index: {plan}")
		values = values or self.ef[k]
		more = [f"count={count}"] if count else []
		if self.latencies:
			more.append(f"latencies={self.work}/latencies-{table}-{system.name}-{k}-{clients}.tsv")
		lines = self.program("search", f"where={self.server.where(system.database)}", f"session={session}", f"sql={asked}",
			f"queries={files.query}", f"truth={truth or files.truth}", f"k={k}", f"clients={clients}",
			f"setting={system.setting}", f"values={','.join(map(str, values))}", *more)
		return self.latency_rows(lines, k, clients)

	@staticmethod
	def latency_rows(lines, k, clients=1):
		return [
			{"k": k, "clients": clients, "ef": 0 if label == "floor" else label, "what": what, "value": value}
			for label, *figures in lines
			for what, value in zip(LATENCY_COLUMNS, figures)
			if label != "floor" or what != "recall"
		]

	def passes(self, keys, one_pass, times=None, timed=True):
		"""Measures several systems in turn, more than once, so that what disturbs the machine meets them all. keys: those of
		wanted() by what one_pass takes to measure one, beside the number of the pass. timed: all of a pass is."""
		found = {which: [] for which, key in keys.items() if key}
		for number in range(1, (times or self.passes_each) + 1):
			for which in found:
				with self.timing() if timed else contextlib.nullcontext():
					found[which] += [{"pass": number, **row} for row in one_pass(which, number)]
		for which, rows in found.items():
			self.keep(keys[which], rows)
