"""Runs coroutine tests, each on an event loop of its own, and knows which test proves what."""

import asyncio
import inspect
from typing import Any

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    test: Any = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    names = inspect.signature(test).parameters
    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def proved(request: pytest.FixtureRequest) -> set[str]:
    """The behaviours that the tests of this run are there for."""
    marks = (mark for item in request.session.items for mark in item.iter_markers("behaviour"))
    return {str(name) for mark in marks for name in mark.args}
