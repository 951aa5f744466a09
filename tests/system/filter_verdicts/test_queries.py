"""Malformed queries and numbers are refused as engines refuse them."""

from urllib.parse import quote

import pytest

from tests.system.filter_verdicts.sides import LISTS, MAKERS

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    "query", ["?x=%zz", "?%", "?a=1;filters=%7B%7D", "?a=%a&b=1", "?a=1;b=%zz", "?;"]
)
def test_a_malformed_query_is_refused_where_engines_read_it(query, sides, manager):
    for target in (*LISTS.values(), "/v1.41/events?until=1"):
        path = target.partition("?")[0]
        asked = f"{path}{query}&until=1"
        assert manager("GET", asked) == sides["new"]("GET", asked)
    for kind in MAKERS:
        asked = f"/v1.41/{kind}/prune{query}"
        assert manager("POST", asked) == sides["new"]("POST", asked)
    for path in ("/v1.41/_ping", "/v1.41/version", "/v1.41/info"):
        assert (
            manager("GET", f"{path}{query}")[0] == sides["new"]("GET", f"{path}{query}")[0] == 200
        )


@pytest.mark.parametrize(
    "target",
    [
        *(f"/containers/json?limit={quote(text)}" for text in ("x", " 1", "1_0", "1.0", "9" * 20)),
        *(f"/events?until=1&since={quote(text)}" for text in ("x", "1h", "1.", ".5", "1e3", " 1")),
        "/events?until=x",
        "/events?until=1&since=1.9999999999",
        "/events?until=1&since=1577836800123",
        "/events?until=1&since=%2B1",
    ],
)
def test_a_number_that_is_none_is_refused_as_by_an_engine(target, sides, manager):
    status, told = sides["new"]("GET", target)
    its_status, its_told = manager("GET", target)
    assert its_status == status
    assert status == 200 or its_told == told
