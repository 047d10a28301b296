"""What upstreams of other APIs cost: clients of three APIs before four, over HTTP.

All go through one gateway with a channel for each API. A ratio of Longwire's is to Responses over
HTTP in the same round, one of LiteLLM's is Longwire's figure for the same pair as a multiple of it.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bench import others
from bench.clients import Outcome, perform
from bench.figures import Row, Spread, ratio
from bench.modes import LARGE, PER_EVENT, PER_TURN, SMALL
from bench.processes import Server, configuration, gateway_of, serving
from bench.references import LITELLM, LONGWIRE, Missing, litellm
from bench.spoken import CHAT, MESSAGES, RESPONSES
from bench.tally import Job
from bench.wire import plan_of

GEMINI = "Gemini"
_CHANNEL = """
[[channels]]
name = "{name}"
type = "{type}"
base_url = "{url}/v1"
api_key = "any-key-will-do"
transport = "http"
apis = ["{api}"]
models = ["{api}-*"]

"""
_TYPES = {
    "responses": "openai",
    "chat_completions": "openai",
    "messages": "anthropic",
    "generate_content": "gemini",
}
_NAMES = {RESPONSES: "responses", CHAT: "chat_completions", MESSAGES: "messages"}
_NAMES[GEMINI] = "generate_content"
_PATHS = {CHAT: b"/chat/completions", MESSAGES: b"/messages", GEMINI: b":streamGenerateContent"}
_PLAIN = (RESPONSES, RESPONSES)
_PAIRS = (
    _PLAIN,
    *((RESPONSES, api) for api in (CHAT, MESSAGES, GEMINI)),
    *((MESSAGES, api) for api in (CHAT, GEMINI, MESSAGES)),
    *((CHAT, api) for api in (MESSAGES, GEMINI, CHAT)),
)
"""The API of the client, and that of the upstream."""

_BY_LITELLM = {
    (RESPONSES, MESSAGES): "anthropic",
    (CHAT, MESSAGES): "anthropic",
    (MESSAGES, CHAT): "hosted_vllm",
}
"""What LiteLLM calls upstreams of that kind."""

_TRANSLATED, _PASSED_ON, _LITELLM_TARGET = 1.6, 1.0, 1 / 15


@dataclass(frozen=True, slots=True)
class _Mode:
    """A kind of load."""

    about: str
    job: Job
    unit: str

    def job_for(self, pair: tuple[str, str], *, is_short: bool) -> Job:
        """Return the job of one pair; its model's name leads to the upstream, and has the plan."""
        client, upstream = pair
        job = replace(
            self.job,
            name=f"{self.job.name}-{_PAIRS.index(pair)}",
            plan=model_of(upstream, self.job.plan),
            api=client,
        )
        return replace(job, talks=1, sessions=max(2, job.sessions // 4)) if is_short else job

    def cost(self, outcome: Outcome, upstream: str) -> float:
        """Return the µs of CPU of a turn, or of an event of the upstream's."""
        per_turn = outcome.spent[0] / outcome.tally.turns * 1e6
        if self.unit == PER_TURN:
            return per_turn
        return per_turn / events_of(upstream, self.job.plan)


_MODES = (
    _Mode("agents, 20 KB", Job("a20", "say:23x1@5:", 30, 16, **SMALL), PER_TURN),
    _Mode("agents, 157 KB", Job("a157", "say:23x1@5:", 30, 16, **LARGE), PER_TURN),
    _Mode("20 KB at once", Job("o20", "say:23x8@0:", 8, 16, 4, **SMALL), PER_TURN),
    _Mode("157 KB at once", Job("o157", "say:23x8@0:", 8, 16, 4, **LARGE), PER_TURN),
    _Mode("bursts of 8, 20 ms", Job("bursts", "say:400x8@20:", 40, 2, opened=True), PER_EVENT),
    _Mode("paced, 30 ms", Job("paced", "say:180x1@30:", 60, 1, opened=True), PER_EVENT),
)
Taken = Mapping[tuple[str, tuple[str, str]], Sequence[float]]


def run(quick: bool) -> list[Row]:  # noqa: FBT001 - one switch for all benchmarks
    """CPU of turns and events over HTTP, by the APIs of client and upstream; LiteLLM beside."""
    with ExitStack() as stack:
        upstream = stack.enter_context(serving("bench.upstream", "http"))
        servers = {LONGWIRE: stack.enter_context(gateway_of(channels(upstream.url)))}
        _add_litellm(stack, servers, upstream.url)
        return [
            row for mode in _MODES for row in _rows(mode, _measured(servers, mode, is_short=quick))
        ]


def model_of(upstream: str, plan: str) -> str:
    """Return the name of a model of an upstream, which answers as a plan says."""
    return f"{_NAMES[upstream]}-{plan}"


def events_of(upstream: str, plan: str) -> int:
    """Count the events of an answer in an upstream's API."""
    path, known = _PATHS.get(upstream), plan_of(plan.encode())
    return others.events(path, known) if path else known.events


def channels(url: str) -> str:
    """Return the configuration of a gateway with a channel for each API."""
    before, _, _ = configuration(url).partition("[[channels]]")
    written = [
        _CHANNEL.format(name=api.replace("_", "-"), type=_TYPES[api], url=url, api=api)
        for api in _NAMES.values()
    ]
    return before + "".join(written)


def _add_litellm(stack: ExitStack, servers: dict[str, Server], url: str) -> None:
    """Start LiteLLM, with a model for each plan and upstream; or say why not."""
    models = {
        model_of(upstream, mode.job.plan): f"{kind}/{model_of(upstream, mode.job.plan)}"
        for (_, upstream), kind in _BY_LITELLM.items()
        for mode in _MODES
    }
    try:
        servers[LITELLM] = stack.enter_context(litellm(url, models))
    except (Missing, RuntimeError) as error:
        print(f"missing: {LITELLM}: {str(error)[-300:]}", flush=True)


def _measured(servers: Mapping[str, Server], mode: _Mode, *, is_short: bool) -> Taken:
    """Give every pair the same load, in turns; to LiteLLM, which takes so long, one session."""
    taken: dict[tuple[str, tuple[str, str]], list[float]] = {}
    pairs = [*itertools.product((LONGWIRE,), _PAIRS), *itertools.product((LITELLM,), _BY_LITELLM)]
    for number in range(3 if is_short else 5):
        for name, pair in pairs:
            if name not in servers or (name == LITELLM and is_short and number):
                continue
            job = mode.job_for(pair, is_short=is_short)
            if name == LITELLM:
                job = replace(job, sessions=1, talks=1)
            outcome = perform(job, servers[name], (servers[name],), is_exact=False)
            taken.setdefault((name, pair), []).append(mode.cost(outcome, pair[1]))
    return taken


def _rows(mode: _Mode, taken: Taken) -> Iterator[Row]:
    plain = taken[LONGWIRE, _PLAIN]
    for (name, pair), figures in taken.items():
        compared, target = None, None
        if name == LITELLM:
            own = taken[LONGWIRE, pair][: len(figures)]
            compared, target = ratio(own, figures), _LITELLM_TARGET
        elif pair != _PLAIN:
            compared = ratio(figures, plain)
            target = _PASSED_ON if pair[0] == pair[1] else _TRANSLATED
        what = f"CPU, {mode.about}, {pair[0]} → {pair[1]}: {name}"
        yield Row(what, Spread.of(figures), mode.unit, compared, target)
