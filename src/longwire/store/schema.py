"""What all tables share: the collection they are in, and the types of their columns.

Times are ms since 1970 UTC, costs billionths of a US dollar, ids short texts.
"""

from sqlalchemy import MetaData, String

from longwire.core.nouns.turn_row import LONGEST_NAME, LONGEST_WORD

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
NAME = String(LONGEST_NAME)
WORD = String(LONGEST_WORD)
