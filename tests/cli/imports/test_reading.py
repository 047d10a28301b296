"""What another gateway's file may look like before anything in it is understood."""

import pytest

from longwire.cli.imports.reading import read_json, read_yaml
from longwire.core.errors import ConfigurationError


@pytest.mark.parametrize("read", [read_json, read_yaml])
def test_a_file_nested_without_end_is_refused(read, tmp_path):
    """The error names the file and what is wrong with it, and is no traceback."""
    file = tmp_path / "deep"
    file.write_text("[" * 200_000 if read is read_json else "[" * 5_000)
    with pytest.raises(ConfigurationError, match="deep: is nested too deeply"):
        read(file)
