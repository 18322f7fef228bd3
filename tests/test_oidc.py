"""A token of the issuer opens what a key opens, and nothing else does."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from app import cli
from app.main import create_app
from app.models.changes import Change
from app.models.clients import Scope
from app.oidc import issuer as issuing
from app.oidc import tokens as checking
from app.settings import OidcClient, Settings
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import head_of, problem_of
from tests.issuing import (
    AUDIENCE,
    DISCOVERY,
    JWKS,
    SmallIssuer,
    certificate,
    encoded,
    private_key,
    public_jwk,
    signed_with_secret,
)
from tests.serving import PLAIN, Server

CLIENTS = {
    "intranet": {"organisation": "R0A", "scopes": ["contribute"]},
    "another": {"organisation": "R0A", "scopes": ["contribute"]},
    "dashboard": {"organisation": "QOP", "scopes": ["read"]},
    "curators": {"organisation": "RJ1", "scopes": ["curate"]},
    "nowhere": {"organisation": "XXX", "scopes": ["contribute"]},
}

Serve = Callable[..., Register]


@pytest.fixture
def issuer() -> Iterator[SmallIssuer]:
    issuer = SmallIssuer()
    issuer.start()
    yield issuer
    issuer.stop()


def trusting(issuer: SmallIssuer) -> dict[str, Any]:
    """The settings of a register that takes the issuer's tokens."""
    return {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE, "oidc_clients": CLIENTS}


@pytest.fixture
def register(serve: Serve, issuer: SmallIssuer) -> Register:
    return serve(**trusting(issuer))


def read(register: Register, token: str) -> httpx.Response:
    return httpx.get(
        f"{register.url}/v1/themes", headers={"Authorization": f"Bearer {token}"}, verify=PLAIN
    )


def refused(answer: httpx.Response, *words: str) -> None:
    """The token is refused as RFC 6750 wants it, and told why."""
    problem = problem_of(answer, 401, "unauthenticated")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    for word in words:
        assert word in problem["detail"]


def unavailable(answer: httpx.Response) -> None:
    problem = problem_of(answer, 503, "unavailable")
    assert "issuer does not answer" in problem["detail"]
    assert int(answer.headers["retry-after"]) > 0


# What a good token opens


def test_a_token_writes_for_the_organisation_of_its_client(
    register: Register, issuer: SmallIssuer
) -> None:
    trust = register.client(issuer.token("intranet"))
    answer = trust.post("/v1/innovations", json=WARD_ROUNDS)
    assert answer.status_code == 201, answer.text
    assert answer.json()["organisation"]["code"] == "R0A"
    line = trust.get("/v1/changes", params={"after": head_of(trust) - 1}).json()["items"][0]
    assert line["by"] == "R0A"
    with register.database.engine.connect() as connection:
        newest = select(Change).order_by(col(Change.sequence).desc()).limit(1)
        assert connection.execute(newest).one().client == "oidc:intranet"
    assert register.verify().broken_at is None


def test_a_token_opens_no_more_than_the_scopes_of_its_client(
    register: Register, issuer: SmallIssuer
) -> None:
    dashboard = register.client(issuer.token("dashboard"))
    assert dashboard.get("/v1/innovations").status_code == 200
    problem_of(dashboard.post("/v1/innovations", json=WARD_ROUNDS), 403, "forbidden")

    trust = register.client(issuer.token("intranet"))
    other = {**WARD_ROUNDS, "organisation": "RJ1"}
    problem_of(trust.post("/v1/innovations", json=other), 403, "forbidden")
    theme = {"name": "Kindness", "description": "To staff."}
    problem_of(trust.post("/v1/themes", json=theme), 403, "forbidden")

    curator = register.client(issuer.token("curators"))
    for code in ("RJ1", "R0A"):
        entry = {**WARD_ROUNDS, "organisation": code}
        assert curator.post("/v1/innovations", json=entry).status_code == 201


def test_a_token_reads_where_reading_needs_a_key(serve: Serve, issuer: SmallIssuer) -> None:
    register = serve(read_requires_key=True, **trusting(issuer))
    assert register.client().get("/v1/themes").status_code == 401
    assert read(register, issuer.token("dashboard")).status_code == 200


def test_each_client_has_its_own_keys_of_retries(register: Register, issuer: SmallIssuer) -> None:
    once = {"Idempotency-Key": "entry-42"}
    intranet, another = (register.client(issuer.token(who)) for who in ("intranet", "another"))
    first = intranet.post("/v1/innovations", json=WARD_ROUNDS, headers=once)
    # With a newer token, as after an hour.
    renewed = register.client(issuer.token("intranet", jti="newer"))
    again = renewed.post("/v1/innovations", json=WARD_ROUNDS, headers=once)
    others = another.post("/v1/innovations", json=WARD_ROUNDS, headers=once)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert others.status_code == 201
    assert others.json()["id"] != first.json()["id"]


def test_keys_open_beside_tokens(register: Register, issuer: SmallIssuer) -> None:
    trust = register.client(register.key("R0A"))
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201
    refused(read(register, "inr_wrong"), "key")
    assert issuer.asked == []


def test_without_an_issuer_a_token_is_an_unknown_key(serve: Serve, issuer: SmallIssuer) -> None:
    refused(read(serve(), issuer.token()), "does not know this key")
    assert issuer.asked == []


@pytest.mark.parametrize(
    "claims",
    [
        {"azp": None, "appid": "intranet"},
        {"azp": None, "client_id": "intranet"},
        {"azp": None, "sub": "intranet"},
        {"aud": ["https://elsewhere.example", AUDIENCE]},
        {"nbf": None, "iat": None},
        {"scp": ["read"]},
    ],
    ids=" ".join,
)
def test_tokens_of_other_makes_are_taken_too(
    register: Register, issuer: SmallIssuer, claims: dict[str, Any]
) -> None:
    trust = register.client(issuer.token(**claims))
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201


def test_each_algorithm_that_is_taken_works(register: Register, issuer: SmallIssuer) -> None:
    issuer.keys = [public_jwk("first"), public_jwk("ec", alg="ES256")]
    for key, alg in (("first", "RS256"), ("first", "PS256"), ("ec", "ES256")):
        assert read(register, issuer.token(key=key, alg=alg)).status_code == 200
    for name in ("at+jwt", "JWT", "application/at+jwt", None):
        assert read(register, issuer.token(header={"typ": name})).status_code == 200


def test_a_good_token_of_an_unknown_client_is_told_so(
    register: Register, issuer: SmallIssuer
) -> None:
    # The first claim that is there counts, whatever else the token says.
    for token in (issuer.token("canary"), issuer.token("canary", appid="intranet", sub="intranet")):
        for answer in (read(register, token), register.client(token).post("/v1/innovations")):
            problem = problem_of(answer, 403, "forbidden")
            assert "The token is good" in problem["detail"]
            assert "no organisation for its client" in problem["detail"]
            assert "canary" not in answer.text


def test_a_token_of_a_person_is_told_so(register: Register, issuer: SmallIssuer) -> None:
    answer = read(register, issuer.token(scp="user_impersonation"))
    assert "a person signed in" in problem_of(answer, 403, "forbidden")["detail"]


def test_a_client_of_an_organisation_that_there_is_not_is_told_so(
    register: Register, issuer: SmallIssuer
) -> None:
    trust = register.client(issuer.token("nowhere"))
    for _ in range(2):
        answer = trust.post("/v1/innovations", json=WARD_ROUNDS)
        assert "does not know the organisation" in problem_of(answer, 403, "forbidden")["detail"]


# What opens nothing


def forgeries(issuer: SmallIssuer) -> dict[str, tuple[str, str]]:
    """Tokens that are none, each with a word of what is said of it."""
    public = private_key("first").public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims, good, now = issuer.claims(), issuer.token(), int(time.time())
    head, _, signature = good.split(".")
    hs256 = {"alg": "HS256", "typ": "JWT", "kid": "first"}
    there = {"jku": f"{issuer.url}/canary", "x5u": f"{issuer.url}/canary"}
    return {
        "expired": (issuer.token(exp=now - 61), "has expired"),
        "not valid yet": (issuer.token(nbf=now + 90), "not valid yet"),
        "issued in the future": (issuer.token(iat=now + 90), "not valid yet"),
        "for another audience": (issuer.token(aud="canary"), "another audience"),
        "for others": (issuer.token(aud=["canary", "another"]), "another audience"),
        "for nobody": (issuer.token(aud=None), "`aud`"),
        "from another issuer": (issuer.token(iss="https://canary.example"), "another issuer"),
        "from the issuer with a slash": (issuer.token(iss=f"{issuer.url}/"), "another issuer"),
        "from nobody": (issuer.token(iss=None), "another issuer"),
        "for ever": (issuer.token(exp=None), "`exp`"),
        "until a word": (issuer.token(exp="canary"), "can be read"),
        "until infinity": (issuer.token(exp=float("inf")), "can be read"),
        "signed by nobody": (
            f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': 'first'})}.{encoded(claims)}.",
            "signed with one of",
        ),
        "alg none with a signature": (
            f"{encoded({'alg': 'None', 'kid': 'first'})}.{encoded(claims)}.{signature}",
            "signed with one of",
        ),
        "signed with the public key": (signed_with_secret(hs256, claims, pem), "one of"),
        "signed with nothing": (signed_with_secret(hs256, claims, b""), "one of"),
        "other claims": (f"{head}.{encoded(issuer.claims('curators'))}.{signature}", "signature"),
        "signed by another": (
            issuer.token(key="forger", header={"kid": "first"}),
            "signature is wrong",
        ),
        "signed with its own key": (
            issuer.token(key="forger", header={"kid": "first", "jwk": public_jwk("forger")}),
            "signature is wrong",
        ),
        "with an unknown key": (issuer.token(key="forger"), "does not have"),
        "with keys elsewhere": (issuer.token(key="forger", header=there), "does not have"),
        "another algorithm than its key's": (
            issuer.token(key="ec", header={"kid": "first"}),
            "does not have",
        ),
        "with no key named": (issuer.token(header={"kid": ""}), "`kid`"),
        "of another type": (issuer.token(header={"typ": "logout+jwt"}), "`typ`"),
        "with what must be understood": (
            issuer.token(header={"crit": ["canary"], "canary": 1}),
            "can be read",
        ),
        "garbage": ("canary.canary.canary", "can be read"),
        "dots and little else": ("e30.e30.", "one of"),
        "a list": (f"{encoded(b'[]')}.{encoded(b'[]')}.canary", "can be read"),
        "deep": (f"{encoded(b'[' * 9_000)}.e30.canary", "can be read"),
        "20 kB": (issuer.token(roles=["canary" * 2_500]), "characters at most"),
    }


def test_a_token_that_is_none_opens_nothing_and_is_told_why(
    register: Register, issuer: SmallIssuer, subtests: pytest.Subtests
) -> None:
    before = head_of(register.client())
    for what, (token, words) in forgeries(issuer).items():
        with subtests.test(what):
            stranger = register.client(token)
            for answer in (
                stranger.get("/v1/themes"),
                stranger.post("/v1/innovations", json=WARD_ROUNDS),
                stranger.post("/v1/innovations", content=b"{"),
            ):
                refused(answer, words)
                assert "canary" not in answer.text
                assert token[:20] not in answer.text
    assert head_of(register.client()) == before
    assert set(issuer.asked) == {DISCOVERY, JWKS}


def test_clocks_may_be_apart_as_far_as_is_set(
    serve: Serve, issuer: SmallIssuer, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    near: list[dict[str, Any]] = [{"exp": now - 20}, {"nbf": now + 20}, {"iat": now + 20}]
    for skew, status in ((60, 200), (5, 401)):
        register = serve(oidc_clock_skew_seconds=skew, **trusting(issuer))
        for claims in near:
            with subtests.test(f"{claims} with {skew}"):
                assert read(register, issuer.token(**claims)).status_code == status


def test_a_short_key_and_one_for_something_else_are_not_used(
    register: Register, issuer: SmallIssuer
) -> None:
    issuer.keys = [
        public_jwk("short"),
        public_jwk("first", use="enc"),
        public_jwk("second", alg="RS512"),
        {"kid": "secret", "kty": "oct", "k": encoded(b"secret")},
        {"kid": "broken", "kty": "RSA", "n": 1, "e": None},
        {"kid": ["first"], "kty": ["RSA"]},
        public_jwk("good"),
    ]
    assert read(register, issuer.token(key="good")).status_code == 200
    for key in ("first", "second"):
        refused(read(register, issuer.token(key=key)), "does not have")
    for name in ("short", "secret", "broken"):
        refused(read(register, issuer.token(header={"kid": name})), "does not have")


@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jku", "zip"]),
        st.sampled_from(["RS256", "first", "JWT", "b64"]) | st.none() | st.booleans()
        | st.integers() | st.lists(st.text(max_size=5), max_size=2),
    ),
    claims=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "azp"]), inner
        ),
        max_leaves=8,
    ),
    known=st.booleans(),
    signature=st.binary(max_size=300),
)  # fmt: skip
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_made_up_is_refused(
    register: Register,
    issuer: SmallIssuer,
    *,
    header: dict[str, Any],
    claims: Any,
    known: bool,
    signature: bytes,
) -> None:
    if known:  # as far as the signature
        header = {"alg": "RS256", "kid": "first"}
        claims = {**(claims if isinstance(claims, dict) else {}), "iss": issuer.url}
    body = json.dumps(claims, ensure_ascii=True).encode()
    refused(read(register, f"{encoded(header)}.{encoded(body)}.{encoded(signature)}"))


# The issuer's keys


def test_keys_are_fetched_once_for_many(register: Register, issuer: SmallIssuer) -> None:
    issuer.seconds = 0.2
    tokens = [issuer.token(jti=str(number)) for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda token: read(register, token), tokens))
    assert [answer.status_code for answer in answers] == [200] * 12
    assert issuer.asked == [DISCOVERY, JWKS]
    assert read(register, issuer.token()).status_code == 200
    assert issuer.fetches == 1


def test_a_new_key_works_at_once_beside_the_old_one(
    register: Register, issuer: SmallIssuer
) -> None:
    old = issuer.token()
    assert read(register, old).status_code == 200
    issuer.keys = [public_jwk("first"), public_jwk("second")]
    tokens = [issuer.token(key="second", jti=str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda token: read(register, token), tokens))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert issuer.fetches == 2
    assert read(register, old).status_code == 200
    assert read(register, issuer.token(jti="another")).status_code == 200
    assert issuer.fetches == 2


def test_a_storm_of_forged_keys_makes_one_fetch(register: Register, issuer: SmallIssuer) -> None:
    good = issuer.token()
    assert read(register, good).status_code == 200
    forged = [issuer.token(key="forger", header={"kid": f"forged-{n}"}) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda token: read(register, token), forged):
            refused(answer, "does not have")
    assert issuer.fetches == 2
    assert read(register, good).status_code == 200
    assert issuer.fetches == 2


def test_a_storm_before_anything_else_makes_two_fetches_at_most(
    register: Register, issuer: SmallIssuer
) -> None:
    refused(read(register, issuer.token(key="forger")), "does not have")
    assert issuer.fetches == 1
    issuer.seconds = 0.1
    forged = [issuer.token(key="forger", header={"kid": f"forged-{n}"}) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda token: read(register, token), forged):
            refused(answer, "does not have")
    assert issuer.fetches <= 2


def test_another_new_key_is_looked_for_after_a_while(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(register, issuer.token()).status_code == 200
    refused(read(register, issuer.token(key="second")), "does not have")
    issuer.keys = [public_jwk("second")]
    refused(read(register, issuer.token(key="second")), "does not have")
    monkeypatch.setattr(issuing, "RENEWED_EVERY", 0.0)
    assert read(register, issuer.token(key="second")).status_code == 200


def test_a_key_that_was_taken_back_opens_nothing_more(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = issuer.token()
    assert read(register, old).status_code == 200
    issuer.keys = [public_jwk("second")]
    assert read(register, old).status_code == 200
    # A newer one makes the service look; and so does the time that the old keys are taken for.
    assert read(register, issuer.token(key="second")).status_code == 200
    refused(read(register, old), "does not have")

    issuer.keys = [public_jwk("third")]
    monkeypatch.setattr(issuing, "FRESH_FOR", 0.0)
    monkeypatch.setattr(checking, "REMEMBERED_FOR", 0.0)
    refused(read(register, issuer.token(key="second", jti="last")), "does not have")


def test_a_token_that_was_checked_is_good_until_it_expires(
    serve: Serve, issuer: SmallIssuer
) -> None:
    register = serve(oidc_clock_skew_seconds=0, **trusting(issuer))
    short = issuer.token(exp=int(time.time()) + 2)
    assert read(register, short).status_code == 200
    issuer.stop()
    assert read(register, short).status_code == 200
    time.sleep(2)
    refused(read(register, short), "has expired")


def test_only_so_many_tokens_are_remembered(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_REMEMBERED", 2)
    tokens = [issuer.token(jti=str(number)) for number in range(4)]
    for token in [*tokens, *tokens]:
        assert read(register, token).status_code == 200
    issuer.stop()
    monkeypatch.setattr(issuing, "FRESH_FOR", 0.0)
    monkeypatch.setattr(issuing, "KEPT_FOR", 0.0)
    for token in tokens[2:]:
        assert read(register, token).status_code == 200
    unavailable(read(register, tokens[0]))


def test_an_issuer_that_is_down_at_the_start_is_waited_for(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.stop()
    unavailable(read(register, issuer.token()))
    assert register.client().get("/v1/themes").status_code == 200
    assert register.client(register.key("R0A")).get("/v1/themes").status_code == 200
    issuer.start()
    unavailable(read(register, issuer.token()))
    assert issuer.asked == []  # it is not asked again at once
    monkeypatch.setattr(issuing, "RETRIED_EVERY", 0.0)
    assert read(register, issuer.token()).status_code == 200


def test_keys_go_on_working_while_their_issuer_is_down(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(register, issuer.token()).status_code == 200
    issuer.stop()
    monkeypatch.setattr(issuing, "FRESH_FOR", 0.0)
    assert read(register, issuer.token(jti="new")).status_code == 200
    assert read(register, issuer.token(jti="newer")).status_code == 200
    # Whether the issuer has this key, nobody can tell just now.
    unavailable(read(register, issuer.token(key="second")))
    refused(read(register, issuer.token(exp=1)), "has expired")
    # But not for ever: meanwhile, a key may have been taken back.
    monkeypatch.setattr(issuing, "KEPT_FOR", 0.0)
    unavailable(read(register, issuer.token(jti="newest")))


def test_a_slow_issuer_holds_up_nobody_whose_key_is_known(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(register, issuer.token()).status_code == 200
    issuer.seconds = 3
    monkeypatch.setattr(issuing, "FRESH_FOR", 0.0)
    monkeypatch.setattr(issuing, "PATIENCE", 0.2)
    started = time.monotonic()
    assert read(register, issuer.token(jti="new")).status_code == 200
    assert time.monotonic() - started < 1.5


def test_an_issuer_that_takes_too_long_is_as_good_as_down(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "ANSWERS_WITHIN", 0.3)
    issuer.seconds = 1
    started = time.monotonic()
    unavailable(read(register, issuer.token()))
    assert time.monotonic() - started < 1


BAD_ANSWERS: dict[str, dict[str, Any]] = {
    "a discovery document of another issuer": {"changed": {"issuer": "https://canary.example"}},
    "keys in a file": {"changed": {"jwks_uri": "file:///etc/passwd"}},
    "no address of keys": {"changed": {"jwks_uri": None}},
    "an error": {"status": 500},
    "a redirection": {"status": 302},
    "no JSON": {"answers": {DISCOVERY: b"<html>"}},
    "no object": {"answers": {JWKS: b"[1]"}},
    "keys that are none": {"answers": {JWKS: b'{"keys": [1, "canary"]}'}},
    "no keys": {"keys": []},
    "deep JSON": {"answers": {JWKS: b"[" * 100_000}},
}


@pytest.mark.parametrize("behaviour", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_what_an_issuer_should_not_answer_is_not_taken(
    register: Register,
    issuer: SmallIssuer,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: dict[str, Any],
) -> None:
    monkeypatch.setattr(issuing, "RETRIED_EVERY", 0.0)
    right = dict(vars(issuer))
    for name, value in behaviour.items():
        setattr(issuer, name, value)
    answer = read(register, issuer.token())
    unavailable(answer)
    assert "canary" not in answer.text
    assert "/v2.0/elsewhere" not in issuer.asked
    for name in behaviour:
        setattr(issuer, name, right[name])
    assert read(register, issuer.token()).status_code == 200


def test_a_document_without_end_is_not_read(register: Register, issuer: SmallIssuer) -> None:
    keys = json.dumps({"keys": issuer.keys}).encode()
    issuer.answers = {JWKS: keys + b" " * 300_000}
    unavailable(read(register, issuer.token()))


def test_a_document_that_comes_byte_by_byte_is_not_waited_for(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "ANSWERS_WITHIN", 0.5)
    issuer.drip = 0.02
    started = time.monotonic()
    unavailable(read(register, issuer.token()))
    assert time.monotonic() - started < 1.5


def test_keys_are_not_fetched_where_others_could_answer(
    register: Register, issuer: SmallIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The issuer is the proxy as well, and would answer for any host.
    monkeypatch.setenv("HTTP_PROXY", issuer.origin)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    issuer.changed = {"jwks_uri": "http://keys.example/keys"}
    unavailable(read(register, issuer.token()))
    assert issuer.asked == [DISCOVERY]


def test_an_issuer_needs_a_certificate_that_this_machine_trusts(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "RETRIED_EVERY", 0.0)
    issuer = SmallIssuer(tls=certificate(tmp_path))
    issuer.start()
    try:
        register = serve(**trusting(issuer))
        unavailable(read(register, issuer.token()))
        assert issuer.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(issuer.tls))
        assert read(register, issuer.token()).status_code == 200
    finally:
        issuer.stop()


# Settings


GOOD = {
    "REGISTER_OIDC_ISSUER": "https://login.microsoftonline.com/tenant/v2.0",
    "REGISTER_OIDC_AUDIENCE": AUDIENCE,
    "REGISTER_OIDC_CLIENTS": json.dumps({"a": {"organisation": " rj1", "scopes": ["read"]}}),
}

WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no audience": ({"REGISTER_OIDC_AUDIENCE": ""}, "REGISTER_OIDC_AUDIENCE"),
    "no clients": ({"REGISTER_OIDC_CLIENTS": "{}"}, "go together"),
    "plain HTTP": (
        {"REGISTER_OIDC_ISSUER": "http://login.microsoftonline.com/tenant/v2.0"},
        "REGISTER_OIDC_ISSUER: Give an address with https://",
    ),
    "no address": ({"REGISTER_OIDC_ISSUER": "tenant"}, "REGISTER_OIDC_ISSUER"),
    "a query": ({"REGISTER_OIDC_ISSUER": "https://a.example/?p=1"}, "no query"),
    "no JSON": ({"REGISTER_OIDC_CLIENTS": "a=RJ1"}, "REGISTER_OIDC_CLIENTS: This is not JSON"),
    "a list": ({"REGISTER_OIDC_CLIENTS": "[1]"}, "REGISTER_OIDC_CLIENTS"),
    "an unknown scope": (
        {"REGISTER_OIDC_CLIENTS": '{"a": {"organisation": "RJ1", "scopes": ["write"]}}'},
        "REGISTER_OIDC_CLIENTS / a / scopes / 0: ",
    ),
    "no scope": (
        {"REGISTER_OIDC_CLIENTS": '{"a": {"organisation": "RJ1", "scopes": []}}'},
        "REGISTER_OIDC_CLIENTS / a / scopes: ",
    ),
    "an unknown organisation": (
        {"REGISTER_OIDC_CLIENTS": '{"a": {"organisation": "XXX", "scopes": ["read"]}}'},
        "REGISTER_OIDC_CLIENTS: No organisation has the code XXX",
    ),
    "too much skew": (
        {"REGISTER_OIDC_CLOCK_SKEW_SECONDS": "3600"},
        "REGISTER_OIDC_CLOCK_SKEW_SECONDS",
    ),
}


@pytest.mark.parametrize(("changed", "says"), WRONG.values(), ids=WRONG)
def test_what_is_set_wrongly_keeps_the_service_from_starting(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    changed: dict[str, str],
    says: str,
) -> None:
    url = f"sqlite:///{tmp_path / 'register.db'}"
    for name, value in {"REGISTER_DATABASE_URL": url, **GOOD, **changed}.items():
        monkeypatch.setenv(name, value)
    # On a port that is taken, so that a service that starts all the same does not stay.
    monkeypatch.setattr(sys, "argv", ["register", "serve", "--port", str(server.port)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


def test_what_is_set_well_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    assert Settings().oidc_clients == {"a": OidcClient(organisation="RJ1", scopes=("read",))}
    assert create_app().state.tokens is not None
    monkeypatch.setenv("REGISTER_OIDC_ISSUER", "http://127.0.0.1:8080/realms/nhs")
    assert create_app().state.tokens is not None


def test_a_client_may_have_each_scope_that_there_is() -> None:
    scopes = [scope.value for scope in Scope]
    client = OidcClient.model_validate({"organisation": "RJ1", "scopes": scopes})
    assert list(client.scopes) == scopes
