"""The table of limits in docs/api.md has the numbers of the code."""

import re
from pathlib import Path

from swarmcore import request_limits
from swarmcore.http.server import Limits

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_page_has_every_limit():
    page = PAGE.read_text()
    table = page.split("<!-- limits -->")[1]
    told = {int(number.replace(",", "")) for number in re.findall(r"\| ([\d,]+) \|", table)}
    named = {value for name, value in vars(request_limits).items() if name.isupper()}
    server = Limits()
    named |= {server.connections, server.head_bytes, server.header_count, server.parsed_body_bytes}
    assert told == named
