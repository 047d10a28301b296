#!/usr/bin/env python3
"""Draw from the code what else says it: the documentation, the admin API's schema, its words.

`python docs/generate.py` rewrites the part between the markers of a page, or the whole page.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import TypeVar

sys.path.append(str(Path(__file__).parents[1]))

from longwire.balancers.configuration import Node, Site
from longwire.balancers.engines import ENGINES
from longwire.cli import codex
from longwire.cli.clients import CLIENTS, Gateway
from longwire.core.events import Kind
from longwire.core.nouns.channel import (
    ALL_APIS,
    APIS,
    CHANNEL_TYPES,
    DEFAULT_BASE_URLS,
    DEFAULT_PATHS,
    TRANSPORTS,
    TYPES,
    UNSUPPORTED,
)
from longwire.core.nouns.passed_api import PASSED_APIS
from longwire.core.rules.continuity import Reason
from longwire.core.rules.exchange import TABLE, Ending, Phase, Step
from longwire.core.rules.lease import State
from longwire.core.rules.recovery import RECOVERY_RULES, Trouble
from longwire.core.rules.routing import Manner, way_of
from longwire.dialects.chat_completions.members import MEMBERS as CHAT_MEMBERS
from longwire.dialects.chat_completions.said_members import SAID as CHAT_SAID
from longwire.dialects.generate_content.members import CONFIG as GEMINI_CONFIG
from longwire.dialects.generate_content.members import MEMBERS as GEMINI_MEMBERS
from longwire.dialects.members import Member
from longwire.dialects.messages.claude import FAMILIES, UNKNOWN, Claude
from longwire.dialects.messages.members import MEMBERS as MESSAGES_MEMBERS
from longwire.dialects.ports import ErrorRule
from longwire.dialects.profiles.known import PROFILE_NAMES, settings_of
from longwire.dialects.profiles.profile import MEANINGS
from longwire.dialects.responses import errors
from longwire.dialects.responses.stream import KINDS
from longwire.emulator import Fault
from longwire.relay.channels.presets import Preset, presets
from longwire.relay.turns.attempts import BROKE_OFF
from longwire.server.admin.schema import schema_text
from longwire.server.alerts.messages import LABELS, NOTES
from longwire.server.http.exchange import REPLY, REQUEST, ReplyState, RequestState
from tests.dialects import outbound
from tests.journeys.faults import ROWS, Row

S = TypeVar("S", bound=Enum)

FAULTS = Path(__file__).parent / "reference" / "faults.md"
SCHEMA = Path(__file__).parent / "reference" / "schema.graphql"
ERRORS = Path(__file__).parent / "reference" / "errors.md"
PROFILES = Path(__file__).parent / "reference" / "profiles.md"
DIALECTS = Path(__file__).parent / "reference" / "dialects.md"
CLAUDE = Path(__file__).parent / "reference" / "claude.md"
WORDS = Path(__file__).parents[1] / "ui" / "src" / "api" / "words.ts"
SETUPS = Path(__file__).parents[1] / "ui" / "src" / "features" / "start" / "setups.ts"
BALANCERS = Path(__file__).parent / "how-to" / "run-behind-a-proxy.md"
COMPOSE = Path(__file__).parents[1] / "deploy" / "compose" / "haproxy.cfg"
BLOCKS = {"haproxy": "haproxy", "envoy": "yaml", "nginx": "nginx"}
PAGE = Path(__file__).parent / "explanation" / "connection-lifecycle.md"
BEGIN = "<!-- generated from longwire.core.rules.exchange by docs/generate.py: begin -->\n"
HTTP_BEGIN = "<!-- generated from longwire.server.http.exchange by docs/generate.py: begin -->\n"
ERRORS_BEGIN = "<!-- generated from the rules of errors by docs/generate.py: begin -->\n"
CHAT_BEGIN = "<!-- generated from the members of Chat Completions by docs/generate.py: begin -->\n"
CLAUDE_BEGIN = "<!-- generated from the models of Claude by docs/generate.py: begin -->\n"
MESSAGES_BEGIN = "<!-- generated from the members of Messages by docs/generate.py: begin -->\n"
OUTBOUND_BEGIN = "<!-- generated from what each dialect was asked by docs/generate.py: begin -->\n"
CHAT_SAID_BEGIN = (
    "<!-- generated from what is said in Chat Completions by docs/generate.py: begin -->\n"
)
PROFILES_BEGIN = "<!-- generated from the profiles of vendors by docs/generate.py: begin -->\n"
PRESETS_BEGIN = "<!-- generated from the presets of vendors by docs/generate.py: begin -->\n"
GEMINI_BEGIN = "<!-- generated from the members of Gemini by docs/generate.py: begin -->\n"
END = "<!-- generated: end -->\n"
API_TITLES = {
    "responses": "Responses",
    "chat_completions": "Chat Completions",
    "messages": "Messages",
    "generate_content": "Gemini",
}
_FAILING = 500
_FAULTS_HEAD = """\
# Faults

Each row is played by the test run, streamed and as JSON, as a session's first turn and as a later
one: it says what the client gets when the [emulator](emulator.md#fault-points) strikes its turn so,
what becomes of the upstream connection, and how the session's next turn travels; the one after that
always continues.

A transport is named where `websocket` and `auto` differ. Behind `error` stand the
[shapes](emulator.md#error-shapes) of the frame. How to read `fresh` and its reasons:
[response headers](headers.md#reasons)."""


def generated() -> str:
    """The diagram, the table of transitions and the table of endings, as Markdown."""
    return "\n".join([*_diagram(), "", *_transitions(), "", *_endings(), ""])


def renewed(page: str) -> str:
    """The page with its generated parts replaced."""
    for begin, part in ((BEGIN, generated()), (HTTP_BEGIN, http_exchange())):
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(END)
        page = f"{before}{begin}\n{part}\n{END}{after}"
    return page


def http_exchange() -> str:
    """The diagrams and tables of a client's request and of the reply to it, as Markdown."""
    request = _side(REQUEST, (RequestState.EXPECTING, RequestState.RECEIVING))
    return "\n".join([*request, *_side(REPLY, (ReplyState.NOT_BEGUN,))])


def _side(table: Mapping[str, Mapping[S, S]], first: tuple[S, ...]) -> Iterator[str]:
    arrows: dict[tuple[S, S], list[str]] = {}
    for happening, steps in table.items():
        for state, after in steps.items():
            if after is not state:
                arrows.setdefault((state, after), []).append(happening)
    yield from ("```mermaid", "stateDiagram-v2")
    yield from (f"    [*] --> {state.value}" for state in first)
    for (state, after), happenings in arrows.items():
        yield f"    {state.value} --> {after.value}: {', '.join(happenings)}"
    states = list(type(first[0]))
    yield from (
        "```",
        "",
        f"| what happens | {' | '.join(f'in {each.value}' for each in states)} |",
    )
    yield f"|---|{'---|' * len(states)}"
    for happening, steps in table.items():
        cells = (_next_state(state, steps.get(state)) for state in states)
        yield f"| `{happening}` | {' | '.join(cells)} |"
    yield ""


def _next_state(state: Enum, after: Enum | None) -> str:
    if after is None:
        return "bug"
    return "stays" if after is state else f"→ {after.value}"


def renewed_errors(page: str) -> str:
    """The page of errors with its generated part replaced."""
    before, _, rest = page.partition(ERRORS_BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join([*_error_rules(), "", *_troubles()])
    return f"{before}{ERRORS_BEGIN}\n{table}\n\n{END}{after}"


def renewed_claude(page: str) -> str:
    """The page of Claude with its models renewed."""
    before, _, rest = page.partition(CLAUDE_BEGIN)
    _, _, after = rest.partition(END)
    rows = [(each.names, each.claude, each.source) for each in FAMILIES]
    rows.append(("any other name", UNKNOWN, "Claude Code 2.1.332"))
    table = "\n".join(_claude_row(*row) for row in rows)
    head = (
        "| `claude-…` | `max_tokens` | thinking | efforts | system messages | schemas | sampling "
    )
    return f"{before}{CLAUDE_BEGIN}\n{head}| source |\n{'|---' * 8}|\n{table}\n\n{END}{after}"


def _claude_row(names: str, claude: Claude, source: str) -> str:
    flags = (claude.takes_system, claude.takes_schemas, claude.takes_sampling)
    shown = names.replace("|", r"\|")
    cells = (
        f"`{shown}`" if claude is not UNKNOWN else shown,
        f"{claude.longest:,}",
        claude.thinking.value,
        ", ".join(claude.efforts) or "none",
        *("yes" if flag else "no" for flag in flags),
        source,
    )
    return f"| {' | '.join(cells)} |"


def renewed_dialects(page: str) -> str:
    """The page of dialects with its generated parts replaced."""
    config = {f"generationConfig.{name}": row for name, row in GEMINI_CONFIG.items()}
    tables = {
        CHAT_BEGIN: CHAT_MEMBERS,
        MESSAGES_BEGIN: MESSAGES_MEMBERS,
        GEMINI_BEGIN: {**GEMINI_MEMBERS, **config},
        CHAT_SAID_BEGIN: CHAT_SAID,
    }
    for begin, members in tables.items():
        page = _with_members(page, begin, members)
    before, _, rest = page.partition(OUTBOUND_BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(outbound.table())
    return f"{before}{OUTBOUND_BEGIN}\n{table}\n\n{END}{after}"


def renewed_profiles(page: str) -> str:
    """The page of profiles with its generated parts replaced."""
    parts = {PROFILES_BEGIN: [*_settings(), *_profiles()], PRESETS_BEGIN: [*_presets(), ""]}
    for begin, lines in parts.items():
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(END)
        table = "\n".join(lines)
        page = f"{before}{begin}\n{table}\n{END}{after}"
    return page


def _presets() -> Iterator[str]:
    """One row for each vendor: its channel, and which way turns of each API go there."""
    titles = [API_TITLES[api] for api in APIS]
    yield f"| preset | vendor | base URL | its APIs | profile | {' | '.join(titles)} |"
    yield "|---" * (5 + len(titles)) + "|"
    for each in presets():
        name = f"[{each.vendor}]({each.source})"
        profile = f"[{each.profile}](#{each.profile})" if each.profile else ""
        offered = ", ".join(API_TITLES[api] for api in each.apis if api in API_TITLES)
        cells = (f"`{each.name}`", name, f"`{each.base_url}`", offered, profile)
        yield f"| {' | '.join((*cells, *(_way(each, api) for api in APIS)))} |"


def _way(preset: Preset, api: str) -> str:
    way = way_of(api, preset.apis, preset.apis, is_read=True, may_drop=False)
    if way is None:
        return "refused"
    if way.manner is Manner.SESSION:
        return "session"
    return "as it is" if way.manner is Manner.NATIVE else API_TITLES[way.api]


def _settings() -> Iterator[str]:
    yield from ("| setting | what it says |", "|---|---|")
    yield from (f"| `{name}` | {meaning} |" for name, meaning in MEANINGS.items())
    yield ""


def _profiles() -> Iterator[str]:
    """One table for each vendor: where it differs, and where that was seen."""
    for name in PROFILE_NAMES:
        yield from (f"## {name}", "", "| setting | value | source |", "|---|---|---|")
        yield from (f"| `{e.name}` | `{e.value}` | {e.source} |" for e in settings_of(name))
        yield ""


def _with_members(page: str, begin: str, members: Mapping[str, Member]) -> str:
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(END)
    lines = (f"| `{name}` | {row.fate.value} | {row.sentence} |" for name, row in members.items())
    table = "\n".join(["| member | what becomes of it | how |", "|---|---|---|", *lines])
    return f"{before}{begin}\n{table}\n\n{END}{after}"


def _error_rules() -> Iterator[str]:
    """One row for each code, text and status that has a rule."""
    yield "| an upstream's error | without a status | what it is | its WebSocket | source |"
    yield "|---|---|---|---|---|"
    for rule in errors.ERROR_RULES:
        meaning = f"{_meaning(rule)} | {_socket(rule)} | {rule.source}"
        yield f"| {_name(rule)} | {rule.status} | {meaning} |"
    for status, rule in errors.BY_STATUS.items():
        if status <= _FAILING:
            name = "5xx" if status == _FAILING else status
            meaning = f"{_meaning(rule)} | {_socket(rule)} | {rule.source}"
            yield f"| any other, status {name} | | {meaning} |"
    yield f"| any other | 502 | {Trouble.REFUSED.value} | kept | |"


def _name(rule: ErrorRule) -> str:
    """Name what it is known by; in bold, so that it is told from codes of the gateway."""
    return (
        f"**{rule.code}**" if rule.code else f"the text “{rule.text.pattern if rule.text else ''}”"
    )


def _meaning(rule: ErrorRule) -> str:
    return rule.trouble.value if rule.trouble else "what its status says"


def _socket(rule: ErrorRule) -> str:
    if rule.trouble is None:
        return "as its status says"
    return "closed" if rule.ends_connection else "kept"


def _troubles() -> Iterator[str]:
    """One row for each trouble: what comes next, and what it says of the channel."""
    yield "| what struck | what comes next, if it can | the channel | reason told |"
    yield "|---|---|---|---|"
    for trouble, rule in RECOVERY_RULES.items():
        steps = "; ".join(each.value for each in rule.recoveries) or "the client is told"
        reason = f"`{rule.reason.value}`" if rule.reason else ""
        once = " (once a turn: it may be billed twice)" if rule.may_bill_twice else ""
        yield f"| {trouble.value} | {steps}{once} | {rule.blame.value} | {reason} |"


def _diagram() -> Iterator[str]:
    """One arrow per pair of phases and fate of the connection, labelled with what it brings."""
    arrows: dict[tuple[str, str, str], dict[str, None]] = {}
    for (phase, kind), step in TABLE.items():
        fate = _fate(step.ending) if step.ending else ""
        label = step.ending.name if step.ending else kind.value
        if step.to is not phase or step.passes:
            if step.passes and not step.ending:
                label = "events pass" if step.to is phase else "the first event passes"
            arrows.setdefault((phase.value, step.to.value, fate), {})[label] = None
    yield from ("```mermaid", "stateDiagram-v2", f"    [*] --> {Phase.READY.value}")
    for (start, end, fate), labels in arrows.items():
        yield f"    {start} --> {end}: {', '.join(labels)}{f' ({fate})' if fate else ''}"
    yield "```"


def _transitions() -> Iterator[str]:
    phases = list(Phase)
    yield f"| what happens | {' | '.join(f'in {phase.value}' for phase in phases)} |"
    yield f"|---|{'---|' * len(phases)}"
    for kind in Kind:
        cells = (_cell(phase, TABLE[phase, kind]) for phase in phases)
        names = ", ".join(f"`{name}`" for name, named in KINDS.items() if named is kind)
        happening = f"{kind.value}: {names}" if names else kind.value
        yield f"| {happening} | {' | '.join(cells)} |"


def _cell(phase: Phase, step: Step) -> str:
    fate = "passes" if step.passes else "ignored"
    if step.ending is not None:
        return f"**{step.ending.name}**{', passes' if step.passes else ''}"
    return fate if step.to is phase else f"→ {step.to.value}{', passes' if step.passes else ''}"


def _endings() -> Iterator[str]:
    endings = dict.fromkeys(step.ending for step in TABLE.values() if step.ending)
    yield "| ending | its connection | remembers the turn |"
    yield "|---|---|---|"
    for ending in sorted(endings, key=_rank):
        yield f"| {ending.name} | {_fate(ending)} | {'yes' if ending.remembers else 'no'} |"


def _rank(ending: Ending) -> tuple[bool, bool]:
    return not ending.remembers, not ending.keeps_connection


def _fate(ending: Ending) -> str:
    return "kept" if ending.keeps_connection else "closed"


def faults() -> str:
    """The page of faults: what strikes a turn, and what its client gets."""
    return "\n".join([_FAULTS_HEAD, *_fault_groups(ROWS), ""])


def _fault_groups(rows: Iterable[Row]) -> Iterator[str]:
    for group, members in groupby(rows, key=lambda row: row.group):
        yield from ("", f"## {group}", "")
        yield "| what strikes | played as | the client gets | its connection | the next turn |"
        yield "|---|---|---|---|---|"
        for row in members:
            cells = (row.what, _played(row), _result(row), row.fate.value, _next(row))
            yield f"| {' | '.join(cells)} |"


def _result(row: Row) -> str:
    if row.auto == row.websocket:
        return str(row.websocket)
    return f"`websocket`: {row.websocket}; `auto`: {row.auto}"


def _next(row: Row) -> str:
    return " ".join(f"`{word}`" for word in row.after.split()) or "as if nothing had been"


def _played(row: Row) -> str:
    """Name the emulator's faults of a row: the points, then the acts at each of them."""
    if not row.faults:
        return f"script: `finish={row.script.finish}`" if not row.waits else "script: no terminal"
    points = ", ".join(f"`{point}`" for point in dict.fromkeys(fault.at for fault in row.faults))
    acts = {act: dict.fromkeys(detail for _, detail in pairs) for act, pairs in _acts(row.faults)}
    told = (
        f"`{act}`{' ' if any(details) else ''}{', '.join(filter(None, details))}"
        for act, details in acts.items()
    )
    return f"{points}: {'; '.join(told)}"


def _acts(faults: Iterable[Fault]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    pairs = sorted(((fault.act, _detail(fault)) for fault in faults), key=lambda pair: pair[0])
    for act, members in groupby(pairs, key=lambda pair: pair[0]):
        yield act, [*members]


def _detail(fault: Fault) -> str:
    match fault.act:
        case "close":
            return str(fault.code or "without a code")
        case "refuse":
            return str(fault.status)
        case "error":
            return f"`{fault.shape}`"
        case _:
            return ""


def renewed_balancers(page: str) -> str:
    """The page of proxies with what `longwire fleet` prints for three gateways."""
    nodes = [Node(name, "127.0.0.1", 8090 + n) for n, name in enumerate(("one", "two", "three"))]
    site = Site(nodes, port=443, certificate="/etc/ssl/longwire.pem")
    for name, language in BLOCKS.items():
        block = f"```{language}\n{ENGINES[name].configured(site)}```"
        page = re.sub(
            rf"```{language}\n.*?```", lambda _, block=block: block, page, flags=re.DOTALL
        )
    return page


def compose_balancer() -> str:
    """What `longwire fleet haproxy` prints for the gateways of the Compose file."""
    nodes = [Node(f"lw-{number}", f"172.28.90.{10 + number}", 8090) for number in range(3)]
    return ENGINES["haproxy"].configured(Site(nodes))


def words() -> str:
    """The words that the admin API has as texts, and their defaults, as a module of the pages."""
    lists = {
        ("CHANNEL_TYPES", "ChannelType"): TYPES,
        ("API_FORMATS", "ApiFormat"): APIS,
        ("PASSED_APIS", "PassedApi"): PASSED_APIS,
        ("ALL_APIS", "AnyApi"): ALL_APIS,
        ("TRANSPORTS", "Transport"): TRANSPORTS,
        ("UNSUPPORTED", "Unsupported"): UNSUPPORTED,
        ("SESSION_STATES", "SessionState"): [state.value for state in State],
        ("REASONS", "Reason"): [reason.value for reason in Reason],
        ("TROUBLES", "Trouble"): [trouble.name.lower() for trouble in Trouble],
    }
    problems = {each.name.lower(): each.value for each in Trouble} | {"broke_off": BROKE_OFF}
    apis = {name: each.apis for name, each in CHANNEL_TYPES.items()}
    return "\n".join(
        [
            "/** Words that the schema has as texts. Written by docs/generate.py. */",
            *(line for names, each in lists.items() for line in _list(*names, each)),
            *_defaults("DEFAULT_BASE_URLS", "ChannelType", DEFAULT_BASE_URLS),
            *_defaults("DEFAULT_APIS", "ChannelType", apis, "readonly AnyApi[]"),
            *_defaults("DEFAULT_PATHS", "AnyApi", DEFAULT_PATHS),
            *_sentences("ALERT_NOTES", {each.name: text for each, text in NOTES.items()}),
            *_sentences("ALERT_LABELS", {each.name: text for each, text in LABELS.items()}),
            *_sentences("PROBLEMS", problems),
            "",
        ]
    )


def _list(name: str, union: str, each: Iterable[str]) -> Iterator[str]:
    yield f"\nexport const {name} = ["
    yield from (f"  {json.dumps(word)}," for word in each)
    yield "] as const;"
    yield f"export type {union} = (typeof {name})[number];"


def _sentences(name: str, by_word: Mapping[str, str]) -> Iterator[str]:
    """What the server says in English, by what the page knows it by."""
    yield f"\nexport const {name} = {{"
    yield from (f"  {word}: {json.dumps(text)}," for word, text in by_word.items())
    yield "} as const;"


def _defaults(
    name: str, union: str, by_word: Mapping[str, object], kind: str = "string"
) -> Iterator[str]:
    yield f"\nexport const {name}: Record<{union}, {kind}> = {{"
    for word, default in by_word.items():
        name = word if word.isidentifier() else json.dumps(word)
        yield f"  {name}: {json.dumps(default)},"
    yield "};"


def setups() -> str:
    """What `longwire setup` prints for each client, as a module of the pages."""
    gateway = Gateway("%root%", "%model%", "LONGWIRE_KEY", "%key%")
    texts = {"codex": _codex_setup(gateway)}
    texts |= {client.name: client.printed(gateway).rstrip() for client in CLIENTS}
    return "\n".join(
        [
            "/** What points clients here, as `longwire setup` prints it, with %root%, %model%",
            " * and %key% to be filled in. Written by docs/generate.py. */",
            "export const SETUPS = {",
            *(f"  {_text(name)}: {_text(text)}," for name, text in texts.items()),
            "} as const;",
            "",
        ]
    )


def _codex_setup(gateway: Gateway) -> str:
    """What `longwire setup codex` prints, where it stands, and how to start it."""
    block = codex.rendered(codex.Block(f"{gateway.url}/v1", "longwire", gateway.env_key))
    start = f"export {gateway.env_key}='{gateway.key}'\ncodex --model {gateway.model}"
    return f"# ~/.codex/config.toml\n{block}\n# then, in a shell\n{start}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def main() -> int:
    """Rewrite the pages."""
    SETUPS.write_text(setups(), encoding="utf-8")
    FAULTS.write_text(faults(), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    ERRORS.write_text(renewed_errors(ERRORS.read_text(encoding="utf-8")), encoding="utf-8")
    CLAUDE.write_text(renewed_claude(CLAUDE.read_text(encoding="utf-8")), encoding="utf-8")
    DIALECTS.write_text(renewed_dialects(DIALECTS.read_text(encoding="utf-8")), encoding="utf-8")
    PROFILES.write_text(renewed_profiles(PROFILES.read_text(encoding="utf-8")), encoding="utf-8")
    BALANCERS.write_text(renewed_balancers(BALANCERS.read_text("utf-8")), encoding="utf-8")
    COMPOSE.write_text(compose_balancer(), encoding="utf-8")
    WORDS.write_text(words(), encoding="utf-8")
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
