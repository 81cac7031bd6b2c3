"""The measurements: one CSV file that only ever grows, a line a figure."""

import csv
import datetime
import os

COLUMNS = ["time", "stage", "set", "system", "version", "variant", "k", "clients", "ef", "pass", "what", "value"]

# What makes a measurement the same as another: the newest of them counts.
KEY = ["stage", "set", "system", "version", "variant"]


class Results:
	def __init__(self, path):
		self.path = path
		self.rows = []
		if os.path.exists(path):
			with open(path, newline="") as file:
				self.rows = list(csv.DictReader(file))
		else:
			with open(path, "w", newline="") as file:
				csv.writer(file).writerow(COLUMNS)

	def add(self, rows):
		"""Appends figures, dictionaries of some of COLUMNS each, all or none."""
		now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
		rows = [{column: str({"time": now, **row}.get(column, "")) for column in COLUMNS} for row in rows]
		with open(self.path, "a", newline="") as file:
			csv.DictWriter(file, COLUMNS).writerows(rows)
		self.rows += rows

	def has(self, key):
		"""Whether the measurement has been ended: its last line says so."""
		return any(row["what"] == "done" and all(row[name] == key.get(name, "") for name in KEY) for row in self.rows)

	def of(self, **wanted):
		"""The rows with these values of columns, of the newest measurement of each key and the newest version of each system."""
		rows = [row for row in self.rows if all(row[name] == str(value) for name, value in wanted.items())]
		version, batch = {}, {}
		for row in rows:
			thing = (row["stage"], row["set"], row["system"], row["variant"])
			version[thing] = row["version"]
			batch[thing] = row["time"]
		return [
			row for row in rows
			for thing in [(row["stage"], row["set"], row["system"], row["variant"])]
			if row["version"] == version[thing] and row["time"] == batch[thing]
		]
