"""The bars: what the index is measured by."""

from harness.figures import at_recall, ef_for, figure, ratio, sweep
from harness.stages import CODES, CYCLES

MB = 1 << 20


class Bar:
	"""A line of the table. compared is what bar and aim are about: at most so much, or at least."""

	def __init__(self, what, set, ours, theirs, compared, bar, aim=None, at_least=False, unit="", digits=1, scale=1):
		self.what, self.set, self.unit = what, set, unit
		self.ours, self.theirs, self.compared = ours, theirs, compared
		self.bar, self.aim, self.at_least, self.digits, self.scale = bar, aim, at_least, digits, scale

	def met(self):
		if self.compared is None:
			return ""
		def holds(limit):
			return self.compared >= limit if self.at_least else self.compared <= limit
		return "aim" if self.aim is not None and holds(self.aim) else "yes" if holds(self.bar) else "**no**"

	def row(self):
		sign = ">=" if self.at_least else "<="
		def shown(value):
			return "" if value is None else f"{value / self.scale:,.{self.digits}f}"
		return [self.what, self.set, self.unit, shown(self.ours), shown(self.theirs),
			"" if self.compared is None else f"{self.compared:.3f}", f"{sign} {self.bar:.3g}",
			"" if self.aim is None else f"{sign} {self.aim:.3g}", self.met()]


HEADS = ["what", "set", "unit", "vectorizer", "pgvector", "compared", "bar", "aim", "met"]


def latency_bars(results):
	for set, bar, aim in [("sentences300", 1 / 4, 1 / 8), ("gauss384", 1 / 4, 1 / 8), ("fashion784", 1 / 3, 1 / 6)]:
		ours, theirs, limit = (sweep(results, set, name) for name in ("vectorizer", "pgvector", "hnswlib"))
		for recall in (.95, .99):
			a, b, c = (at_recall(points, recall) for points in (ours, theirs, limit))
			yield Bar(f"mean latency, recall@10 {recall}", set, a, b, ratio(a, b), bar, aim, unit="us")
			yield Bar(f"... to hnswlib's (in the right column)", set, a, c, ratio(a, c), 1, unit="us")
	a, c = (at_recall(sweep(results, "gauss384", name), .95, "p95") for name in ("vectorizer", "hnswlib"))
	yield Bar("p95, recall@10 .95, to hnswlib's (in the right column)", "gauss384", a, c, ratio(a, c), 1.2, 1, unit="us")
	for stage, what, clients, variant in [("clients", "8 clients", 8, "k 10"),
			("buffers", "each index 4 x its shared_buffers", 1, "k 10"),
			("buffers", "one shared_buffers, 1/4 of our index", 1, "k 10 one pool")]:
		for set in ("sentences300", "gauss384"):
			for recall in (.95, .99):
				a, b = (at_recall(sweep(results, set, name, stage=stage, clients=clients, variant=variant), recall)
					for name in ("vectorizer", "pgvector"))
				yield Bar(f"mean latency, recall@10 {recall}, {what}", set, a, b, ratio(a, b), 1 / 3, 1 / 6, unit="us")


def build_bars(results):
	def both(what, set, variant):
		return [figure(results, what, stage="build", set=set, system=name, variant=variant) for name in ("vectorizer", "pgvector")]

	for set in ("sentences300", "gauss384", "fashion784"):
		a, b = both("bytes", set, "one worker")
		yield Bar("index size", set, a, b, ratio(a, b), .3 if set == "fashion784" else .25, unit="MB", scale=MB)
		for variant in ("serial", "one worker"):
			a, b = both("seconds", set, variant)
			yield Bar(f"build time, {variant}", set, a, b, ratio(a, b), 1 / 3, 1 / 6, unit="s")
			a, b = both("recall", set, variant)
			yield Bar("... its recall@10 at ef 80, less pgvector's", set, a, b, None if a is None or b is None else a - b, 0,
				at_least=True, digits=4)
			a, b = both("peak_memory", set, variant)
			yield Bar(f"peak memory of the build, {variant}", set, a, b, ratio(a, b), 1 / 3, 1 / 5, unit="MB", scale=MB)
	for name in ("vectorizer", "pgvector"):
		a, b = (figure(results, "seconds", stage=stage, set="sentences300", system=name, **more)
			for stage, more in [("memory", {}), ("build", {"variant": "serial"})])
		yield Bar(f"build with a tenth of the memory, to in memory (in the right column), {name}", "sentences300", a, b, ratio(a, b),
			2.5, 1.5, unit="s")


def change_bars(results):
	set = "sentences300"

	def both(stage, what, **more):
		return [figure(results, what, stage=stage, set=set, system=name, **more) for name in ("vectorizer", "pgvector")]

	a, b = both("insert", "rows_a_second")
	yield Bar("single-row inserts, 100 a transaction", set, a, b, ratio(a, b), 4, 8, at_least=True, unit="rows/s")
	a, b = both("insert", "wal_a_row")
	yield Bar("WAL a row, images included", set, a, b, ratio(a, b), .6, .4, unit="bytes")
	for percent in ("10%", "30%"):
		a, b = both("vacuum", "seconds", variant=percent)
		yield Bar(f"vacuum after deleting {percent}", set, a, b, ratio(a, b), 1 / 5, 1 / 10, unit="s", digits=2)
		before, after = (figure(results, "recall", stage="vacuum", set=set, system="vectorizer", variant=percent, **{"pass": when})
			for when in ("before", "after"))
		yield Bar("... recall@10 after, before (right), difference", set, after, before,
			None if after is None else after - before, -.005, at_least=True, digits=4)
	for what, name, bar in [("bytes", "size", 1.15), ("mean", "mean latency, ef 80", 1.15), ("recall", "recall@10, ef 80", -.01)]:
		ef = {} if what == "bytes" else {"ef": 80}
		first, last = (figure(results, what, stage="cycles", set=set, system="vectorizer", **{"pass": cycle}, **ef)
			for cycle in (0, CYCLES))
		if what == "recall":
			yield Bar(f"ten cycles of 20%: {name}, last and first (right), difference", set, last, first,
				None if last is None else last - first, bar, at_least=True, digits=4)
		else:
			yield Bar(f"ten cycles of 20%: {name}, last to first (right)", set, last, first, ratio(last, first), bar,
				unit="MB" if what == "bytes" else "us", scale=MB if what == "bytes" else 1)


def own_bars(results):
	set = "sentences300"
	for code in CODES:
		points = sweep(results, set, "vectorizer", stage="codes", variant=code)
		bytes = figure(results, "code_bytes", stage="codes", set=set, system="vectorizer", variant=code)
		best = max((recall for _, recall, _ in points), default=None)
		yield Bar(f"{code}: best recall@10; .95 from ef {ef_for(points, .95)}; code bytes", set, best, bytes, best, .95,
			at_least=True, digits=4)
	grown, built = sweep(results, set, "vectorizer", stage="empty", variant=""), sweep(results, set, "vectorizer")
	a, b = (next((recall for ef, recall, _ in points if ef == 80), None) for points in (grown, built))
	yield Bar("created empty: recall@10 at ef 80, built after (right), difference", set, a, b,
		None if a is None or b is None else a - b, -.01, at_least=True, digits=4)
	a, b = (figure(results, "bytes", stage=stage, set=set, system="vectorizer", variant=variant)
		for stage, variant in [("empty", ""), ("build", "one worker")])
	yield Bar("created empty: size, to built after (right)", set, a, b, ratio(a, b), 1.15, unit="MB", scale=MB)
	for set in ("gauss1536", "gauss3072"):
		best, theirs = (max((recall for _, recall, _ in sweep(results, set, name)), default=None)
			for name in ("vectorizer", "pgvector"))
		yield Bar(f"best recall@10; .95 from ef {ef_for(sweep(results, set, 'vectorizer'), .95)}", set, best, theirs, best, .95,
			at_least=True, digits=4)


def bars(results):
	return [bar for part in (latency_bars, build_bars, change_bars, own_bars) for bar in part(results)]
