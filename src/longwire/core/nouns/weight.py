"""The share that something has among others of its kind: a number that can be multiplied."""

from typing import Final

LEAST_WEIGHT: Final = 1e-9
GREATEST_WEIGHT: Final = 1e9
WEIGHT_MEND: Final = "must be greater than 0: 0.000000001 to 1000000000"


def is_weight(weight: float) -> bool:
    """Whether it is a share: what is no number and what is endless is none."""
    return LEAST_WEIGHT <= weight <= GREATEST_WEIGHT
