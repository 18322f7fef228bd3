"""Evidence for the judgement of an innovation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    Forbidden,
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    Superseded,
    TooMany,
    Withdrawn,
)
from app.http import answers
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.evidence import EvidenceCreate, EvidencePage, EvidencePublic, EvidenceUpdate
from app.register import evidence as pieces
from app.register import reading
from app.routers import examples
from app.routers.parts import InnovationName, PageOf, Register

router = APIRouter(
    prefix="/v1/innovations/{innovation}/evidence", tags=["evidence"], route_class=Route
)

EvidenceName = Annotated[
    str,
    Path(
        alias="evidence",
        description="The `id` of the evidence.",
        openapi_examples=examples.LISTED_ID,
    ),
]
_CHANGE = (NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed)


@router.post(
    "",
    status_code=201,
    response_model=EvidencePublic,
    summary="Add evidence to an innovation",
    responses=problems(
        NotFound, Withdrawn, Superseded, Forbidden, TooMany, IdempotencyKeyReused, StillRunning
    ),
)
async def create_evidence(
    once: PostOnce,
    client: Contributor,
    innovation: InnovationName,
    piece: Annotated[EvidenceCreate, Body(openapi_examples=examples.EVIDENCE)],
) -> Response:
    """Use it to say what speaks for the judgement: what staff or patients say, a measure before and
    after, an audit, an evaluation, a publication. Do not give a person's name.
    """
    return await once(pieces.add, innovation, piece, by=client)


@router.get(
    "",
    response_model=EvidencePage,
    summary="List the evidence for an innovation",
    responses=problems(NotFound, Withdrawn, InvalidCursor),
)
async def list_evidence(
    request: Request, register: Register, caller: Reader, innovation: InnovationName, query: PageOf
) -> Response:
    """Use it to weigh a judgement. The innovation's own document has the same pieces."""
    listed = await register.read(
        reading.evidence, innovation, caller, limit=query.limit, cursor=query.cursor
    )
    return answers.page(request, listed)


@router.get(
    "/{evidence}",
    response_model=EvidencePublic,
    summary="Get a piece of evidence",
    responses=problems(NotFound, Withdrawn),
)
async def get_evidence(
    register: Register, caller: Reader, innovation: InnovationName, evidence: EvidenceName
) -> Response:
    """Use it for the ETag that a change of it asks for. It is found under an innovation that was
    merged into another, too, where it was before.
    """
    return answers.one(await register.read(reading.piece_of_evidence, innovation, evidence, caller))


@router.patch(
    "/{evidence}",
    response_model=EvidencePublic,
    summary="Change a piece of evidence",
    responses=problems(*_CHANGE),
)
async def update_evidence(
    register: Register,
    client: Contributor,
    innovation: InnovationName,
    evidence: EvidenceName,
    patch: Annotated[EvidenceUpdate, Body(openapi_examples=examples.EVIDENCE_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it to correct a piece of evidence, or to say that it has become stronger: a merge patch,
    so what you leave out stays, and null empties.
    """
    stored = await register.write(
        pieces.change, innovation, evidence, patch, by=client, precondition=if_match
    )
    return answers.written(stored)


@router.delete(
    "/{evidence}",
    status_code=204,
    summary="Remove a piece of evidence",
    responses=problems(*_CHANGE),
)
async def delete_evidence(
    register: Register,
    client: Contributor,
    innovation: InnovationName,
    evidence: EvidenceName,
    if_match: IfMatch,
) -> Response:
    """Use it for evidence that does not hold. The innovation's history keeps what was said."""
    stored = await register.write(
        pieces.remove, innovation, evidence, by=client, precondition=if_match
    )
    return Response(status_code=204, headers={"Register-Sequence": str(stored.head)})
