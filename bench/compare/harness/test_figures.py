"""From bench/compare: python3 -m unittest harness.test_figures"""

import os
import tempfile
import unittest

from harness.figures import at_recall, ef_for, figure, sweep
from harness.plot import recall_latency
from harness.results import Results


def row(**named):
	return {"stage": "latency", "set": "s", "system": "ours", "version": "1", "variant": "k 10", "k": 10, "clients": 1, **named}


class Figures(unittest.TestCase):
	def setUp(self):
		self.folder = tempfile.TemporaryDirectory()
		self.results = Results(os.path.join(self.folder.name, "results.csv"))

	def tearDown(self):
		self.folder.cleanup()

	def add(self, version, means, recall=.9, floor=10, ef=40, more=()):
		self.results.add([*more, *(figure for number, mean in enumerate(means) for figure in [
			row(version=version, ef=0, what="mean", value=floor, **{"pass": number}),
			row(version=version, ef=ef, what="mean", value=mean, **{"pass": number}),
			row(version=version, ef=ef, what="recall", value=recall, **{"pass": number})])])

	def test_sweep_is_the_median_less_the_floor(self):
		self.add("1", [110, 510, 130])
		self.assertEqual(sweep(self.results, "s", "ours"), [(40, .9, {"mean": 120})])

	def test_what_belongs_to_no_pass_is_no_point(self):
		self.add("1", [110], more=[row(ef=80, what="recall", value=.9)])
		self.assertEqual([ef for ef, _, _ in sweep(self.results, "s", "ours")], [40])

	def test_the_newest_version_counts(self):
		self.add("1", [110])
		self.add("2", [60])
		self.assertEqual(sweep(self.results, "s", "ours"), [(40, .9, {"mean": 50})])

	def test_what_is_written_is_read(self):
		self.add("1", [110])
		self.assertEqual(Results(self.results.path).rows, self.results.rows)

	def test_a_measurement_is_known_when_it_has_ended(self):
		key = {name: value for name, value in row().items() if name not in ("k", "clients")}
		self.results.add([{**key, "what": "mean", "value": 1}])
		self.assertFalse(self.results.has(key))
		self.results.add([{**key, "what": "done", "value": 1}])
		self.assertTrue(self.results.has(key))
		self.assertFalse(self.results.has({**key, "version": "2"}))

	def test_interpolation(self):
		points = [(10, .90, {"mean": 100}), (20, .94, {"mean": 200}), (40, .96, {"mean": 300})]
		self.assertAlmostEqual(at_recall(points, .95), 250)
		self.assertEqual(at_recall(points, .85), 100)
		self.assertIsNone(at_recall(points, .99))
		self.assertEqual(ef_for(points, .95), 40)
		self.assertIsNone(ef_for(points, .99))

	def test_figures_that_are_words(self):
		self.results.add([row(what="info", value="four")])
		self.assertEqual(figure(self.results, "info", stage="latency"), "four")
		self.assertIsNone(figure(self.results, "size", stage="latency"))

	def test_plot(self):
		self.assertIsNone(recall_latency("t", {"ours": []}))
		self.assertIn("polyline", recall_latency("t", {"ours": [(.9, 100, 10), (1.0, 200, 20)]}))


if __name__ == "__main__":
	unittest.main()
