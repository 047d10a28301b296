"""Every way in which settings can be wrong is told with its place and its mend."""

import pytest

from longwire.core.nouns.channel import ALL_APIS
from longwire.core.nouns.weight import WEIGHT_MEND
from longwire.dialects.profiles.known import PROFILE_NAMES

PATTERN = "[0].model: 'a-[' has a '[' without its ']'; write [[] for the character itself"
NAMES = ", ".join(PROFILE_NAMES)
APIS = f"{', '.join(map(repr, ALL_APIS[:-1]))} or {ALL_APIS[-1]!r}"
NO_TEXT = "Expected `str`, got `int`"
PRICE = 'model = "a"\ninput = 1\noutput = 1'
CHANNEL = '[[channels]]\nname = "a"\napi_key = "k"\n'
NO_TRANSPORT = (
    ': only the responses API has a websocket transport; write transport = "http" for the endpoint '
)
HEADER = "no header name; write letters, digits, '-' and '_'"
BASE_URL = "must be an http, https, ws or wss URL with a host, as in https://api.openai.com/v1"
CREDENTIAL = "is empty or not printable ASCII without spaces; write the key alone"
PROXY = "must be an http, https, socks4 or socks5 URL with a host, as in http://proxy:3128"
ASCII = "must be printable ASCII without spaces"
NAME = "a name has letters, digits, '.', '_', '-'; rename it"
ZERO = 'must be longer than nothing; write for example "1s"'
DURATION = 'write a number with its unit, as in "20s", "250ms" or "1h30m"'
JSON = "Expecting property name enclosed in double quotes: line 1 column 3 (char 2)"
OF_AN_API = (
    "the path of an API, which is appended to it; leave that out, or write ## behind it to use the "
    "URL exactly as it stands"
)
ORIGIN = (
    "is no origin; write scheme, host and port and nothing behind them, as a browser sends them: "
    '"http://localhost:5173", or "*" for any page'
)
LOWER = "lower it to 4 or raise max_connections"
LIST = 'write for example ["a"], or a, b'
SIZE = 'write a number with its unit, as in "64MiB", "1GB" or "512B"'


NETWORK = '10.0.0.1/8 has host bits set; write "127.0.0.1", or a network as "10.0.0.0/8"'


@pytest.mark.parametrize(
    ("section", "line", "problem"),
    [
        ("server", "port = 65536", "port: must be less than or equal to 65535"),
        ("server", "port = -1", "port: must be greater than or equal to 0"),
        (
            "server",
            'port = "http"',
            "port: must be a valid integer, unable to parse string as an integer",
        ),
        ("server", 'host = ""', "host: must have at least 1 character"),
        ("server", "max_body = 5", f"max_body: a bare number is no size; {SIZE}"),
        ("server", 'max_body = "5 apples"', f"max_body: no size; {SIZE}"),
        (
            "server",
            'max_body = "0B"',
            'max_body: must be at least one byte; write for example "1MiB"',
        ),
        (
            "server",
            "shutdown_grace = 30",
            f"shutdown_grace: a bare number is no duration; {DURATION}",
        ),
        ("server", 'keep_alive_comment = "0s"', f"keep_alive_comment: {ZERO}"),
        (
            "server",
            'allow_anonymous = "perhaps"',
            "allow_anonymous: must be a valid boolean, unable to interpret input",
        ),
        ("server", "prot = 1", "prot: unknown key; did you mean port?"),
        (
            "database",
            "zzz = 1",
            "zzz: unknown key; known here: url, secret_key, pool_size, max_overflow, log_interval",
        ),
        ("database", 'url = "mysql://h/d"', "url: must begin with sqlite:/// or postgresql://"),
        ("sessions", 'idle_ttl = "soon"', f"idle_ttl: no duration; {DURATION}"),
        (
            "sessions",
            'max_lifetime = "61m"',
            'max_lifetime: the upstream closes at 60 minutes; write "60m" or less',
        ),
        ("sessions", "max_connections = 0", "max_connections: must be greater than or equal to 1"),
        ("sessions", 'session_headers = ["a b"]', f"session_headers[0]: {HEADER}"),
        (
            "sessions",
            'session_headers = ["x-a", "X-Api-Key"]',
            "session_headers: x-api-key carries a key, and what it says is logged; remove it",
        ),
        (
            "sessions",
            'trace_headers = ["Authorization"]',
            "trace_headers: authorization carries a key, and what it says is logged; remove it",
        ),
        ("server", 'cors_origins = ["localhost:5173"]', f"cors_origins[0]: {ORIGIN}"),
        ("server", 'cors_origins = ["*", "http://a.example/"]', f"cors_origins[1]: {ORIGIN}"),
        ("server", 'cors_origins = ["null"]', f"cors_origins[0]: {ORIGIN}"),
        ("server", 'trusted_proxies = ["10.0.0.1/8"]', f"trusted_proxies[0]: {NETWORK}"),
    ],
)
def test_sections(problems, section, line, problem):
    """A wrong value of a section names the file, the dotted key and the mend."""
    assert problems(f"[{section}]\n{line}\n") == [f"FILE: {section}.{problem}"]


def test_any_page_needs_a_key(problems):
    """Where nobody needs a key, not every page that is open in some browser may call."""
    fault = (
        'FILE: server: cors_origins is "*" while allow_anonymous asks for no key: any page that is '
        "open in a browser near this gateway could use it; name the origins"
    )
    assert [fault] == problems('[server]\nallow_anonymous = true\ncors_origins = ["*"]\n')


def test_session_within_the_total(problems):
    """A session cannot hold more connections than there are."""
    assert problems("[sessions]\nmax_connections = 4\n") == [
        f"FILE: sessions: max_connections_per_session is more than max_connections; {LOWER}"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("weight = 0", f"weight: {WEIGHT_MEND}"),
        ("weight = 1e308", f"weight: {WEIGHT_MEND}"),
        ("weight = nan", "weight: must be a finite number"),
        ("weight = inf", "weight: must be a finite number"),
        ("models = []", "models: is empty; name at least one, or leave it out"),
        ('transport = "sse"', "transport: must be 'auto', 'websocket' or 'http'"),
        ('type = "azure"', "type: must be 'openai', 'codex', 'anthropic' or 'gemini'"),
        ('base_url = "ftp://h"', f"base_url: {BASE_URL}"),
        ('base_url = "api.openai.com/v1"', f"base_url: {BASE_URL}"),
        ('base_url = "https:///v1"', f"base_url: {BASE_URL}"),
        ('base_url = "http://h:1/v1/responses"', f"base_url: ends with /responses, {OF_AN_API}"),
        (
            'base_url = "https://h/#v1"',
            "base_url: '#' marks stand at the very end, two at most; remove the others",
        ),
        (
            'base_url = "https://h/v1###"',
            "base_url: '#' marks stand at the very end, two at most; remove the others",
        ),
        (
            'base_url = "https://h:0/v1"',
            "base_url: has port 0; write the port of the upstream",
        ),
        ('base_url = "https://h:99999"', "base_url: is no URL (Port out of range 0-65535)"),
        ('organization = "my org"', f"organization: {ASCII}"),
        ('project = "proj\\n"', f"project: {ASCII}"),
        (
            'proxy = "proxy:8080"',
            f"proxy: {PROXY}",
        ),
        ('tls_ca = "gone.pem"', "tls_ca: there is no such file; check the path"),
        (
            'renames = { "a-[" = "b" }',
            "renames: 'a-[' has a '[' without its ']'; write [[] for the character itself",
        ),
        (
            'renames = ["a"]',
            'renames: is no table; write for example { "claude-*" = "gpt-5.2" }',
        ),
        ('model = "m"', "model: unknown key; did you mean models?"),
        ('apis = ["messages", "messages"]', 'apis: "messages" stands 2 times; keep one'),
        (
            'apis = ["chat"]',
            f"apis[0]: must be {APIS}",
        ),
        (
            'profile = "depseek"',
            f"profile: there is no profile 'depseek'; did you mean deepseek? There are {NAMES}",
        ),
        ("apis = []", "apis: is empty; name at least one, or leave it out"),
        (
            "prices = 3",
            "prices: is no list; write for example [ … ], or a table in [[ ]] for each entry",
        ),
        ("quirks = { issuer = 1 }", f"quirks: the quirk 'issuer' cannot be 1: {NO_TEXT}"),
        ('unsupported = "ignore"', "unsupported: must be 'refuse' or 'drop'"),
        (
            'quirks = ["a"]',
            'quirks: is no table; write for example { "token_member" = "max_tokens" }',
        ),
    ],
)
def test_channels(problems, line, problem):
    """A wrong value of a channel names the channel's place in the list."""
    assert problems(CHANNEL + line) == [f"FILE: channels[0].{problem}"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "threads = true",
            "threads: only the messages API has them; add messages to apis, or leave threads off",
        ),
        (
            'type = "anthropic"\ntransport = "websocket"',
            'transport: only the responses API has a websocket; add it to apis, or write "http"',
        ),
        (
            'type = "codex"\napis = ["responses", "messages"]',
            "apis: of this type there is responses alone; leave apis out",
        ),
        (
            'threads = true\n[[channels.endpoints]]\napi = "messages"',
            (
                "endpoints.0.api: messages is not offered; add it to apis, or remove this "
                "endpoint; threads: only the messages API has them; add messages to apis, or "
                "leave threads off"
            ),
        ),
    ],
)
def test_what_goes_with_the_apis_of_a_channel(problems, line, problem):
    """A setting that none of the channel's APIs has is refused, and the mend is said."""
    assert problems(CHANNEL + line) == [f"FILE: channels[0]: {problem}"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('api_key = "k"', ".name: is missing; add name = …"),
        ('name = "a b"\napi_key = "k"', f".name: {NAME}"),
        ('name = ""\napi_key = "k"', f".name: {NAME}"),
        (
            'name = "a"',
            ': api_key is missing; write for example api_key = "${OPENAI_API_KEY}"',
        ),
        (
            'name = "a"\ntype = "anthropic"',
            ': api_key is missing; write for example api_key = "${ANTHROPIC_API_KEY}"',
        ),
        ('name = "a"\napi_key = ""', f".api_key: {CREDENTIAL}"),
        ('name = "a"\napi_key = "sk 1"', f".api_key: {CREDENTIAL}"),
        ('name = "a"\napi_key = "sk-1\\n"', f".api_key: {CREDENTIAL}"),
    ],
)
def test_channel_identity(problems, lines, problem):
    """A channel has a plain name and a usable key."""
    assert problems(f"[[channels]]\n{lines}\n") == [f"FILE: channels[0]{problem}"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            'api = "embedding"',
            f".api: must be {APIS}",
        ),
        ('path = "/x"', ".api: is missing; add api = …"),
        (
            'api = "responses"\npath = "x"',
            '.path: must begin with "/", as in "/v1/responses"',
        ),
        ('api = "responses"\nurl = "x"', ".url: unknown key; did you mean base_url?"),
    ],
)
def test_endpoints(problems, lines, problem):
    """A wrong endpoint names its place in the channel."""
    text = f"{CHANNEL}[[channels.endpoints]]\n{lines}\n"
    assert problems(text) == [f"FILE: channels[0].endpoints[0]{problem}"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('model = "a-["\ninput = 1\noutput = 1', PATTERN),
        ('model = "a"\ninput = -1\noutput = 1', "[0].input: must be greater than or equal to 0"),
        ('model = "a"\ninput = 1', "[0].output: is missing; add output = …"),
        ('model = "a"\ninput = true\noutput = 1', "[0].input: must be a number, as in 1.25"),
        (
            f"{PRICE}\ncost = 1",
            "[0].cost: unknown key; known here: model, input, cached, cache_write, output, tiers",
        ),
        (
            f"{PRICE}\n[[channels.prices]]\n{PRICE}",
            ': model "a" stands 2 times; change or remove one',
        ),
    ],
)
def test_prices(problems, lines, problem):
    """A wrong price names its place in the channel."""
    text = f"{CHANNEL}[[channels.prices]]\n{lines}\n"
    assert problems(text) == [f"FILE: channels[0].prices{problem}"]


@pytest.mark.parametrize(
    ("of_channel", "lines", "api"),
    [
        ("", 'api = "messages"\ntransport = "websocket"', "messages"),
        ("", 'api = "chat_completions"\nbase_url = "wss://h"', "chat_completions"),
        ('transport = "websocket"', 'api = "messages"', "messages"),
        ('base_url = "wss://h"', 'api = "messages"', "messages"),
    ],
)
def test_only_responses_have_a_websocket(problems, of_channel, lines, api):
    """No other API is given a websocket, be it set there, inherited, or read from the address."""
    apis = 'apis = ["responses", "chat_completions", "messages"]'
    text = f"{CHANNEL}{apis}\n{of_channel}\n[[channels.endpoints]]\n{lines}\n"
    assert problems(text) == [f"FILE: channels[0]{NO_TRANSPORT}{api}"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('name = "dev"', "api_keys[0].key: is missing; add key = …"),
        (
            'name = "dev"\nkey = "1234567"',
            "api_keys[0].key: is shorter than 8 characters; take a longer one",
        ),
        ('name = "dev"\nkey = ""', f"api_keys[0].key: {CREDENTIAL}"),
        ('name = "d v"\nkey = "12345678"', f"api_keys[0].name: {NAME}"),
    ],
)
def test_api_keys(problems, lines, problem):
    """A declared key has a name and is long enough."""
    assert problems(f"[[api_keys]]\n{lines}\n") == [f"FILE: {problem}"]


def test_names_are_unique(problems):
    """Two of the same name, API or key are refused, and the key is not shown."""
    endpoint = '[[channels.endpoints]]\napi = "responses"\n'
    key = '[[api_keys]]\nname = "{}"\nkey = "12345678"\n'
    assert problems(CHANNEL + CHANNEL) == [
        'FILE: channels: name "a" stands 2 times; change or remove one'
    ]
    assert problems(CHANNEL + endpoint + endpoint) == [
        'FILE: channels[0].endpoints: api "responses" stands 2 times; change or remove one'
    ]
    assert problems(key.format("a") + key.format("a")) == [
        'FILE: api_keys: name "a" stands 2 times; change or remove one'
    ]
    assert problems(key.format("a") + key.format("b")) == [
        'FILE: api_keys: key "**********" stands 2 times; change or remove one'
    ]


def test_unknown_section(problems):
    """A misspelt section is told like a misspelt key."""
    assert problems("[sesions]\n") == ["FILE: sesions: unknown key; did you mean sessions?"]


def test_missing_variables(problems):
    """A reference to a variable that is not set names file, key and variable; all at once."""
    text = '[server]\nhost = "${H}"\n[[channels]]\nname = "a"\napi_key = "x${K-1}"\n'
    mend = "export it, or write the value here"
    assert problems(text) == [
        f"FILE: server.host: the environment variable H is not set; {mend}",
        f"FILE: channels[0].api_key: the environment variable K-1 is not set; {mend}",
    ]


def test_empty_variable(problems):
    """A variable that is set but empty is told where it matters."""
    text = '[[channels]]\nname = "a"\napi_key = "${K}"\n'
    assert problems(text, K="") == [f"FILE: channels[0].api_key: {CREDENTIAL}"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[server]\nport 1\n", "(at line 2, column 6)"),
        ('[server]\nhost = "x\n', "(at line 2, column 10)"),
        ("[server]\nports = [1,", "(at line 2, column 12)"),
        ("a = 1\na = 2\n", "(at line 2, column 6)"),
    ],
)
def test_syntax_errors(problems, text, place):
    """A syntax error names line and column, at the end of the file too."""
    (problem,) = problems(text)
    assert problem.startswith("FILE: no valid TOML: ")
    assert problem.endswith(place)


def test_encoding(file, problems, monkeypatch):
    """A file that is not UTF-8 is told so."""
    monkeypatch.setattr(type(file), "write_text", lambda *_a, **_k: file.write_bytes(b"a='\xff'"))
    assert problems("") == ["FILE: is not UTF-8; save it as UTF-8"]


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("LONGWIRE_SERVER__PORT", "99999", ": must be less than or equal to 65535"),
        ("LONGWIRE_SERVER__PROT", "1", ": unknown key; did you mean port?"),
        ("LONGWIRE_SEVER__PORT", "1", ": unknown section; did you mean server?"),
        ("LONGWIRE_SESSIONS__IDLE_TTL", "3", f": a bare number is no duration; {DURATION}"),
        ("LONGWIRE_CHANNELS__0__WEIGHT", "0", f": {WEIGHT_MEND}"),
        ("LONGWIRE_API_KEYS", '[{"name": "x"}]', ": [0].key: is missing; add key = …"),
        ("LONGWIRE_CHANNELS", "[{", f": no JSON list ({JSON}); {LIST}"),
        ("LONGWIRE_SERVER", "8090", ": is a table, not one value; set one of its keys"),
    ],
)
def test_variables(problems, variable, value, problem):
    """A wrong value from the environment names the variable that set it."""
    assert problems(CHANNEL, **{variable: value}) == [variable + problem]


def test_other_variables_are_let_be(read):
    """A variable of ours that is no key may be a secret for the file."""
    settings = read("", LONGWIRE_KEY="x", LONGWIRE_CONFIG="y", LONGWIRE="z")
    assert settings.server.port == 8090


def test_all_problems_at_once(problems):
    """One line per problem, and no value among them."""
    text = '[server]\nport = "secret-1"\nmax_body = "secret-2"\n[[api_keys]]\nkey = "secret"\n'
    told = problems(text, LONGWIRE_SESSIONS__IDLE_TTL="secret-3")
    assert len(told) == 5
    assert "secret" not in " ".join(told)


def test_a_target_is_chosen_by_apis_of_conversations_alone(problems):
    """The file offers those that the admin API takes, and no other."""
    target = 'targets = [{ channel = "a", apis = ["embeddings"] }]'
    (problem,) = problems(f'{CHANNEL}[[models]]\nname = "m"\n{target}\n')
    assert problem.endswith(
        ": must be 'responses', 'chat_completions', 'messages' or 'generate_content'"
    )
