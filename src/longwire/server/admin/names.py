"""Names as the admin API writes them: in camel case, initials as in `baseURL` and `projectID`."""

import re

from strawberry.schema.name_converter import NameConverter

_INITIALS = re.compile(r"(?<=[a-z])(Id|Url|Api)(?=s?$|[A-Z.])")


class Names(NameConverter):
    """Gives fields and arguments their names, where they do not say them themselves."""

    def apply_naming_config(self, name: str) -> str:
        """Return the name of a field by that of its attribute."""
        return with_initials(super().apply_naming_config(name))


def with_initials(name: str) -> str:
    """Return a name in camel case with its initials in capitals."""
    return _INITIALS.sub(lambda found: found[0].upper(), name)
