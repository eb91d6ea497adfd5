from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.datapath.conftest import make_namespace

__all__ = ["make_namespace"]


@pytest.fixture
def host(make_namespace: Callable[[], str]) -> Iterator[str]:
    yield make_namespace()


@pytest.fixture
def guest(make_namespace: Callable[[], str]) -> Iterator[str]:
    yield make_namespace()
