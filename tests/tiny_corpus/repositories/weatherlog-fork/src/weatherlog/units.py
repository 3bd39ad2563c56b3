"""Units of measurement, and how one is turned into another."""

ZERO_CELSIUS_IN_KELVIN = 273.15
KNOTS_PER_METRE_PER_SECOND = 1.943844


def celsius_to_kelvin(celsius: float) -> float:
    return celsius + ZERO_CELSIUS_IN_KELVIN


def celsius_to_fahrenheit(celsius: float) -> float:
    return celsius * 9 / 5 + 32


def metres_per_second_to_knots(speed: float) -> float:
    return speed * KNOTS_PER_METRE_PER_SECOND


def heat_index(celsius: float, humidity: float) -> float:
    """How hot the air feels, by the simple formula of Steadman."""
    fahrenheit = celsius_to_fahrenheit(celsius)
    felt = 0.5 * (fahrenheit + 61.0 + (fahrenheit - 68.0) * 1.2 + humidity * 0.094)
    return (felt - 32) * 5 / 9
