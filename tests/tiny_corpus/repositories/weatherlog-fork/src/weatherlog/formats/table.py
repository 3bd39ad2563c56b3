"""Readings as lines of a table, with a tab between the columns."""

from datetime import datetime
from pathlib import Path

from .. import units
from ..station import Station


def write(station: Station, path: Path) -> None:
    lines = ["taken at\tcelsius\thumidity\tknots"]
    for reading in station.readings:
        knots = units.metres_per_second_to_knots(reading.wind_speed)
        lines.append(f"{reading.taken_at.isoformat()}\t{reading.celsius}\t{reading.humidity}\t{knots:.1f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(station: Station, path: Path) -> int:
    """Gives the station every line of the table as a reading; returns how many it kept."""
    from ..reading import Reading

    kept = 0
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        taken_at, celsius, humidity, knots = line.split("\t")
        speed = float(knots) / units.KNOTS_PER_METRE_PER_SECOND
        reading = Reading(station, datetime.fromisoformat(taken_at), float(celsius), float(humidity), speed)
        kept += station.receive(reading)
    return kept
