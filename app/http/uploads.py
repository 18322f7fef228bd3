"""Uploads: files that are sent as a body, and may be larger than memory should hold."""

from __future__ import annotations

import hashlib
import tempfile
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
        most = request.app.state.settings.max_import_bytes
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise _too_large(most)
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="register-")  # noqa: SIM115
        try:
            digest = await _receive(request, file, most)
        except BaseException:
            file.close()
            raise
        return Uploaded(file, Format(sent), digest)


async def _receive(request: Request, file: IO[bytes], most: int) -> str:
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            digest.update(chunk)
            file.write(chunk)
    except ClientDisconnect:
        raise MalformedRequest("The file broke off before its end.") from None
    return digest.hexdigest()


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"A file has {most:,} bytes at most.")
