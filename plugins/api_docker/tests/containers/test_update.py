"""The object in an update's body that an engine would read."""

import pytest
from swarmcore_api_docker.containers.update import read_first_object

from swarmcore.errors import BadRequest


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b'{"Memory": 7}', {"Memory": 7}),
        (b' \n{"Memory": 7} and more', {"Memory": 7}),
        (b'{"Memory": 7}{"Memory": 8}', {"Memory": 7}),
        (b'{"Memory": 7, "Memory": 8}', {"Memory": 8}),
        (b'{"Memory": 7, "a": "\xff"}', {"Memory": 7, "a": "\ufffd"}),
        (b"", {}),
        (b"{", {}),
        (b"[1]", {}),
        (b"null", {}),
        (b'\xef\xbb\xbf{"Memory": 7}', {}),
        (b'{"Memory": ' + b"9" * 5000 + b"}", {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_first_object_is_read(body, seen):
    assert read_first_object(body) == seen


def test_a_body_nested_too_deeply_is_refused():
    with pytest.raises(BadRequest, match="too deeply"):
        read_first_object(b'{"a": ' + b"[" * 100_000)
