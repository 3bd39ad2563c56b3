"""Checks of the station: from outside the package, so it is imported by its full name."""

from datetime import datetime

import pytest

from weatherlog.reading import Reading
from weatherlog.station import Station


@pytest.fixture
def station():
    return Station("Cape Ember", 47.4, 10.9)


def check_an_implausible_reading_is_not_kept(station):
    broken = Reading(station, datetime(2024, 1, 1), celsius=999.0, humidity=50.0)
    assert not station.receive(broken)
    assert station.readings == []


def check_the_warmest_reading_is_found(station):
    for celsius in (3.0, 17.5, -4.0):
        station.receive(Reading(station, datetime(2024, 6, 1), celsius, humidity=60.0))
    assert station.warmest().celsius == 17.5
