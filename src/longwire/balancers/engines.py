"""The balancers that are known, each as data: how its configuration says what all have to say."""

from collections.abc import Mapping
from typing import Final

from longwire.balancers.configuration import Engine

_HAPROXY_SET: Final = "    http-request set-var(txn.session) req.fhdr(@{name})"
_HAPROXY_UNSET: Final = "!{ var(txn.session) -m found }"

_NGINX_MAP: Final = """
map $http_@{name} $longwire_@{number} {
    "~^([^,]{1,@{longest}})" $1;
    default $@{next};
}"""

_ENVOY_TLS: Final = """\
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type":
            type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [http/1.1]
            tls_certificates:
            - certificate_chain: {filename: "@{certificate}"}
              private_key: {filename: "@{certificate}"}"""
_ENVOY_NODE: Final = """\
        - endpoint: {address: {socket_address: {address: "@{host}", port_value: @{port}}}}
          metadata: {filter_metadata: {envoy.lb: {hash_key: "@{name}"}}}"""

HAPROXY: Final = Engine(
    template="haproxy.cfg",
    session=f"{_HAPROXY_SET} if {{ req.fhdr(@{{name}}) -m len 1:@{{longest}} }} {_HAPROXY_UNSET}",
    key=f"{_HAPROXY_SET} if {{ req.fhdr(@{{name}}) -m found }} {_HAPROXY_UNSET}",
    node="    server @{name} @{address} id @{number}",
    plain="    bind @{host}:@{port}",
    secure="    bind @{host}:@{port} ssl crt @{certificate} alpn http/1.1",
    anywhere="",
)
ENVOY: Final = Engine(
    template="envoy.yaml",
    session="                  - {header: {header_name: @{name}}, terminal: true}",
    key="                  - {header: {header_name: @{name}}, terminal: true}",
    node=_ENVOY_NODE,
    plain="",
    secure=_ENVOY_TLS,
    anywhere="0.0.0.0",  # noqa: S104 - whoever asks for no address wants all
)
NGINX: Final = Engine(
    template="nginx.conf",
    session=_NGINX_MAP,
    key=_NGINX_MAP.replace("{1,@{longest}}", "+"),
    node="    server @{address} max_fails=0;",
    plain="    listen @{host}:@{port};",
    secure="""\
    listen @{host}:@{port} ssl;
    ssl_certificate     @{certificate};
    ssl_certificate_key @{certificate};""",
    anywhere="*",
    spelled=lambda name: name.replace("-", "_"),
    last="request_id",
)
ENGINES: Final[Mapping[str, Engine]] = {"haproxy": HAPROXY, "envoy": ENVOY, "nginx": NGINX}
