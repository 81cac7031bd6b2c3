"""A folder with report.md and the plots, made anew from the results after every stage."""

from harness.bars import HEADS, MB, bars
from harness.figures import at_recall, figure, ratio, sweep
from harness.plot import recall_latency
from harness.sets import SETS

NAMES = ["vectorizer", "pgvector", "hnswlib"]


def table(heads, rows):
	return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [heads, ["---"] * len(heads), *rows])


def shown(value, digits=2, unit=1):
	return "" if value is None else value if isinstance(value, str) else f"{value / unit:,.{digits}f}"


def facts(results):
	return table(["what", "value"], [[row["what"], row["value"]] for row in results.of(stage="versions") if row["what"] != "done"])


def measured(results):
	"""A report mixes versions of the code when not all stages were run again: this tells."""
	newest = {}
	for row in results.rows:
		if row["what"] == "done" and row["system"]:
			newest[row["stage"], row["set"], row["system"], row["variant"]] = (row["version"], row["time"])
	return table(["stage", "set", "system", "variant", "version", "ended"], [[*key, *value] for key, value in sorted(newest.items())])


def latency(results):
	rows = []
	for set in SETS:
		for k in (10, 100):
			sweeps = {name: sweep(results, set, name, k) for name in NAMES}
			for recall in (.95, .99):
				for what in ("mean", "p50", "p95", "p99"):
					values = [at_recall(sweeps[name], recall, what) for name in NAMES]
					if any(value is not None for value in values):
						rows.append([set, k, recall, what, *[shown(value, 0) for value in values],
							shown(ratio(values[0], values[1]), 3), shown(ratio(values[0], values[2]), 3)])
	return table(["set", "k", "recall", "microseconds", *NAMES, "to pgvector", "to hnswlib"], rows)


def build(results):
	rows = []
	for set in SETS:
		for variant in ("serial", "one worker"):
			for what, name, unit, digits in [("seconds", "seconds", 1, 1), ("bytes", "index, MB", MB, 1),
					("peak_memory", "peak memory, MB", MB, 1), ("wal", "WAL, MB", MB, 1), ("recall", "recall@10 at ef 80", 1, 4),
					("said", "notices", 1, 0)]:
				values = [figure(results, what, stage="build", set=set, system=name, variant=variant) for name in NAMES]
				if any(value not in (None, "") for value in values):
					rows.append([set, variant, name, *[shown(value, digits, unit) for value in values],
						shown(ratio(values[0], values[1]), 3) if what != "said" else ""])
	return table(["set", "build", "figure", *NAMES, "to pgvector"], rows)


def sweeps(results):
	rows = []
	for stage, clients in [("latency", 1), ("clients", 8), ("buffers", 1)]:
		for set in SETS:
			for k in (10, 100):
				for name in NAMES:
					for ef, recall, values in sweep(results, set, name, k, stage, clients=clients):
						rows.append([stage, set, k, name, ef, f"{recall:.4f}",
							*[shown(values[what], 0) for what in ("mean", "p50", "p95", "p99", "qps")]])
	return table(["stage", "set", "k", "system", "ef", "recall", "mean", "p50", "p95", "p99", "queries/s"], rows)


def codes(results):
	rows = []
	for row in results.of(stage="codes", what="bytes"):
		code = row["variant"]
		rows.append([code, figure(results, "code_bytes", stage="codes", variant=code), shown(float(row["value"]), 1, MB)] + [
			f"{ef}: {recall:.4f} / {values['mean']:,.0f}" for ef, recall, values in
			sweep(results, row["set"], "vectorizer", stage="codes", variant=code) if ef in (20, 40, 80, 160, 320, 800)])
	return table(["code", "code bytes", "index, MB", *["ef: recall@10 / us"] * 6], rows)


def cycles(results):
	rows = []
	for name in NAMES[:2]:
		for cycle in range(11):
			def of(what, **more):
				return figure(results, what, stage="cycles", system=name, **{"pass": cycle}, **more)
			if of("bytes") is not None:
				rows.append([name, cycle, shown(of("bytes"), 1, MB), shown(of("recall", ef=80), 4), shown(of("mean", ef=80), 0),
					shown(of("vacuum_seconds"), 2), shown(of("insert_seconds"), 2)])
	return table(["system", "cycle", "index, MB", "recall@10 at ef 80", "mean us", "vacuum, s", "insert, s"], rows)


def choices(results):
	return table(["rows", "what index_info says"],
		[[row["set"], f"`{row['value']}`"] for row in results.of(stage="choice", what="info")])


def plots(results, folder):
	names = []
	for set in SETS:
		for k in (10, 100):
			drawn = recall_latency(f"{set}: recall@{k} against latency, one client", {
				name: [(recall, figures["mean"], ef) for ef, recall, figures in sweep(results, set, name, k)] for name in NAMES})
			if drawn:
				names.append(f"{set}-{k}.svg")
				(folder / names[-1]).write_text(drawn)
	return "\n\n".join(f"![{name}]({name})" for name in names)


def write_report(results, folder):
	folder.mkdir(exist_ok=True)
	sections = [
		("Bars", table(HEADS, [bar.row() for bar in bars(results) if bar.compared is not None])),
		("Versions, machine, settings", facts(results)),
		("Builds", build(results)),
		("Latency at equal recall, less SELECT 1", latency(results)),
		("Plots", plots(results, folder)),
		("Codes", codes(results)),
		("Cycles", cycles(results)),
		("Choices of auto", choices(results)),
		("Sweeps", sweeps(results)),
		("What was measured when", measured(results)),
	]
	(folder / "report.md").write_text("# vectorizer, pgvector and hnswlib\n\n"
		+ "\n\n".join(f"## {head}\n\n{body}" for head, body in sections) + "\n")
