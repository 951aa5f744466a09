"""Names that containers have through links of other containers."""

import pytest

from swarmcore.engine.cache.link_aliases import find_named, links_of, with_aliases
from swarmcore.testing.builders import a_container


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (["/db:/web/data"], {("db", "web/data")}),
        (["/db:/web/data", "/db:/web/db"], {("db", "web/data"), ("db", "web/db")}),
        (None, set()),
        ("odd", set()),
        ([5, "", "db"], set()),
    ],
)
def test_links_are_read_from_the_container_that_makes_them(links, expected):
    assert links_of(a_container("web", body={"HostConfig": {"Links": links}})) == expected


def test_containers_without_links_have_no_aliases():
    assert links_of(None) == set()


def test_the_linked_container_gets_and_loses_the_aliases_of_its_name_alone():
    db = a_container("db", links=["old/db"])
    links = {("db", "web/data"), ("db", "web/db"), ("cache", "web/cache")}
    linked = with_aliases(db, "db", set(), links)
    assert linked.names == ("db", "old/db", "web/data", "web/db")
    assert linked.summary["Names"] == ["/db", "/old/db", "/web/data", "/web/db"]
    assert with_aliases(linked, "db", links, set()).names == db.names
    assert find_named([a_container("web"), db], "db") is db
    assert find_named([db], "old/db") is None
