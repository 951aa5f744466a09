"""What contracts on a real store have in common: the store, running for each test."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from swarmcore_lab.stores import Store, running


class WithStore:
    """Set ``store_class``.

    Attributes:
        store_class: which store.
        store: running, its data those of earlier tests; each test has a prefix of its own.
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
