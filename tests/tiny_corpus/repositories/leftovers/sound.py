"""Nothing is wrong with this file: what is left when everything else here is dropped."""

from decimal import Decimal


def split_bill(total: Decimal, guests: int) -> list[Decimal]:
    """Divides a bill into equal parts; the first guests pay the cents that are left."""
    cents = int(total * 100)
    share, left = divmod(cents, guests)
    return [Decimal(share + (guest < left)) / 100 for guest in range(guests)]
