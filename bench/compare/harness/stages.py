"""The stages: what each measures is told in bench/README.md."""

import contextlib
import os
import platform

from harness.bench import EF, EF_AFTER_BUILD, PASSES, note
from harness.server import MemoryWatch, Stopwatch
from harness.sets import SETS
from harness.systems import PGVECTOR, VECTORIZER

FULL_SETS = ["sentences300", "fashion784", "gauss384"]
PGVECTOR_MOST_DIMENSIONS = 2000


def figures(**named):
	return [{"what": what, "value": value} for what, value in named.items()]


def indexable(system, files):
	return system is not PGVECTOR or files.dimensions() <= PGVECTOR_MOST_DIMENSIONS


def measure_build(bench, system, files, variant, options="", memory=None, workers=0):
	"""Builds the index anew: what it took."""
	table = files.set.name
	bench.tables.drop_index(system, table)
	with bench.timing():
		bench.server.sql(system.database, "CHECKPOINT")
		wal = bench.server.wal_position()
		with MemoryWatch(bench.server) as memory_watch, Stopwatch() as watch:
			said = bench.tables.create_index(system, files.set, table, variant, options, memory, workers)
	rows = figures(seconds=f"{watch.seconds:.3f}", peak_memory=memory_watch.peak, memory_setting=memory or files.set.memory,
		bytes=bench.tables.index_bytes(system, table), wal=bench.server.wal_position() - wal,
		said=" ".join(said.split()))
	bench.tables.prewarm(system, table)
	found = bench.search(system, files, values=[EF_AFTER_BUILD])
	return rows + [row for row in found if row["what"] == "recall"]


def ensure_index(bench, system, files, variant="default", options=""):
	"""The index of a set in this variant, built with one worker if there is none, and everything in the buffer pool."""
	bench.tables.ensure_loaded(system, files)
	if bench.tables.index_variant(system, files.set.name) != variant:
		note("building", files.set.name, system.name, variant)
		bench.tables.drop_index(system, files.set.name)
		bench.tables.create_index(system, files.set, files.set.name, variant, options, workers=1)
	bench.tables.prewarm(system, files.set.name)


def versions(bench, names):
	"""What is compared, and on what."""
	bench.server.start()
	facts = {
		"server": bench.server.sql("postgres", "SHOW server_version"),
		"code": os.environ["CODE_COMMIT"],
		"cores": os.cpu_count(),
		"processor": next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
		"memory": next(line.split(":")[1].strip() for line in open("/proc/meminfo") if line.startswith("MemTotal")),
		"kernel": platform.release(),
		"hnswlib": os.environ["HNSWLIB_VERSION"],
	}
	for setting in bench.server.settings:
		facts[f"setting {setting}"] = bench.server.sql("postgres", f"SHOW {setting}")
	for system in bench.systems:
		bench.tables.ensure_database(system)
		facts[system.name] = bench.server.sql(system.database,
			f"SELECT extversion FROM pg_extension WHERE extname = '{system.extension}'")
	bench.keep({"stage": "versions", "version": bench.tables.version(VECTORIZER)}, figures(**facts))


def build(bench, names):
	bench.server.start()
	for name in names or FULL_SETS:
		files = bench.files(name)
		for workers, variant in [(0, "serial"), (1, "one worker")]:
			for system in bench.systems:
				if not indexable(system, files):
					continue
				key = bench.wanted("build", name, system.name, bench.tables.version(system), variant)
				if key:
					bench.tables.ensure_loaded(system, files)
					bench.keep(key, measure_build(bench, system, files, "default", workers=workers))


def latency(bench, names):
	bench.server.start()
	for name in names or FULL_SETS:
		files = bench.files(name)
		for k in [10, 100]:
			keys = {system: bench.wanted("latency", name, system.name, bench.tables.version(system), f"k {k}")
				for system in bench.systems if indexable(system, files)}
			for system, key in keys.items():
				if key:
					ensure_index(bench, system, files)
			bench.passes(keys, lambda system: bench.search(system, files, k))


def limit(bench, names):
	"""hnswlib in the process."""
	version = os.environ["HNSWLIB_VERSION"]
	for name in names or FULL_SETS:
		files = bench.files(name)
		index = files.folder / "hnswlib"
		words = [f"base={files.base}", f"metric={files.set.metric}", f"index={index}"]
		for threads, variant in [(1, "serial"), (2, "one worker")]:
			key = bench.wanted("build", name, "hnswlib", version, variant)
			if key:
				with bench.timing():
					[[_, seconds, size, memory]] = bench.program("limit", *words, "build=1", f"threads={threads}")
				bench.keep(key, figures(seconds=seconds, bytes=size, peak_memory=memory))
		for k in [10, 100]:
			keys = {k: bench.wanted("latency", name, "hnswlib", version, f"k {k}")}
			bench.passes(keys, lambda k: bench.latency_rows(bench.program("limit", *words, f"queries={files.query}",
				f"truth={files.truth}", f"k={k}", f"values={','.join(map(str, EF[k]))}"), k))


STAGES = {stage.__name__: stage for stage in [versions, build, latency, limit]}
