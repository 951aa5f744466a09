"""``docs/api.md`` has the current route tables, and explains their notes."""

import re
from pathlib import Path

import pytest
from swarmcore_api_docker import route_notes, swarmcore_routes

from swarmcore.plugins.route_listing import routes_as_markdown

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- routes -->\n", "<!-- /routes -->\n"
COMMAND = ".venv/bin/pytest tests/docs/test_api_page.py --write-api"

WORDS = [
    value for name, value in vars(route_notes).items()
    if name.isupper() and name not in ("LISTED", "PRUNED")
]  # fmt: skip


def test_the_page_has_every_route(request):
    before, _, rest = PAGE.read_text().partition(BEGIN)
    shown, _, after = rest.partition(END)
    wanted = routes_as_markdown(swarmcore_routes({}))
    if request.config.getoption("--write-api"):
        PAGE.write_text(f"{before}{BEGIN}{wanted}{END}{after}")
    else:
        assert shown == wanted, f"docs/api.md is not what the routes say: {COMMAND}"


@pytest.mark.parametrize("word", WORDS)
def test_the_page_explains_every_note(word):
    explained = re.findall(r"^\| ([^`|]+) \| [^|]+ \|$", PAGE.read_text(), re.MULTILINE)
    assert word in {each for row in explained for each in row.split(", ")}


def test_every_route_has_a_note():
    for route in swarmcore_routes({}):
        assert any(word in route.routed for word in WORDS), f"{route.method} {route.template}"
