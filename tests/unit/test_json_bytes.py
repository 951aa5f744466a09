"""JSON is read and written by orjson, with the results of ``json``."""

import json
import math

import pytest

from swarmcore.json_bytes import read_json, write_json


@pytest.mark.parametrize(
    "text", ['{"a":[1,2.5,null,true,"\\u00e9\\n"]}', "[]", '"\\ud800"', str(2**70), "-0.0", " 1 "]
)
def test_json_is_read_as_by_json(text):
    assert read_json(text.encode()) == json.loads(text)


def test_nan_is_read_as_by_json():
    assert math.isnan(read_json(b"NaN"))


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}x', b"\xff"])
def test_other_bytes_are_a_value_error(body):
    with pytest.raises(ValueError):
        read_json(body)


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True]}, {'é\n\x01\x7f"\\/': ""}, 2**70, {1: 2}, [], "</a>&"]
)
def test_json_is_written_as_by_json(value):
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert write_json(value) == plain.encode()


def test_a_value_without_a_form_in_json_is_refused():
    with pytest.raises(TypeError):
        write_json({"a": object()})
