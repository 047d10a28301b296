"""Attacks on the ID token, one by one: none comes in, and what is right does."""

import base64
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from longwire.core.nouns.sign_on import SignOnRefused
from longwire.core.rules.sign_on import ExpectedToken, check_claims
from longwire.upstream.oidc.tokens import (
    ALGORITHMS,
    BadToken,
    UnknownKey,
    hashes_to,
    signed_claims,
)

NOW = 1_800_000_000
ISSUER, CLIENT = "https://login.example.org", "longwire"
EXPECTED = ExpectedToken(ISSUER, CLIENT, "n-1", NOW)
CLAIMS = {
    "iss": ISSUER,
    "sub": "ada",
    "aud": CLIENT,
    "exp": NOW + 60,
    "iat": NOW - 1,
    "nonce": "n-1",
}
GONE = object()


@pytest.fixture(scope="module")
def keys():
    """Keys of the provider, and one of somebody else."""
    return {
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
        "ec": ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}),
        "other": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    }


@pytest.fixture(scope="module")
def published(keys):
    """What the provider publishes."""
    return KeySet([keys["rsa"], keys["ec"]]).as_dict(private=False)


def encoded(part):
    """A part of a token."""
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("key", "algorithm"), [("rsa", "RS256"), ("rsa", "PS512"), ("ec", "ES256")]
)
def test_what_the_provider_signed_is_read(keys, published, key, algorithm):
    """With its claims, and by which algorithm."""
    header = {"alg": algorithm, "kid": key}
    token = jwt.encode(header, CLAIMS, keys[key], algorithms=[algorithm])
    assert (CLAIMS, algorithm) == signed_claims(token, published)
    check_claims(CLAIMS, EXPECTED)


def test_no_algorithm_is_symmetric():
    """The list is of those whose key can be published."""
    assert {"RS", "PS", "ES"} == {each[:2] for each in ALGORITHMS}


class Forger:
    """Has what the provider published, a token that it signed, and a key of its own."""

    def __init__(self, keys):
        self.keys = keys
        self.head = {"alg": "RS256", "kid": "rsa"}
        self.body = json.dumps(CLAIMS).encode()
        self.good = self.signed(self.head)
        self.start, self.middle, self.signature = self.good.split(".")

    def signed(self, head, body=None, key="rsa"):
        """A token that a key has signed with RS256, whatever its head says."""
        text = f"{encoded(head)}.{encoded(self.body if body is None else body)}"
        private = self.keys[key].private_key
        signature = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{encoded(signature)}"

    def keyed(self, head):
        """A token whose HMAC has the public key as its secret."""
        text = f"{encoded(head)}.{self.middle}"
        public = self.keys["rsa"].as_pem(private=False)
        return f"{text}.{encoded(hmac.digest(public, text.encode(), 'sha256'))}"


ATTACKS = {
    "none": lambda by: f"{encoded({'alg': 'none'})}.{by.middle}.",
    "None": lambda by: f"{encoded({'alg': 'None', 'kid': 'rsa'})}.{by.middle}.",
    "no signature": lambda by: f"{by.start}.{by.middle}.",
    "the public key as secret": lambda by: by.keyed({"alg": "HS256", "kid": "rsa"}),
    "no algorithm": lambda by: by.signed({"kid": "rsa"}),
    "an algorithm that is no text": lambda by: by.signed({"alg": 1, "kid": "rsa"}),
    "a foreign key by the same id": lambda by: by.signed(by.head, key="other"),
    "a key of its own in the head": lambda by: by.signed(
        {**by.head, "jwk": by.keys["other"].as_dict(private=False)}, key="other"
    ),
    "no key id among several": lambda by: by.signed({"alg": "RS256"}, key="other"),
    "other claims": lambda by: f"{by.start}.{encoded({'sub': 'root'})}.{by.signature}",
    "another algorithm": lambda by: by.signed({"alg": "RS512", "kid": "rsa"}),
    "the other kind of key": lambda by: by.signed({"alg": "RS256", "kid": "ec"}),
    "a critical extension": lambda by: by.signed({**by.head, "crit": ["x"], "x": 1}),
    "a list": lambda by: by.signed(by.head, b"[1]"),
    "no JSON": lambda by: by.signed(by.head, b"x"),
    "deep JSON": lambda by: by.signed(by.head, b"[" * 20_000),
    "five parts": lambda by: f"{by.good}.{by.middle}.{by.middle}",
    "two parts": lambda by: f"{by.start}.{by.middle}",
    "nothing": lambda _: "",
    "no base64": lambda _: "!.!.!",
    "no ASCII": lambda by: f"{by.good}\u00e9",
    "too large": lambda by: by.good + "A" * 70_000,
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_forged_token_is_none(keys, published, attack):
    """Whatever its claims say."""
    token = ATTACKS[attack](Forger(keys))
    with pytest.raises(BadToken):
        signed_claims(token, published)


def test_an_unknown_key_is_told_apart(keys, published):
    """So that the provider's keys are read again."""
    token = jws.serialize_compact({"alg": "RS256", "kid": "new"}, b"{}", keys["rsa"])
    with pytest.raises(UnknownKey):
        signed_claims(token, published)


@pytest.mark.parametrize(
    "key_set",
    [
        {},
        {"keys": []},
        {"keys": "x"},
        {"keys": [1, None, {}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "rsa"}]},
        {"keys": [{"kty": "RSA", "kid": "rsa"}]},
    ],
)
def test_a_set_without_keys_that_sign(keys, key_set):
    """Nothing is signed by it; neither symmetric keys nor broken ones count."""
    token = jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, b"{}", keys["rsa"])
    with pytest.raises(BadToken):
        signed_claims(token, key_set)


def test_a_key_that_encrypts_signs_nothing(keys, published):
    """Its use is another one."""
    encrypting = {"keys": [{**each, "use": "enc"} for each in published["keys"]]}
    token = jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, b"{}", keys["rsa"])
    with pytest.raises(BadToken):
        signed_claims(token, encrypting)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": ISSUER + "/"}, "iss"),
        ({"iss": GONE}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": GONE}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"aud": [CLIENT, "other"]}, "azp"),
        ({"aud": [CLIENT, "other"], "azp": "other"}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"azp": None}, "azp"),
        ({"sub": GONE}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"nonce": GONE}, "nonce"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": ["n-1"]}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"exp": NOW - 60}, "exp"),
        ({"exp": GONE}, "exp"),
        ({"exp": str(NOW + 60)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"iat": NOW + 61}, "iat"),
        ({"iat": GONE}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"nbf": NOW + 61}, "nbf"),
        ({"nbf": "x"}, "nbf"),
    ],
)
def test_claims_that_are_not_those_asked_for(changed, word):
    """Each is refused, and the reason names it."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not GONE}
    with pytest.raises(SignOnRefused, match=rf"\({word}\)"):
        check_claims(claims, EXPECTED)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"exp": NOW - 59},
        {"iat": NOW + 60},
        {"nbf": NOW + 60},
    ],
)
def test_claims_that_will_do(changed):
    """Lists of one, several with whom it was handed to, and clocks a minute apart."""
    check_claims({**CLAIMS, **changed}, EXPECTED)


@pytest.mark.parametrize("hashed", ["", "x", None, 7, "77QmUPtjPfzWtF2AnpK9RR"])
def test_another_access_token_does_not_hash_to_it(hashed):
    """The example of OpenID Connect Core 1.0, A.4 does."""
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert hashes_to(token, "77QmUPtjPfzWtF2AnpK9RQ", "RS256")
    assert not hashes_to(token, hashed, "RS256")
    assert not hashes_to(token, "77QmUPtjPfzWtF2AnpK9RQ", "RS512")
