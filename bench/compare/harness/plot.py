"""Recall against latency as an SVG: small enough to write by hand, so that no plotting package is needed."""

import math

WIDTH, HEIGHT = 760, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 40, 50
COLOURS = {"vectorizer": "#1b6ca8", "pgvector": "#c0392b", "hnswlib": "#7f8c8d"}


def x_of(recall, least):
	"""By the logarithm of what is missed, so that .9, .99 and .999 lie evenly apart."""
	span = math.log(1 - least) - math.log(1 - .9995)
	return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(1 - least) - math.log(max(1 - recall, .0005))) / span


def y_of(value, low, high):
	return TOP + (HEIGHT - TOP - BOTTOM) * (math.log(high) - math.log(value)) / (math.log(high) - math.log(low))


def text(x, y, words, anchor="middle", more=""):
	return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{words}</text>'


def line(x1, y1, x2, y2):
	return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def recall_latency(title, sweeps):
	"""sweeps: by the system's name, a list of (recall, microseconds, ef) in order of ef. None if there is nothing to show."""
	sweeps = {name: points for name, points in sweeps.items() if points}
	values = [micros for points in sweeps.values() for _, micros, _ in points if micros > 0]
	if not values:
		return None
	low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
	least = min(.9, max(.5, math.floor(10 * min(recall for points in sweeps.values() for recall, _, _ in points)) / 10))
	parts = [
		f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
		f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
		text((WIDTH + LEFT - RIGHT) / 2, 22, title, more='font-size="15"'),
	]
	for recall in [.5, .6, .7, .8, .9, .95, .98, .99, .995, .998, .999]:
		if recall >= least:
			x = x_of(recall, least)
			parts += [line(x, TOP, x, HEIGHT - BOTTOM), text(x, HEIGHT - BOTTOM + 16, f"{recall:g}")]
	decade = low
	while decade <= high:
		for factor in (1, 2, 5):
			if decade * factor <= high:
				y = y_of(decade * factor, low, high)
				parts += [line(LEFT, y, WIDTH - RIGHT, y), text(LEFT - 6, y + 4, f"{decade * factor:g}", "end")]
		decade *= 10
	parts += [
		text((WIDTH + LEFT - RIGHT) / 2, HEIGHT - 12, "recall"),
		text(18, HEIGHT / 2, "mean latency less SELECT 1, microseconds", more=f'transform="rotate(-90 18 {HEIGHT / 2:.0f})"'),
	]
	for number, (name, points) in enumerate(sweeps.items()):
		colour = COLOURS.get(name, "#000")
		places = [(x_of(recall, least), y_of(micros, low, high), ef) for recall, micros, ef in points
			if recall >= least and micros > 0]
		parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
			+ " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places) + '"/>')
		for x, y, ef in places:
			parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{name}, ef {ef}</title></circle>')
		y = TOP + 20 + 22 * number
		parts += [f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 9}" width="14" height="4" fill="{colour}"/>',
			text(WIDTH - RIGHT + 38, y, name, "start")]
	return "\n".join([*parts, "</svg>"]) + "\n"
