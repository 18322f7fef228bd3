"""HTTPS: the receiver's certificate is checked, for the name that was subscribed."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.models.subscriptions import DeliveryPublic, Outcome
from app.webhooks import sending
from app.webhooks.addresses import Addresses
from app.webhooks.sending import Message, Sender
from tests.webhooks.conftest import Names
from tests.webhooks.receiver import Receiver, receiving

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificate")

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwFhBXPw0Iu0s="


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for `receiver.example`, with its key in the same file."""
    file = tmp_path / "receiver.pem"
    command = [str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", "/CN=receiver.example"]
    command += ["-addext", "subjectAltName=DNS:receiver.example"]
    command += ["-out", str(file), "-keyout", str(tmp_path / "key.pem")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    file.write_text(file.read_text() + (tmp_path / "key.pem").read_text())
    return file


@pytest.fixture
def secured(certificate: Path, names: Names) -> Iterator[Receiver]:
    """A receiver with that certificate, which is found under that name and another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names["receiver.example"] = names["other.example"] = ["127.0.0.1"]
    with receiving(context) as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def _trusts_anew() -> Iterator[None]:
    sending.trusted.cache_clear()
    yield
    sending.trusted.cache_clear()


def send(host: str, port: int) -> DeliveryPublic:
    async def sent() -> DeliveryPublic:
        addresses = Addresses([ip_network("127.0.0.0/8")])
        sender = Sender(addresses, 5)
        try:
            return await sender.send(f"https://{host}:{port}/", Message("msg_1", b"{}"), [SECRET])
        finally:
            await sender.close()
            addresses.close()

    return asyncio.run(sent())


def test_a_certificate_that_is_trusted_is_taken_for_its_own_name_only(
    secured: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert send("receiver.example", secured.port).outcome is Outcome.DELIVERED
    other = send("other.example", secured.port)
    assert other.outcome is Outcome.FAILED
    assert "certificate" in str(other.error)
    assert len(secured.received) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_taken(secured: Receiver) -> None:
    refused = send("receiver.example", secured.port)
    assert (refused.outcome, refused.status) == (Outcome.FAILED, None)
    assert "certificate" in str(refused.error)
    assert secured.received == []
