"""Everything that can go wrong, as a class each.

A kind of error describes itself: its class gives the HTTP status, the name in the problem's
``type`` (a page that the service serves at ``/problems/<slug>``), a title, and what to do about
it. The same class is raised, documents itself in OpenAPI, and is the page's text. An error never
carries a submitted value in its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where.

    ``pointer`` is a JSON pointer into the body as a fragment (``#/evidence/0/kind``), or
    ``?name`` for a query parameter, ``{name}`` for a part of the path, ``header:Name``.
    """

    pointer: str
    code: str
    detail: str
    start: int | None = None
    """Where in a text; in characters, from 0."""
    end: int | None = None
    """The character after the last one."""

    def as_json(self) -> dict[str, str | int]:
        """What a client is told."""
        told: dict[str, str | int] = {
            "pointer": self.pointer,
            "code": self.code,
            "detail": self.detail,
        }
        if self.start is not None and self.end is not None:
            told |= {"start": self.start, "end": self.end}
        return told


class RegisterError(Exception):
    """The root of all errors that a caller can read."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.headers = dict(headers or {})

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> RegisterError:
        """The error with one fault, whose words are the detail, too."""
        return cls(detail, faults=(Fault(pointer, code, detail),))


class MalformedRequest(RegisterError):
    status = 400
    slug = "malformed-request"
    title = "The request could not be read"
    advice = (
        "Send the path, the query and the body as UTF-8, without NUL, and the body as one complete "
        "JSON value. JSON has no NaN or Infinity, and an object or array nested more than "
        "about 200 deep is refused."
    )


class UnreadableFile(RegisterError):
    status = 400
    slug = "unreadable-file"
    title = "The file could not be read"
    advice = (
        "Nothing was written. Send a whole file of the type that `Content-Type` names: a JSON "
        "array, NDJSON, CSV in UTF-8, or an .xlsx workbook. A file that ends in the middle, opens "
        "a quote without closing it, or is something else than it says is refused as a whole."
    )


class MalformedQuery(RegisterError):
    status = 400
    slug = "malformed-query"
    title = "The OData query could not be read"
    advice = (
        "`details` says where, and what would be right. `GET /odata/v4/$metadata` lists the sets "
        "and their properties."
    )


class InvalidCursor(RegisterError):
    status = 400
    slug = "invalid-cursor"
    title = "The cursor does not belong to this query"
    advice = (
        "A cursor goes on with the list that it came from: send it with the same filters and the "
        "same sort, unchanged. To change the query, leave the cursor out and start again."
    )


class HostNotAllowed(RegisterError):
    status = 400
    slug = "host-not-allowed"
    title = "This host name is not served here"
    advice = (
        "Use the address that you were given. Who runs the service lists its host names in "
        "REGISTER_ALLOWED_HOSTS."
    )


class Unauthenticated(RegisterError):
    status = 401
    slug = "unauthenticated"
    title = "A valid key is needed"
    advice = (
        "Send `Authorization: Bearer <key>`. A key is shown once, when it is made; a wrong, "
        "replaced, expired or revoked key is refused wherever it is sent. Ask who runs the "
        "register for a new one. A token (JWT) is taken only where the service is set so, from the "
        "issuer that it trusts, for as long as the token is valid; `detail` says what is wrong "
        "with one."
    )

    def __init__(self, detail: str, *, refused: bool = False) -> None:
        challenge = 'Bearer realm="innovation register"'
        if refused:
            challenge += ', error="invalid_token"'
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(RegisterError):
    status = 403
    slug = "forbidden"
    title = "This key may not do that"
    advice = (
        "With `contribute`, a key reaches the organisation that it was made for, and downwards "
        "from there: from a region to its ICBs, from an ICB to its trusts. Themes, and entries of "
        "anybody else, take a key with `curate`. A token may do what the service is set to let "
        "its client do."
    )


class NotFound(RegisterError):
    status = 404
    slug = "not-found"
    title = "There is no such thing here"
    advice = "Check the address, or look the thing up in its list. `GET /v1` leads to everything."


class MethodNotAllowed(RegisterError):
    status = 405
    slug = "method-not-allowed"
    title = "This address does not take that method"
    advice = "The answer's `Allow` header names the methods that it takes."


class NotAcceptable(RegisterError):
    status = 406
    slug = "not-acceptable"
    title = "There is nothing here in the format that was asked for"
    advice = (
        "OData answers in JSON, and its metadata in XML. Send `Accept: application/json`, or "
        "nothing, and `OData-MaxVersion: 4.0` or a later one."
    )


class DuplicateSource(RegisterError):
    status = 409
    slug = "duplicate-source"
    title = "Your own id is taken"
    advice = (
        "An entry of yours has this `source` already. To create or update by your own id, use "
        "`PUT /v1/innovations/by-source/{system}/{id}`, or that of stories."
    )


class Duplicate(RegisterError):
    status = 409
    slug = "duplicate"
    title = "There is one already"
    advice = "What you name is taken. Change the existing thing, or choose another name."


class PositionTaken(RegisterError):
    status = 409
    slug = "position-taken"
    title = "The organisation has a position on this innovation"
    advice = (
        "An organisation has one current position on an innovation; `detail` names its address. "
        "PATCH it when the stage changes: what it was before stays in its history."
    )


class ClientNotValid(RegisterError):
    status = 409
    slug = "client-not-valid"
    title = "The client is not valid any more"
    advice = (
        "A revoked client never comes back: add a new one. One that has expired needs a later "
        "`expires_at` before it can have a new key."
    )


class Superseded(RegisterError):
    status = 409
    slug = "superseded"
    title = "This innovation was merged into another"
    advice = (
        "`detail` names the one that took its place, and the `Link` header (`successor-version`) "
        "has its address: send there what you sent here. Evidence and adoptions that went along "
        "have the same `id` there. What its own organisation says of the merged one can still be "
        "changed, by PATCH, PUT or an import; it stays at its own address."
    )


class StillRunning(RegisterError):
    status = 409
    slug = "still-running"
    title = "The first request with this Idempotency-Key is still running"
    advice = "Wait a moment and send the same request again: you get the first one's answer."


class Withdrawn(RegisterError):
    status = 410
    slug = "withdrawn"
    title = "This entry was withdrawn"
    advice = "A tombstone stays; its history and the change log tell when and why."


class PreconditionFailed(RegisterError):
    status = 412
    slug = "precondition-failed"
    title = "It has changed since you read it"
    advice = "GET it again, look at what changed, and repeat the write with the new ETag."


class BodyTooLarge(RegisterError):
    status = 413
    slug = "body-too-large"
    title = "The body is too large"
    advice = "Send less in one request."


class UnsupportedMediaType(RegisterError):
    status = 415
    slug = "unsupported-media-type"
    title = "The body is not of a type that is taken here"
    advice = (
        "Send JSON with `Content-Type: application/json` (for PATCH, also "
        "`application/merge-patch+json`), and no body where none is taken."
    )


class ValidationFailed(RegisterError):
    status = 422
    slug = "validation-failed"
    title = "The request is not valid"
    advice = (
        "Each item of `errors` points at what is wrong and says what would be right. A field or a "
        "parameter that the service does not know is refused, never ignored."
    )


class UnknownTheme(RegisterError):
    status = 422
    slug = "unknown-theme"
    title = "There is no such theme"
    advice = "`GET /v1/themes` lists the themes; a theme is named by its `slug`."


class UnknownOrganisation(RegisterError):
    status = 422
    slug = "unknown-organisation"
    title = "There is no such organisation"
    advice = (
        "`GET /v1/organisations?q=` finds an organisation's ODS code. Codes have 3 or 5 "
        "characters and cannot be guessed from a name."
    )


class UnknownInnovation(RegisterError):
    status = 422
    slug = "unknown-innovation"
    title = "There is no such innovation"
    advice = (
        "An innovation is named by its `id` or its reference (`INN-000123`); "
        "`GET /v1/innovations?q=` finds it. One that was withdrawn, or is another organisation's "
        "draft, cannot be named."
    )


class OrganisationClosed(RegisterError):
    status = 422
    slug = "organisation-closed"
    title = "The organisation has closed"
    advice = "Submit for the organisation that took over; `errors` names the successors."


class TooMany(RegisterError):
    status = 422
    slug = "too-many"
    title = "There are too many of these"
    advice = "Remove one, or gather several into one, before you add another."


class PossiblePersonalData(RegisterError):
    status = 422
    slug = "possible-personal-data"
    title = "There may be personal data in it"
    advice = (
        "Nothing was written. The register is read by everybody, and keeps what it is told: so no "
        "NHS number, phone number, e-mail address, date of birth or person's name belongs in it. "
        "Each item of `errors` has the text's `pointer`, the kind as its `code`, and the place in "
        "characters, from `start` up to `end`. Take it out, or say it in other words: a role for a "
        "name, a year for a day. What is flagged by mistake, a curator can send with "
        "`?accept_flagged=true`. `POST /v1/checks` tells all this before you submit."
    )


class ImportRejected(RegisterError):
    status = 422
    slug = "import-rejected"
    title = "The file has rows that cannot be imported"
    advice = (
        "Nothing was written. `rows` tells what is wrong with each row, and what would have become "
        "of the others. Mend them and send the file again, or send it with `mode=partial` to have "
        "the good rows written."
    )


class IdempotencyKeyReused(RegisterError):
    status = 422
    slug = "idempotency-key-reused"
    title = "This Idempotency-Key was used for another request"
    advice = "Make a new key for each new request; repeat a key only with the very same request."


class PreconditionRequired(RegisterError):
    status = 428
    slug = "precondition-required"
    title = "Say which version you are changing"
    advice = (
        "Send `If-Match` with the ETag that you read, so that nobody's change is lost; "
        "`If-Match: *` changes whatever stands there now."
    )


class InternalError(RegisterError):
    status = 500
    slug = "internal-error"
    title = "Something went wrong here"
    advice = (
        "It is not your request's fault. Nothing was written. Try again later; if it stays, tell "
        "who runs the register the `X-Request-ID` of the answer."
    )


class NotSupported(RegisterError):
    status = 501
    slug = "not-supported"
    title = "This part of OData is not supported"
    advice = (
        "It is right by the standard, but this service does not have it. `details` says where it "
        "stands in your query, and names what there is."
    )


class NotInstalled(RegisterError):
    status = 501
    slug = "not-installed"
    title = "This needs a part that is not installed here"
    advice = (
        "Comparing texts by what they mean needs a model of language. Who runs the service "
        "installs it with `pip install .[semantic]`; `GET /version` says whether it is there."
    )


class Unavailable(RegisterError):
    status = 503
    slug = "unavailable"
    title = "The register cannot answer just now"
    advice = (
        "Nothing was written, unless the detail names rows of an import that are done. Try again "
        "after the seconds that `Retry-After` names."
    )

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


def kinds() -> Iterator[type[RegisterError]]:
    """All kinds, in the order of their status."""
    yield from sorted(RegisterError.__subclasses__(), key=lambda kind: (kind.status, kind.slug))
