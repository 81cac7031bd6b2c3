"""Figures out of the results: medians of sweeps, and what they say at a given recall."""

import statistics

TIMES = ("mean", "p50", "p95", "p99")


def sweep(results, set, system, k=10, stage="latency", variant=None, clients=1):
	"""A list, by ef, of (ef, recall, figures): medians over the passes, times less the mean of the same pass's SELECT 1. A
	recall that a build ends with belongs to no pass."""
	rows = results.of(stage=stage, set=set, system=system, variant=f"k {k}" if variant is None else variant)
	rows = [row for row in rows if row["k"] == str(k) and row["clients"] == str(clients) and row["pass"]]
	floors = {row["pass"]: float(row["value"]) for row in rows if row["ef"] == "0" and row["what"] == "mean"}
	found = {}
	for row in rows:
		if row["ef"] != "0":
			less = floors.get(row["pass"], 0) if row["what"] in TIMES else 0
			found.setdefault(int(row["ef"]), {}).setdefault(row["what"], []).append(float(row["value"]) - less)
	points = []
	for ef, figures in sorted(found.items()):
		medians = {what: statistics.median(values) for what, values in figures.items()}
		points.append((ef, medians.pop("recall"), medians))
	return points


def at_recall(points, recall, what="mean"):
	"""The figure at a recall, linear between neighbours of the sweep. What begins above that recall gives its first figure,
	what does not reach it None."""
	previous = None
	for _, found, figures in points:
		if found >= recall:
			if previous is None or found == previous[0]:
				return figures[what]
			share = (recall - previous[0]) / (found - previous[0])
			return previous[1] + share * (figures[what] - previous[1])
		previous = (found, figures[what])
	return None


def ef_for(points, recall):
	"""The first ef of the sweep with that recall, or None."""
	return next((ef for ef, found, _ in points if found >= recall), None)


def figure(results, what, **wanted):
	"""One figure, the median where there are several, or None."""
	rest = {name: str(wanted.pop(name)) for name in ("pass", "ef") if name in wanted}
	rows = [row for row in results.of(**wanted)
		if row["what"] == what and all(row[name] == value for name, value in rest.items())]
	try:
		return statistics.median(float(row["value"]) for row in rows) if rows else None
	except ValueError:
		return rows[-1]["value"]


def ratio(ours, theirs):
	return None if ours is None or not theirs else ours / theirs
