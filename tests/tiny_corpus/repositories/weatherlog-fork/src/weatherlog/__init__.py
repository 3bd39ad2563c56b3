"""Keeps a log of what weather stations measure."""

from weatherlog.reading import Reading
from weatherlog.station import Station

__all__ = ["Reading", "Station"]
