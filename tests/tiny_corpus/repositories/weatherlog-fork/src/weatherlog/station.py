"""A weather station and the readings that it has sent."""

from dataclasses import dataclass, field

from .reading import Reading


@dataclass
class Station:
    """A place with instruments. Readings are kept in the order in which they arrive."""

    name: str
    latitude: float
    longitude: float
    readings: list[Reading] = field(default_factory=list)

    def receive(self, reading: Reading) -> bool:
        """Keeps a reading if it is plausible, and says whether it was."""
        if reading.is_plausible():
            self.readings.append(reading)
            return True
        return False

    def warmest(self) -> Reading:
        return max(self.readings, key=lambda reading: reading.celsius)

    def mean_celsius(self) -> float:
        return sum(reading.celsius for reading in self.readings) / len(self.readings)
