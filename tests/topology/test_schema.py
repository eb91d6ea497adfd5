"""The published schema is the one that the reader goes by."""

from __future__ import annotations

import json
from pathlib import Path

from jackfield.topology.form import json_schema

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "network-file.schema.json"


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json_schema()


def test_every_word_of_the_schema_is_explained() -> None:
    silent = [
        f"{name}.{word}"
        for name, part in json_schema()["$defs"].items()
        for word, value in part["properties"].items()
        if "description" not in value
    ]
    assert silent == []
