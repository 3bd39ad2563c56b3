"""One measurement of one station. A reading knows its station, and a station its readings: a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .units import celsius_to_kelvin, heat_index

if TYPE_CHECKING:
    from .station import Station


@dataclass(frozen=True)
class Reading:
    """What the instruments of a station showed at one moment."""

    station: Station
    taken_at: datetime
    celsius: float
    humidity: float
    wind_speed: float = 0.0

    @property
    def kelvin(self) -> float:
        return celsius_to_kelvin(self.celsius)

    @property
    def feels_like(self) -> float:
        return heat_index(self.celsius, self.humidity)

    def is_plausible(self) -> bool:
        """Whether the instruments can have been in order."""
        return -60 <= self.celsius <= 60 and 0.0 <= self.humidity <= 100.0
