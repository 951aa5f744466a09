"""JSON bodies that an engine would read differently are refused."""

import pytest

from swarmcore.errors import BadRequest
from swarmcore.http.strict_json import parse_body

JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"", None),
        (b" \r\n", None),
        (b"null", None),
        (b'{"Image":"a","HostConfig":null}', {"Image": "a", "HostConfig": None}),
        (b'{"Memory":9007199254740993}', {"Memory": 9007199254740993}),
        (b'{"Labels":{"a":"1","A":"2"}}', {"Labels": {"a": "1", "A": "2"}}),
        (b'{"labels":{"a":"1","A":"2"}}', {"labels": {"a": "1", "A": "2"}}),
    ],
    ids=["nothing", "blank", "null", "nulls inside", "64 bits", "labels", "labels in any case"],
)
def test_json_is_read(body, read):
    assert parse_body(body, JSON) == read


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"\uDC00x\uD83D"', "\ufffdx\ufffd"),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud800\u0041"', "\ufffdA"),
        (rb'"\\ud800"', "\\ud800"),
        (b'"\xed\xa0\x80\xff"', "\ufffd" * 4),
    ],
    ids=["half", "other halves", "pair", "half and letter", "backslash", "bytes"],
)
def test_invalid_characters_are_read_as_by_engines(body, read):
    assert parse_body(body, JSON) == read
    read.encode()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "utf-8-sig"])
def test_only_utf_8_is_json(encoding):
    with pytest.raises(BadRequest, match="invalid JSON"):
        parse_body('{"Image":"a"}'.encode(encoding), JSON)


def test_a_charset_does_not_matter():
    assert parse_body(b"{}", "Application/JSON; charset=utf-8") == {}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"{", "invalid JSON"),
        (b'{"a":1', "invalid JSON"),
        (b"[" * 100_000, "too deep"),
        (b'{"a":' * 100_000, "too deep"),
        (b'{"Memory":NaN}', "NaN"),
        (b'{"Memory":-Infinity}', "Infinity"),
        (b'{"Memory":1e999}', "too large"),
        (b'{"Memory":' + b"9" * 5000 + b"}", "invalid JSON"),
        (b"\xff\xfe\xfd", "invalid JSON"),
        (b'{"Image":"a","Image":"b"}', "'Image' is given twice"),
        (b'{"Image":"a","image":"b"}', "'image' is given twice"),
        (b'{"HostConfig":{"Memory":1,"memory":2}}', "'memory' is given twice"),
        (b'{"Mounts":[{"Type":"bind","type":"volume"}]}', "'type' is given twice"),
        (b'{"Labels":{"a":"1"},"labels":{"b":"2"}}', "'labels' is given twice"),
    ],
    ids=[
        "cut off",
        "object cut off",
        "deep lists",
        "deep objects",
        "nan",
        "infinity",
        "float overflow",
        "huge integer",
        "not utf-8",
        "same key",
        "key in two cases",
        "inside an object",
        "inside a list",
        "labels themselves",
    ],
)
def test_malformed_and_ambiguous_json_is_refused(body, text):
    with pytest.raises(BadRequest, match=text):
        parse_body(body, JSON)


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_must_be_declared_as_json(kind):
    with pytest.raises(BadRequest, match="must be 'application/json'"):
        parse_body(b"{}", kind)
