"""The base of contracts on a real store: it runs the store for each test."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from swarmcore_lab.stores import Store, running


class WithStore:
    """Runs a store for each test; a subclass sets ``store_class``.

    Attributes:
        store_class: the store to run.
        store: the running store.  It keeps the data of earlier tests, so each test uses another
            prefix.
    """

    store_class: ClassVar[type[Store]]
    store: ClassVar[Store]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _a_store(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with running(cls.store_class(tmp_path_factory.mktemp("store"))) as cls.store:
            yield

    @pytest.fixture(autouse=True)
    def _running(self, _a_store: None) -> None:
        self.store.start()
