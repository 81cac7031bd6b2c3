"""The stages: what each measures is told in bench/README.md."""

import os
import platform

from harness.bench import EF_AFTER_BUILD, note
from harness.server import MemoryWatch, Stopwatch
from harness.sets import SETS
from harness.systems import PGVECTOR, VECTORIZER

FULL_SETS = ["sentences300", "fashion784", "gauss384"]
PGVECTOR_MOST_DIMENSIONS = 2000
SAME_POOL = "k 10 one pool"


def figures(**named):
	return [{"what": what, "value": value} for what, value in named.items()]


def indexable(system, files):
	return system is not PGVECTOR or files.dimensions() <= PGVECTOR_MOST_DIMENSIONS


def measure_build(bench, system, files, variant, options="", memory=None, workers=0):
	"""Builds the index anew: what it took."""
	table = files.set.name
	bench.tables.drop_index(system, table)
	with bench.timing(minutes=files.rows() >= 500_000):
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
	"""Small sets three times, the rows in another order each time: of one graph, recall is a matter of luck by two in a thousand."""
	bench.server.start()
	for name in names or FULL_SETS:
		files = bench.files(name)
		times = 1 if files.rows() >= 500_000 else bench.passes_each
		for workers, variant in [(1, "one worker"), (0, "serial")]:
			keys = {system: bench.wanted("build", name, system.name, bench.tables.version(system), variant)
				for system in bench.systems if indexable(system, files)}

			def one_pass(system, number):
				bench.tables.ensure_loaded(system, files)
				if times > 1:
					bench.tables.shuffle(system, name, number)
				return measure_build(bench, system, files, "default", workers=workers)

			bench.passes(keys, one_pass, times, timed=False)


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
			bench.passes(keys, lambda system, _: bench.search(system, files, k))


def limit(bench, names):
	"""hnswlib in the process."""
	version = os.environ["HNSWLIB_VERSION"]
	for name in names or FULL_SETS:
		files = bench.files(name)
		index = files.folder / "hnswlib"
		words = [f"base={files.base}", f"metric={files.set.metric}", f"index={index}"]
		for threads, variant in [(2, "one worker"), (1, "serial")]:
			key = bench.wanted("build", name, "hnswlib", version, variant)
			if key or not index.exists():
				with bench.timing(minutes=files.rows() >= 500_000):
					[[_, seconds, size, memory]] = bench.program("limit", *words, "build=1", f"threads={threads}")
				if key:
					bench.keep(key, figures(seconds=seconds, bytes=size, peak_memory=memory))
		for k in [10, 100]:
			keys = {k: bench.wanted("latency", name, "hnswlib", version, f"k {k}")}
			bench.passes(keys, lambda k, _: bench.latency_rows(bench.program("limit", *words, f"queries={files.query}",
				f"truth={files.truth}", f"k={k}", f"values={','.join(map(str, bench.ef[k]))}"), k))


def fill(bench, system, files, table, share=1.0):
	"""A table with the first rows of the set and an index built on them."""
	bench.tables.create(system, table, files.dimensions())
	rows = int(share * files.rows())
	bench.program("write", f"where={bench.server.where(system.database)}", f"table={table}", f"base={files.base}", f"to={rows}")
	bench.server.sql(system.database, f"VACUUM ANALYZE {table}")
	bench.tables.create_index(system, files.set, table, "default", workers=1)
	bench.tables.prewarm(system, table)
	return rows


def keys_by_system(bench, stage, name, variant=""):
	"""The systems for which this is to be measured, with the key of it."""
	keys = {system: bench.wanted(stage, name, system.name, bench.tables.version(system), variant) for system in bench.systems}
	return {system: key for system, key in keys.items() if key}


def insert(bench, names):
	bench.server.start()
	for name in names or ["sentences300"]:
		files = bench.files(name)
		for system, key in keys_by_system(bench, "insert", name).items():
			first = fill(bench, system, files, "inserted", .9)
			with bench.timing():
				bench.server.sql(system.database, "CHECKPOINT")
				wal = bench.server.wal_position()
				[[_, _, *times, rate]] = bench.program("write", f"where={bench.server.where(system.database)}",
					"table=inserted", f"base={files.base}", f"from={first}", "rows_a_transaction=100")
				wal = bench.server.wal_position() - wal
			found = bench.search(system, files, table="inserted", values=[EF_AFTER_BUILD])
			bench.keep(key, figures(rows_a_second=rate, wal_a_row=wal / (files.rows() - first), mean=times[0], p95=times[2],
				bytes=bench.tables.index_bytes(system, "inserted")) + found)


def vacuum(bench, names):
	bench.server.start()
	for name in names or ["sentences300"]:
		files = bench.files(name)
		for percent in (10, 30):
			for system, key in keys_by_system(bench, "vacuum", name, f"{percent}%").items():
				rows = fill(bench, system, files, "vacuumed")
				with bench.timing():
					before = bench.search(system, files, table="vacuumed", values=[EF_AFTER_BUILD])
				bench.server.sql(system.database, f"DELETE FROM vacuumed WHERE id::bigint * 7919 % 100 < {percent}", "CHECKPOINT")
				wal = bench.server.wal_position()
				with bench.timing(), Stopwatch() as watch:
					bench.server.sql(system.database, f"SET maintenance_work_mem = '{files.set.memory}'",
						"VACUUM (INDEX_CLEANUP ON, PARALLEL 0) vacuumed")
				wal = bench.server.wal_position() - wal
				files.nearest(files.folder / "left.ivecs", bytes(row * 7919 % 100 >= percent for row in range(rows)))
				bench.tables.prewarm(system, "vacuumed")
				with bench.timing():
					after = bench.search(system, files, table="vacuumed", values=[EF_AFTER_BUILD],
						truth=files.folder / "left.ivecs")
				bench.keep(key, figures(seconds=f"{watch.seconds:.3f}", wal=wal, bytes=bench.tables.index_bytes(system, "vacuumed"))
					+ [{"pass": "before", **row} for row in before] + [{"pass": "after", **row} for row in after])


CYCLES = 10


def cycles(bench, names):
	"""Deletes a fifth of the rows, other ones each time, vacuums, and inserts the same rows again."""
	bench.server.start()
	for name in names or ["sentences300"]:
		files = bench.files(name)
		for system, key in keys_by_system(bench, "cycles", name).items():
			bench.tables.ensure_loaded(system, files)
			fill(bench, system, files, "cycled")
			rows = []
			for cycle in range(CYCLES + 1):
				took = {}
				if cycle > 0:
					fifth = f"hashint8extended(id, {cycle}) & 1023 < 205"
					bench.server.sql(system.database, f"DELETE FROM cycled WHERE {fifth}")
					with bench.timing(), Stopwatch() as watch:
						bench.server.sql(system.database, "VACUUM (INDEX_CLEANUP ON, PARALLEL 0) cycled")
					took["vacuum_seconds"] = f"{watch.seconds:.3f}"
					with bench.timing(), Stopwatch() as watch:
						bench.server.sql(system.database, f"INSERT INTO cycled SELECT * FROM {name} WHERE {fifth}")
					took["insert_seconds"] = f"{watch.seconds:.3f}"
				bench.tables.prewarm(system, "cycled")
				with bench.timing():
					found = [row for _ in range(bench.passes_each)
						for row in bench.search(system, files, table="cycled", values=[EF_AFTER_BUILD])]
				rows += [{"pass": cycle, **row} for row in
					figures(**took, bytes=bench.tables.index_bytes(system, "cycled")) + found]
			bench.keep(key, rows)


CLIENTS = 8


def clients(bench, names):
	bench.server.start()
	for name in names or ["sentences300", "gauss384"]:
		files = bench.files(name)
		keys = keys_by_system(bench, "clients", name, "k 10")
		for system in keys:
			ensure_index(bench, system, files)
		bench.passes(keys, lambda system, _: bench.search(system, files, clients=CLIENTS, count=250))


def buffers(bench, names):
	"""The buffer pool a quarter of the index: of each extension's own, and for both of ours."""
	for name in names or ["sentences300", "gauss384"]:
		bench.server.start()
		files = bench.files(name)
		for variant in ("k 10", SAME_POOL):
			keys = keys_by_system(bench, "buffers", name, variant)
			quarter = {}
			for system in keys:
				ensure_index(bench, system, files)
				quarter[system] = max(128, bench.tables.index_bytes(system, name) // 4096)

			def one_pass(system, _):
				pool = quarter[VECTORIZER if variant == SAME_POOL and VECTORIZER in quarter else system]
				bench.server.start(shared_buffers=f"{pool}kB")
				return figures(shared_buffers=pool * 1024) + bench.search(system, files)

			bench.passes(keys, one_pass)
			bench.server.start()


def memory(bench, names):
	"""A serial build with a tenth of the memory that the build stage saw it use."""
	bench.server.start()
	for name in names or ["sentences300"]:
		files = bench.files(name)
		for system, key in keys_by_system(bench, "memory", name).items():
			needed = [float(row["value"]) for row in
				bench.results.of(stage="build", set=name, system=system.name, variant="serial", what="peak_memory")]
			if not needed:
				build(bench, [name])
				return memory(bench, names)
			bench.tables.ensure_loaded(system, files)
			bench.keep(key, measure_build(bench, system, files, "a tenth", memory=f"{max(1024, int(needed[-1]) // 10240)}kB"))


CODES = {
	"none": "quantization = none",
	"scalar 8": "quantization = scalar, bits = 8",
	"scalar 4": "quantization = scalar, bits = 4",
	"scalar 2": "quantization = scalar, bits = 2",
	"product 16": "quantization = product, subspaces = 16",
	"binary": "quantization = binary",
}


def codes(bench, names):
	"""Every quantization of ours."""
	bench.server.start()
	for name in names or ["sentences300"]:
		files = bench.files(name)
		for code, options in CODES.items():
			key = bench.wanted("codes", name, VECTORIZER.name, bench.tables.version(VECTORIZER), code)
			if not key:
				continue
			bench.tables.ensure_loaded(VECTORIZER, files)
			try:
				rows = measure_build(bench, VECTORIZER, files, code, f", {options}", workers=1)
			except RuntimeError as error:
				note(code, str(error).splitlines()[0])
				continue
			rows += figures(code_bytes=bench.server.sql(VECTORIZER.database,
				f"SELECT code_bytes FROM vectorizer.index_info('{name}_hnsw')"))
			with bench.timing():
				rows += [{"pass": 1, **row} for row in bench.search(VECTORIZER, files)]
			bench.keep(key, rows)


def dimensions(bench, names):
	"""Vectors of many dimensions; pgvector's hnsw ends at 2,000."""
	names = names or ["gauss1536", "gauss3072"]
	build(bench, names)
	latency(bench, names)


def empty(bench, names):
	"""The index is created on an empty table, as an ORM does it; rows come one by one."""
	bench.server.start()
	for name in names or ["sentences300"]:
		files = bench.files(name)
		key = bench.wanted("empty", name, VECTORIZER.name, bench.tables.version(VECTORIZER))
		if not key:
			continue
		database = VECTORIZER.database
		bench.tables.create(VECTORIZER, "grown", files.dimensions())
		bench.tables.create_index(VECTORIZER, files.set, "grown", "default")
		with bench.timing():
			[[_, _, *_, rate]] = bench.program("write", f"where={bench.server.where(database)}", "table=grown",
				f"base={files.base}", "rows_a_transaction=100")
		trained = bench.server.sql(database, "SELECT count(*) FROM pg_proc WHERE proname = 'retrain' "
			"AND pronamespace = 'vectorizer'::regnamespace") != "0"
		with Stopwatch() as watch:
			if trained:
				bench.server.sql(database, "SELECT vectorizer.retrain('grown_hnsw')")
			bench.server.sql(database, "VACUUM ANALYZE grown")
		bench.tables.prewarm(VECTORIZER, "grown")
		with bench.timing():
			found = bench.search(VECTORIZER, files, table="grown")
		bench.keep(key, figures(rows_a_second=rate, train_seconds=f"{watch.seconds:.3f}",
			bytes=bench.tables.index_bytes(VECTORIZER, "grown"), info=info_of(bench, "grown_hnsw")) +
			[{"pass": 1, **row} for row in found])


def info_of(bench, index):
	return bench.server.sql(VECTORIZER.database, f"SELECT row_to_json(i) FROM vectorizer.index_info('{index}') AS i")


CHOICES = {
	"isotropic 128": "SELECT i, (SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) + 0 * (i + j)) "
		"FROM generate_series(1, 128) AS j)::vector FROM generate_series(1, 20000) AS i",
	"one-hot 64": "SELECT i, (SELECT array_agg((i % 64 = j)::integer) FROM generate_series(0, 63) AS j)::vector "
		"FROM generate_series(1, 20000) AS i",
	"100 rows": "SELECT i, (SELECT array_agg(random() + 0 * (i + j)) FROM generate_series(1, 64) AS j)::vector "
		"FROM generate_series(1, 100) AS i",
	"0 rows": "SELECT 1, NULL::vector WHERE false",
	"all equal": "SELECT i, array_fill(.5, ARRAY[64])::vector FROM generate_series(1, 20000) AS i",
}


def choice(bench, names):
	"""What quantization = auto chooses, and why."""
	bench.server.start()
	database = VECTORIZER.database
	version = bench.tables.version(VECTORIZER)
	for name in names or ["sentences300", "fashion784"]:
		key = bench.wanted("choice", name, VECTORIZER.name, version)
		if key:
			ensure_index(bench, VECTORIZER, bench.files(name))
			bench.keep(key, figures(info=info_of(bench, f"{name}_hnsw")))
	for name, rows in CHOICES.items():
		key = bench.wanted("choice", name, VECTORIZER.name, version)
		if key:
			bench.tables.create(VECTORIZER, "chosen", 128 if "128" in name else 64)
			bench.server.sql(database, "SELECT setseed(.5)", f"INSERT INTO chosen {rows}", "ANALYZE chosen",
				"CREATE INDEX chosen_hnsw ON chosen USING hnsw (v vector_l2_ops)")
			bench.keep(key, figures(info=info_of(bench, "chosen_hnsw")))


STAGES = {stage.__name__: stage for stage in [versions, build, latency, limit, insert, vacuum, cycles, clients, buffers,
	memory, codes, dimensions, empty, choice]}
