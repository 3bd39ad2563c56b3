"""The command `weatherlog`: prints a summary of a station's table."""

import argparse
import json
from pathlib import Path

from weatherlog import Station
from weatherlog.formats import table


def load_station(path: Path) -> Station:
    described = json.loads(path.read_text(encoding="utf-8"))
    return Station(described["name"], described["latitude"], described["longitude"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Summarize the readings of a weather station.")
    parser.add_argument("station", type=Path, help="the station's description, a JSON file")
    parser.add_argument("table", type=Path, help="its readings, a table with tabs")
    arguments = parser.parse_args()
    station = load_station(arguments.station)
    kept = table.read(station, arguments.table)
    warmest = station.warmest()
    print(f"{station.name}: {kept} readings, {station.mean_celsius():.1f} degrees on average")
    print(f"warmest on {warmest.taken_at:%d %B %Y} with {warmest.celsius:.1f} degrees")


if __name__ == "__main__":
    main()
