"""The report: the bars as a table, every sweep as a plot and a table."""

import statistics


def sweep(results, set, system, k, stage="latency", variant=None, clients=1):
	"""Medians over the passes: a list of (ef, recall, {mean, p50, p95, p99 less the floor, qps}) by ef."""
	rows = results.of(stage=stage, set=set, system=system, variant=variant or f"k {k}", k=k, clients=clients)
	floors = {row["pass"]: float(row["value"]) for row in rows if row["ef"] == "0" and row["what"] == "mean"}
	found = {}
	for row in rows:
		if row["ef"] not in ("", "0"):
			value = float(row["value"])
			if row["what"] in ("mean", "p50", "p95", "p99"):
				value -= floors.get(row["pass"], 0)
			found.setdefault(int(row["ef"]), {}).setdefault(row["what"], []).append(value)
	points = []
	for ef, figures in sorted(found.items()):
		medians = {what: statistics.median(values) for what, values in figures.items()}
		points.append((ef, medians.pop("recall"), medians))
	return points


def at_recall(points, recall, what="mean"):
	"""The figure at a recall, linear between the neighbours of the sweep; None if the sweep does not reach it. A sweep that
	begins above it gives its first figure."""
	previous = None
	for ef, found, figures in points:
		if found >= recall:
			if previous is None or found == previous[0]:
				return figures[what]
			share = (recall - previous[0]) / (found - previous[0])
			return previous[1] + share * (figures[what] - previous[1])
		previous = (found, figures[what])
	return None


def figure(results, what, **wanted):
	rows = [row for row in results.of(**wanted) if row["what"] == what]
	return float(rows[-1]["value"]) if rows else None


def table(heads, rows):
	return "\n".join(["| " + " | ".join(map(str, row)) + " |" for row in [heads, ["---"] * len(heads), *rows]])


def shown(value, digits=2, unit=1):
	return "" if value is None else f"{value / unit:.{digits}f}"


def ratio(ours, theirs):
	return None if ours is None or not theirs else ours / theirs


SETS = ["sentences300", "fashion784", "gauss384", "gauss64"]
NAMES = ["vectorizer", "pgvector", "hnswlib"]


def latency_table(results):
	rows = []
	for set in SETS:
		for k in (10, 100):
			sweeps = {name: sweep(results, set, name, k) for name in NAMES}
			for recall in (.95, .99):
				for what in ("mean", "p95"):
					values = [at_recall(sweeps[name], recall, what) for name in NAMES]
					if values[0] is not None or values[1] is not None:
						rows.append([set, f"{k}", f"{recall}", what, *[shown(value, 0) for value in values],
							shown(ratio(values[0], values[1]), 3), shown(ratio(values[0], values[2]), 3)])
	return table(["set", "k", "recall", "figure", "vectorizer us", "pgvector us", "hnswlib us", "to pgvector", "to hnswlib"], rows)


def build_table(results):
	rows = []
	for set in SETS:
		for variant in ("serial", "one worker"):
			for what, unit, digits in [("seconds", 1, 1), ("bytes", 1 << 20, 1), ("peak_memory", 1 << 20, 1), ("wal", 1 << 20, 1),
					("recall", 1, 4)]:
				values = [figure(results, what, stage="build", set=set, system=name, variant=variant) for name in NAMES]
				if values[0] is not None or values[1] is not None:
					rows.append([set, variant, what + (", MB" if unit > 1 else ""), *[shown(value, digits, unit) for value in values],
						shown(ratio(values[0], values[1]), 3)])
	return table(["set", "build", "figure", *NAMES, "to pgvector"], rows)


def sweep_table(results):
	rows = []
	for set in SETS:
		for k in (10, 100):
			for name in NAMES:
				for ef, recall, figures in sweep(results, set, name, k):
					rows.append([set, k, name, ef, f"{recall:.4f}", *[shown(figures[what], 0) for what in ("mean", "p50", "p95", "p99", "qps")]])
	return table(["set", "k", "system", "ef", "recall", "mean us", "p50", "p95", "p99", "queries/s"], rows)


def write_report(results, work):
	(work / "report.md").write_text("\n\n".join([
		"# The comparison", "## Build", build_table(results), "## Latency at equal recall, less SELECT 1",
		latency_table(results), "## Sweeps", sweep_table(results)]) + "\n")
