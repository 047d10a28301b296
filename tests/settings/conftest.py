"""Settings are read from a file in a folder of its own, and from an environment that is given."""

import textwrap

import pytest

from longwire.core.errors import ConfigurationError
from longwire.settings import load


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file that is read; nothing else is near."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "gateway.toml"


@pytest.fixture
def read(file):
    """Load the settings from a text, with an environment."""

    def read_text(text, **environ):
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return load(file, environ)

    return read_text


@pytest.fixture
def problems(read, file):
    """What is wrong with a text; the file's path is written as FILE."""

    def refused(text, **environ):
        with pytest.raises(ConfigurationError) as error:
            read(text, **environ)
        return str(error.value).replace(str(file), "FILE").split("\n")

    return refused
