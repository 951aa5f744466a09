"""The API page names every field that older engines ignore, with its API version."""

from pathlib import Path

from swarmcore.container_config.version_gates import GATED

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_page_has_a_row_for_every_gated_field():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| create")]
    for field, since in GATED.items():
        (row,) = (row for row in rows if f"`{field}`" in row)
        assert f"| {since} |" in row
