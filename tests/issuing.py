"""A small issuer of tokens: a real one, over HTTP, that a test can rotate, slow down and stop."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUDIENCE = "11111111-aaaa-bbbb-cccc-222222222222"
DISCOVERY, JWKS = "/v2.0/.well-known/openid-configuration", "/keys"


@cache
def private_key(name: str) -> PrivateKey:
    """A key of this name, the same one each time; "ec" is of the curve P-256, "short" too short."""
    if name == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if name == "short" else 2048)


def public_jwk(name: str, **more: Any) -> dict[str, Any]:
    """The key as an issuer publishes it; Entra ID gives no `alg`."""
    key = private_key(name).public_key()
    algorithm = jwt.get_algorithm_by_name("ES256" if name == "ec" else "RS256")
    made: dict[str, Any] = algorithm.to_jwk(key, as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": name, "use": "sig", **more}


def encoded(part: bytes | dict[str, Any]) -> str:
    raw = json.dumps(part).encode() if isinstance(part, dict) else part
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed_with_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token with a signature by a shared secret, as a forger makes it."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def certificate(folder: Path) -> Path:
    """A file with a certificate of this machine, signed by itself, and its key."""
    key, now = private_key("tls"), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "issuer.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@dataclass
class SmallIssuer:
    """The issuer. What it publishes, and how it behaves, may be changed while it runs."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [public_jwk("first")])
    changed: dict[str, Any] = field(default_factory=dict)
    """Other members of its discovery document."""
    seconds: float = 0
    """How long it thinks about an answer."""
    drip: float = 0
    """How long it takes over each byte of it."""
    status: int = 200
    answers: dict[str, bytes] = field(default_factory=dict)
    """Other answers than the right ones, by path."""
    asked: list[str] = field(default_factory=list)
    """The paths that it was asked for."""
    tls: Path | None = None
    """Its certificate and key, if it speaks TLS."""
    _port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"{self.origin}/v2.0"

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def fetches(self) -> int:
        """How often its keys were fetched."""
        return self.asked.count(JWKS)

    def start(self) -> None:
        """Answers from now on, where it did before."""
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                time.sleep(issuer.seconds)
                body = issuer.answers.get(self.path) or issuer.answer(self.path)
                self.send_response(issuer.status)
                self.send_header("Location", f"{issuer.url}/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for start in range(0, len(body), 1 if issuer.drip else len(body)):
                    time.sleep(issuer.drip)
                    self.wfile.write(body[start : start + 1] if issuer.drip else body)

            def log_message(self, *_: object) -> None: ...

            def handle(self) -> None:
                with suppress(
                    ConnectionError, ssl.SSLError
                ):  # of who has given up, or does not trust us
                    super().handle()

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        if self.tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuses connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str) -> bytes:
        if path == DISCOVERY:
            about = {"issuer": self.url, "jwks_uri": f"{self.origin}{JWKS}"}
            return json.dumps({**about, **self.changed}).encode()
        return json.dumps({"keys": self.keys}).encode()

    def claims(self, client: str = "intranet", **changed: Any) -> dict[str, Any]:
        """What Entra ID says of a machine in a token of version 2. None takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "azp": client,
            "azpacr": "1",
            "sub": "9c1d7e5e-0000-4000-8000-000000000000",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "ver": "2.0",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        client: str = "intranet",
        *,
        key: str = "first",
        alg: str | None = None,
        header: dict[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """A token for this client, signed with the key of this name."""
        return jwt.encode(
            self.claims(client, **changed),
            private_key(key),
            alg or ("ES256" if key == "ec" else "RS256"),
            {"kid": key, **(header or {})},
        )
