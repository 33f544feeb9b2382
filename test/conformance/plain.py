"""Values as Boathouse's JSON writes them, so that rows of different readers can be compared as they are."""

import datetime
import decimal


def plain(value):
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value
