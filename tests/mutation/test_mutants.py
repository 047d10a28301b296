"""The mutants stay in step with the rules they break."""

import pytest

from tests.mutation.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.breaks for mutant in MUTANTS])
def test_a_mutant_breaks_a_rule_that_stands(mutant: Mutant) -> None:
    """The text it replaces is in the source exactly once."""
    assert 1 == (ROOT / "src" / "longwire" / mutant.file).read_text().count(mutant.rule)
