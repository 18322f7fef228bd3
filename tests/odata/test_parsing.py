"""Reading query options: what they mean, and what is wrong with those that mean nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.errors import MalformedQuery, NotFound, NotSupported
from app.models.odata import ODataOptions
from app.odata import addresses, csdl, options
from app.odata import expressions as ex
from app.odata.expressions import FUNCTIONS, NOT_SUPPORTED
from app.odata.lexing import MOST_TOKENS
from app.odata.options import Asked
from app.odata.parsing import DEEPEST, MOST_OPTIONS
from app.odata.sets import SETS

INNOVATIONS = SETS["Innovations"]


def asked(**said: Any) -> Asked:
    """What options ask for of innovations, as ``filter="..."``."""
    given = ODataOptions.model_validate({f"${name}": value for name, value in said.items()})
    return options.read(given, INNOVATIONS)


def where(text: str) -> Any:
    return asked(filter=text).where


def shape(expression: Any) -> Any:  # noqa: PLR0911
    """An expression as nested tuples of the words that it was written with."""
    match expression:
        case ex.Any(of=of):
            return ("or", *map(shape, of))
        case ex.All(of=of):
            return ("and", *map(shape, of))
        case ex.Not(what=what):
            return ("not", shape(what))
        case ex.Comparison(operator=operator, left=left, right=right):
            return (operator, shape(left), shape(right))
        case ex.Call(function=function, arguments=arguments):
            return (function, *map(shape, arguments))
        case ex.Property(column=column):
            return column.name
        case ex.Value(index=index):
            return index
        case ex.Truth(value=value):
            return value
        case ex.Null():
            return None
    raise AssertionError(expression)


def test_precedence_is_that_of_the_standard() -> None:
    text = "status eq 'a' or not contains(title,'b') and (version gt 1 or theme ne null)"
    assert shape(where(text)) == (
        "or",
        ("eq", "status", 0),
        (
            "and",
            ("not", ("contains", "title", 1)),
            ("or", ("gt", "version", 2), ("ne", "theme", None)),
        ),
    )


def test_values_stand_beside_an_expression() -> None:
    one, other = asked(filter="title eq 'a''b'"), asked(filter="title  eq  'c'")
    assert one.where == other.where
    assert (one.values, other.values) == (("a'b",), ("c",))
    assert one.name != other.name, "they are not the same query to page through"


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("created_at eq 2020-04-01T00:00Z", "2020-04-01T00:00:00.000000Z"),
        ("created_at eq 2020-04-01T01:30:00.5+01:00", "2020-04-01T00:30:00.500000Z"),
        ("decided_on eq 2020-04-01", "2020-04-01"),
        ("version eq 1e2", 100.0),
        ("version eq -2.5", -2.5),
        ("title eq ''", ""),
    ],
)
def test_a_literal_is_read(literal: str, value: object) -> None:
    assert asked(filter=literal).values == (value,)


def test_an_alias_is_its_value_and_null_without_one() -> None:
    sent = ODataOptions.model_validate({"$filter": "title eq @t and theme eq @none"})
    found = options.read(options.with_aliases(sent, {"@t": "'x @t'"}), INNOVATIONS)
    assert shape(found.where) == ("and", ("eq", "title", 0), ("eq", "theme", None))
    assert found.values == ("x @t",)
    with pytest.raises(MalformedQuery, match="one value"):
        options.with_aliases(sent, {"@t": "'x' or true"})


def test_expand_takes_options_of_its_own() -> None:
    text = "decisions($select=id , status;$filter=status eq 'keep';$top=2;$orderby=decided_on desc)"
    (expanded,) = asked(expand=text).expand
    assert [column.name for column in expanded.select.columns] == ["id", "status"]
    assert shape(expanded.where) == ("eq", "status", 0)
    assert expanded.top == 2
    assert dict(expanded.said)["$filter"] == "status eq 'keep'"
    assert len(asked(expand="*").expand) == len(INNOVATIONS.navigations)


WRONG = [
    # A filter, and what the answer says about it.
    ("", "a property or a value"),
    ("titel eq 'x'", "Did you mean `title`"),
    ("title", "A condition should stand here"),
    ("title is", "should be eq, ne"),
    ("(title)", "a condition should stand here"),
    ("title eq", "a property or a value"),
    ("title eq 'x", "never closed"),
    ('title eq "x"', "single quotes"),
    ("title = 'x'", "should be eq, ne"),
    ("title == 'x'", "should be eq, ne"),
    ("title & 'x'", "Compare with eq"),
    ("title eq 5", "A text stands in single quotes"),
    ("version eq '5'", "A text stands in single quotes"),
    ("decided_on eq 2020-04-01T00:00:00Z", "A day is written"),
    ("decided_on eq 2020-02-30", "This is not a day"),
    ("created_at gt 2020-04-01T25:00:00Z", "This is not a time"),
    ("created_at gt 2020-04-01T00:00:00 01:00", "%2B"),
    ("version gt 1e400", "This is not a number"),
    ("id eq 01a2081a-03ff-7409-928e-9e4a93bd3029", "put it in single quotes"),
    ("tags eq 'x'", "ask `any`"),
    ("tags/some(t:t eq 'x')", "`any` and `all`"),
    ("tags/any('x')", "a name for each"),
    ("title/any(t:t eq 'x')", "`any` and `all`"),
    ("status eq 'a' eq true", "parentheses"),
    ("not status eq 'a'", "in parentheses"),
    ("title and status eq 'a'", "`and` takes conditions"),
    ("contains(title)", "Here should be `,`"),
    ("contains(version,'x')", "takes a text"),
    ("contain(title,'x')", "Did you mean `contains`"),
    ("year(title) eq 2020", "takes a day or a time"),
    ("status in ('a' 'b')", "Here should be `)`"),
    ("status in (title)", "`in` takes values"),
    ("status in ('a',1)", "A text stands in single quotes"),
    (f"status in ({','.join(chr(39) * 2 for _ in range(MOST_OPTIONS + 1))})", "at most 400"),
    ("true gt false", "for what has an order"),
    ("(" * (DEEPEST + 1) + "true" + ")" * (DEEPEST + 1), "nested too deep"),
    ("not " * (DEEPEST + 1) + "true", "nested too deep"),
    ("true or " * (MOST_TOKENS // 2) + "true", "too long"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_place_and_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(MalformedQuery) as caught:
        where(text)
    assert said.lower() in caught.value.detail.lower()
    assert caught.value.detail.startswith("At character ")
    (fault,) = caught.value.faults
    assert fault.pointer == "?$filter"


NOT_HERE = [
    "version add 1 eq 2",
    "version eq 2 mul 3",
    "version eq -version",
    "status has 'x'",
    "theme_detail/name eq 'x'",
    "decisions/any(d:d/status eq 'keep')",
    "InnovationRegister.Innovation/title eq 'x'",
    "$it/title eq 'x'",
    "tags/$count gt 1",
    "created_at gt now()",
    "round(version) eq 1",
    "cast(version,'Edm.String') eq '1'",
    "duration'PT1H' eq null",
    "time(created_at) eq 12:30:00",
    "version lt INF",
    "version gt -INF",
    "substring(title,version) eq 'x'",
    "tags/any(t:tags/any(u:u eq t))",
]


@pytest.mark.parametrize("text", NOT_HERE)
def test_what_odata_has_and_this_service_has_not_is_said_to_be_so(text: str) -> None:
    with pytest.raises(NotSupported) as caught:
        where(text)
    assert caught.value.detail.startswith("At character ")


def test_no_function_is_both_here_and_not() -> None:
    assert not NOT_SUPPORTED & set(FUNCTIONS)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"select": "titel"}, MalformedQuery),
        ({"select": "title,"}, MalformedQuery),
        ({"select": "title/x"}, NotSupported),
        ({"select": "InnovationRegister.f"}, NotSupported),
        ({"orderby": "tags"}, MalformedQuery),
        ({"orderby": "'x'"}, MalformedQuery),
        ({"orderby": "title down"}, MalformedQuery),
        ({"orderby": ",".join(["title"] * 9)}, MalformedQuery),
        ({"expand": "theme"}, MalformedQuery),
        ({"expand": "decisions/innovation_detail"}, NotSupported),
        ({"expand": "decisions($expand=innovation_detail)"}, NotSupported),
        ({"expand": "decisions($levels=2)"}, NotSupported),
        ({"expand": "decisions($top=-1)"}, MalformedQuery),
        ({"expand": "decisions($top=1;$top=2)"}, MalformedQuery),
        ({"expand": "theme_detail($filter=number eq 1)"}, MalformedQuery),
        ({"expand": "decisions()"}, NotSupported),
    ],
)
def test_other_options_are_read_as_strictly(said: dict[str, str], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        asked(**said)


_SIGNS = "( ) , : ; / = * - $select $filter $top $it @a 'x' '' ' 1 -1 1e400 1.5 12:00:00 é"
_NAMES = "eq ne gt ge lt le in and or not any all asc desc true false null add has t decisions"
WORDS = [
    *(column.name for column in INNOVATIONS.table.columns),
    *(*FUNCTIONS, *NOT_SUPPORTED, *_SIGNS.split(), *_NAMES.split(), "\0", "\ud800"),
    *("2020-04-01", "2020-04-01T00:00:00Z", "0000-00-00", "theme_detail"),
]
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=25).map("".join),
)


@given(option=st.sampled_from(["filter", "orderby", "select", "expand"]), text=TEXTS)
def test_no_text_is_anything_but_read_or_refused(option: str, text: str) -> None:
    try:
        found = asked(**{option: text})
    except (MalformedQuery, NotSupported, ValidationError):
        return
    assert isinstance(found, Asked)
    assert hash((found.where, found.order)), "its SQL is kept by what it is"


@given(path=st.one_of(TEXTS, TEXTS.map(lambda text: f"Innovations({text})/{text}")))
def test_no_address_is_anything_but_read_or_refused(path: str) -> None:
    try:
        address = addresses.read(path)
    except (NotFound, NotSupported):
        return
    assert address.of.name in SETS


def test_every_property_and_way_is_in_the_metadata() -> None:
    told = csdl.metadata().decode()
    for each in SETS.values():
        assert f'<EntitySet Name="{each.name}"' in told
        for navigation in each.navigations:
            assert f'<NavigationProperty Name="{navigation.name}"' in told
            assert each.column(navigation.here) is not None
            assert SETS[navigation.target].column(navigation.there) is not None
    assert told.count("<Property ") == sum(len(each.table.columns) for each in SETS.values())
