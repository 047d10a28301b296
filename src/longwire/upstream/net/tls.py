"""How a channel trusts its upstream: one `SSLContext` per channel, shared by both transports."""

import ssl

from longwire.core.errors import ConfigurationError


def context(ca: str | None, verify: bool) -> ssl.SSLContext:  # noqa: FBT001 - as the settings say
    """Return a context that trusts the system's authorities and those of the PEM file `ca`.

    Raises `ConfigurationError` when the file cannot be used.
    """
    ssl_context = ssl.create_default_context()
    ssl_context.set_alpn_protocols(["http/1.1"])
    ssl_context.options |= ssl.OP_NO_RENEGOTIATION  # so that sending never waits for a read
    if ca is not None:
        try:
            ssl_context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"tls_ca: {ca} cannot be used ({reason}); name a PEM file of certificates"
            ) from error
    if not verify:
        ssl_context.check_hostname = False
        ssl_context.verify_mode = ssl.CERT_NONE
    return ssl_context
