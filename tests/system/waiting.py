"""Helpers that wait for a state."""

import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest


def wait_until(state: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Poll *state* until it is true; fail, naming *what*, after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        value = state()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def fetch(url: str) -> bytes:
    """Return the answer of *url*; retry while the program starts."""

    def answer() -> bytes | None:
        try:
            with urllib.request.urlopen(url, timeout=30) as reply:
                return bytes(reply.read())
        except OSError as error:
            if isinstance(getattr(error, "reason", error), ConnectionError):
                return None
            raise

    return bytes(wait_until(answer, f"{url} to answer", 30))
