"""Uploads: files that are sent as a body, and may be larger than memory should hold."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.errors import BodyTooLarge, MalformedRequest, UnsupportedMediaType
from app.files import Format

_IN_MEMORY = 256 * 1024


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was received whole; it lies on disk as long as this lives."""

    file: IO[bytes]
    form: Format
    digest: str
    """SHA-256, in hex."""


class Upload:
    """A dependency that receives a file; its operation takes the body by no other way."""

    async def __call__(self, request: Request) -> Uploaded:
        """Receives the file.

        Raises:
            UnsupportedMediaType, BodyTooLarge, MalformedRequest
        """
        sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if sent not in list(Format):
            raise UnsupportedMediaType(f"Send the file as {', '.join(Format)}.")
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="register-")  # noqa: SIM115
        try:
            digest = await _receive(request, file)
        except BaseException:
            file.close()
            raise
        return Uploaded(file, Format(sent), digest)


async def _receive(request: Request, file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    try:
        async for chunk in bounded(request, request.app.state.settings.max_import_bytes, "A file"):
            digest.update(chunk)
            file.write(chunk)
    except ClientDisconnect:
        raise MalformedRequest("The file broke off before its end.") from None
    return digest.hexdigest()


async def bounded(request: Request, most: int, what: str) -> AsyncIterator[bytes]:
    """The pieces of a request's body.

    Raises:
        UnsupportedMediaType: when it is packed.
        BodyTooLarge: as soon as it is clear, whether the length was announced or not.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(f"{what} is sent as it is here, without a `Content-Encoding`.")
    announced = request.headers.get("content-length", "0")
    size = int(announced) if announced.isdecimal() else 0
    if size <= most:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                break
            yield chunk
    if size > most:
        raise BodyTooLarge(f"{what} has {most:,} bytes at most.")
