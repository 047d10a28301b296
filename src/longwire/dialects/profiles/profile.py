"""What one vendor does differently from the API it speaks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A vendor's differences. `issuer` names who can read what it seals, and nobody else."""

    name: str
    issuer: str = ""


GENERIC = Profile("generic")
"""Who does nothing differently, as far as is known."""
