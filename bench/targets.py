"""What public models cost a turn: the choice of a target and its rank, in CPU time.

`python -m bench.targets` prints microseconds a turn, for 50 models of 5 targets each.
"""

import sys
import time

from longwire.core.nouns.access import Grant
from longwire.core.nouns.model import Condition, Model, Target
from longwire.core.rules.routing import Route, choose, ranked
from longwire.core.rules.targets import TurnFacts, choose_target, resolve

MODELS, TARGETS, TURNS = 50, 5, 20_000
CONDITION = Condition(apis=("responses",), streams=True, min_tokens=10)


def main() -> None:
    """Print the costs."""
    routes = [Route(f"ch_{number}", name=f"c{number}") for number in range(TARGETS)]
    targets = tuple(
        Target(f"c{number}", model="gpt-5", order=number // 2, condition=CONDITION)
        for number in range(TARGETS)
    )
    models = [Model(f"m{n}", f"model-{n}", targets=targets) for n in range(MODELS)]
    resolved = resolve(models, routes)
    facts = TurnFacts("responses", True, True, Grant(models=("model-*",)), lambda: 100)  # noqa: FBT003

    def rules(number: int) -> None:
        choose_target(resolved[f"model-{number % MODELS}"], facts)

    def with_rank(number: int) -> None:
        choice = choose_target(resolved[f"model-{number % MODELS}"], facts)
        ranked(choice.candidates, str(number), belongs=lambda _: False, is_trusted=lambda _: True)

    def plain(number: int) -> None:
        choice = choose(routes, f"model-{number % MODELS}")
        ranked(choice.candidates, str(number), belongs=lambda _: False, is_trusted=lambda _: True)

    for name, work in (("rules", rules), ("rules and rank", with_rank), ("no model", plain)):
        begun = time.process_time()
        for number in range(TURNS):
            work(number)
        microseconds = (time.process_time() - begun) / TURNS * 1e6
        sys.stdout.write(f"{name:15} {microseconds:6.1f} µs a turn\n")


if __name__ == "__main__":
    main()
