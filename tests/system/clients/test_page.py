"""``docs/compatibility.md`` agrees with the results of the clients' tests; this runs last."""

from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"
TARGETS = {"direct": "one engine", "cluster": "three engines"}
WRITE = "run: .venv/bin/pytest tests/system/clients --write-compatibility"

pytestmark = pytest.mark.docker


def test_the_page_says_what_this_run_found(found: Any, pytestconfig: pytest.Config) -> None:
    """The versions of the clients are shown, but not compared: a new version is no failure."""
    page = PAGE.read_text()
    new = written(page, {"clients": clients(found), "table": table(found)})
    if not found.is_whole:
        rows = between(new, "table").splitlines()
        assert [row for row in rows if "not run" not in row and row not in page] == [], WRITE
    elif pytestconfig.getoption("write_compatibility"):
        assert "| failed |" not in new, "not written: what failed is no news for a page"
        PAGE.write_text(new)
    else:
        assert between(page, "table") == between(new, "table"), WRITE


def clients(found: Any) -> str:
    """Return every client with the version that ran."""
    names = sorted({client for client, _ in found.results}, key=str.casefold)
    rows = [f"| {name} | {found.versions[name]} |" for name in names]
    return "\n".join(["| client | version of this run |", "| --- | --- |", *rows])


def table(found: Any) -> str:
    """Return one row for each kind of work of a client: clients by name, work in order of tests."""
    rows = [f"| client | what it does | {' | '.join(TARGETS.values())} |", "| --- " * 4 + "|"]
    for (client, does), row in sorted(found.results.items(), key=lambda of: of[0][0].casefold()):
        cells = [row.get(target, "not run") for target in TARGETS]
        rows.append(f"| {' | '.join([client, does, *cells])} |")
    return "\n".join(rows)


def written(page: str, parts: dict[str, str]) -> str:
    """Return the page with these parts, each between its two marks."""
    for name, text in parts.items():
        page = page.replace(f"<!-- {name} -->{between(page, name)}", f"<!-- {name} -->\n{text}\n")
    return page


def between(page: str, name: str) -> str:
    """Return the text between ``<!-- name -->`` and ``<!-- /name -->``."""
    return page.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
