"""Workbooks that are made to harm."""

from __future__ import annotations

import io
import tempfile
import zipfile

import pytest

from app import files
from app.errors import UnreadableFile
from app.files import Format, template
from app.files.columns import INNOVATIONS
from app.files.rows import Row

CONTENT = zipfile.ZIP_DEFLATED


def rows_of(content: bytes) -> list[Row]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        return list(files.rows(file, Format.XLSX, INNOVATIONS))


def changed(**parts: bytes) -> bytes:
    """The template, with other content in some parts of the archive."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(template.as_xlsx(INNOVATIONS))) as source,
        zipfile.ZipFile(made, "w", CONTENT) as target,
    ):
        for part in source.namelist():
            name = part.rpartition("/")[2].partition(".")[0]
            target.writestr(part, parts.get(name, source.read(part)))
    return made.getvalue()


def understated(file: bytes, name: bytes, size: int) -> bytes:
    """The archive, saying of a part that it unpacks to a few bytes."""
    content = bytearray(file)
    at = content.rfind(name) - 46  # its place in the central directory
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
    return bytes(content)


def test_the_template_is_read() -> None:
    assert len(rows_of(changed())) == 1


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = changed(sheet1=b"<worksheet>" + b" " * 600 * 1024 * 1024)
    assert len(bomb) < 1024 * 1024
    with pytest.raises(UnreadableFile, match="more than 512 MiB"):
        rows_of(bomb)


def test_a_bomb_that_lies_about_its_size_takes_bounded_memory() -> None:
    letters = b"<sst><si><t>" + b"x" * 1_000 + b"</t></si>" * 3_000_000
    bomb = understated(changed(sharedStrings=letters * 20), b"xl/sharedStrings.xml", 1000)
    with pytest.raises(UnreadableFile):
        rows_of(bomb)


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<worksheet>",
        b"not XML at all",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    ],
)
def test_a_sheet_that_is_no_sheet_has_nothing_to_import(xml: bytes) -> None:
    with pytest.raises(UnreadableFile):
        rows_of(changed(sheet1=xml))
