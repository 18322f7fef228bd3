"""OData's query options, as they are sent; what they say is read in :mod:`app.odata`."""

from pydantic import Field

from app.models.fields import Strict

_LONGEST = 20_000
_MOST = 2**31 - 1


class ODataFormat(Strict):
    """What can be said wherever there is an answer in a format."""

    format: str | None = Field(
        default=None,
        alias="$format",
        max_length=200,
        description="`json`, or a media type, in place of the header `Accept`.",
    )


class ODataOptions(ODataFormat):
    """What a query may say of the entities that it wants."""

    select: str | None = Field(
        default=None,
        alias="$select",
        max_length=_LONGEST,
        description="The properties that are wanted, with commas between them.",
        examples=["reference,title,status"],
    )
    filter: str | None = Field(
        default=None,
        alias="$filter",
        max_length=_LONGEST,
        description="Which entities: eq, ne, gt, ge, lt, le, in, and, or, not, and functions.",
        examples=["status eq 'keep' and year(created_at) ge 2020"],
    )
    orderby: str | None = Field(
        default=None,
        alias="$orderby",
        max_length=_LONGEST,
        description="In which order, as `title asc,created_at desc`.",
        examples=["created_at desc"],
    )
    top: int | None = Field(
        default=None, alias="$top", ge=0, le=_MOST, description="At most so many.", examples=[3]
    )
    skip: int | None = Field(
        default=None, alias="$skip", ge=0, le=_MOST, description="Without the first ones."
    )
    count: bool | None = Field(
        default=None,
        alias="$count",
        description="With how many there are.",
        examples=["true"],
    )
    expand: str | None = Field(
        default=None,
        alias="$expand",
        max_length=_LONGEST,
        description="With what belongs to each, as `evidence($select=kind,statement)`.",
    )
    skiptoken: str | None = Field(
        default=None,
        alias="$skiptoken",
        max_length=_LONGEST,
        description="Where a page goes on; it stands in the `@odata.nextLink` before it.",
    )
