"""How the library calls objects of the host.

uniffi 0.32.2 calls them so that the library never gets an answer when no event loop is set, when the loop is closed, when the host
raises anything but an `Exception`, or when it is cancelled from within; and it cancels tasks from threads where that is not
allowed. This takes the place of those parts. Each part has a test that fails without it: tests/test_mends.py.
"""

import asyncio
import logging
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from ._handles import Handles

_log = logging.getLogger("seatport")


class _Fallback:
    """An event loop on a thread of its own, for objects of the host whose own loop is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="seatport-host", daemon=True).start()
            return self._loop


_fallback = _Fallback()


class _Held:
    """An object of the host, and the event loop that its methods run on: the one where it was handed in."""

    def __init__(self, target: Any) -> None:
        self.target = target
        self.home: weakref.ref[asyncio.AbstractEventLoop] | None = None
        try:
            self.settle(asyncio.get_running_loop())
        except RuntimeError:
            # Handed in before there is one: the instance that it is for settles it.
            pass

    def settle(self, loop: asyncio.AbstractEventLoop) -> None:
        self.home = weakref.ref(loop)

    def loop(self) -> asyncio.AbstractEventLoop:
        home = None if self.home is None else self.home()
        return _fallback.loop() if home is None or home.is_closed() else home

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)


class _Call:
    """One call of an asynchronous method of the host. Answers the library exactly once, whatever happens."""

    def __init__(
        self,
        make_call: Callable[[], Coroutine[Any, Any, Any]],
        succeed: Callable[[Any], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._make_call = make_call
        self._succeed = succeed
        self._fail = fail
        self._task: asyncio.Task[None] | None = None
        self._dropped = False
        self._loop = _held(make_call).loop()
        try:
            self._loop.call_soon_threadsafe(self._start)
        except RuntimeError:
            # It was closed meanwhile.
            self._loop = _fallback.loop()
            self._loop.call_soon_threadsafe(self._start)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._run())
        if self._dropped:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            self._succeed(await self._make_call())
        except BaseException as error:
            # Whoever cancels it, the library must hear that there is no answer.
            self._fail(error)
            if isinstance(error, KeyboardInterrupt):
                raise

    def drop(self) -> None:
        """The library does not wait any more. Called from any thread."""
        self._dropped = True
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            # With its loop it has ended itself.
            pass

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _held(make_call: Callable[[], Any]) -> _Held:
    """The object that the generated code is about to call."""
    cells = dict(zip(make_call.__code__.co_freevars, make_call.__closure__ or ()))
    held = cells["uniffi_obj"].cell_contents
    assert isinstance(held, _Held)
    return held


class _Hosts:
    """The host's objects by handle. Unlike the generated map it knows where each is at home."""

    def __init__(self) -> None:
        self._held: Handles[_Held] = Handles()

    def insert(self, target: Any) -> int:
        return self._held.insert(_Held(target))

    def get(self, handle: int) -> _Held:
        return self._held.get(handle)

    def clone(self, handle: int) -> int:
        return self._held.clone(handle)

    def remove(self, handle: int) -> Any:
        return self._held.remove(handle).target

    def settle(self, targets: Iterable[Any], loop: asyncio.AbstractEventLoop) -> None:
        wanted = {id(target) for target in targets}
        for held in self._held.all():
            if held.home is None and id(held.target) in wanted:
                held.settle(loop)

    def __len__(self) -> int:
        return len(self._held)


def mend(generated: Any, traits: Iterable[str]) -> None:
    """Takes the place of the parts that call these traits of the host."""
    calls: Handles[_Call] = Handles()
    text = generated._UniffiFfiConverterString

    def failing(fail: Callable[[int, Any], None], error_type: Any, lower_error: Any) -> Callable[[BaseException], None]:
        def answer(error: BaseException) -> None:
            if error_type is not None and isinstance(error, error_type):
                try:
                    fail(generated._UniffiRustCallStatus.CALL_ERROR, lower_error(error))
                    return
                except Exception as unreadable:
                    error = unreadable
            if not isinstance(error, asyncio.CancelledError):
                _log.error("an object of the host failed", exc_info=error)
            fail(generated._UniffiRustCallStatus.CALL_UNEXPECTED_ERROR, text.lower(repr(error)))

        return answer

    def drop(handle: int) -> None:
        calls.remove(handle).drop()

    dropped = generated._UNIFFI_FOREIGN_FUTURE_DROPPED_CALLBACK(drop)

    def call_async(
        make_call: Any, out_dropped: Any, succeed: Any, fail: Any, error_type: Any = None, lower_error: Any = None
    ) -> None:
        call = _Call(make_call, succeed, failing(fail, error_type, lower_error))
        out_dropped[0] = generated._UniffiForeignFutureDroppedCallbackStruct(calls.insert(call), dropped)

    def call_now(status: Any, make_call: Any, write_answer: Any, error_type: Any = None, lower_error: Any = None) -> None:
        def fail(code: int, buffer: Any) -> None:
            status.code, status.error_buf = code, buffer

        try:
            write_answer(make_call())
        except BaseException as error:
            failing(fail, error_type, lower_error)(error)

    generated._uniffi_trait_interface_call_async = call_async
    generated._uniffi_trait_interface_call_async_with_error = call_async
    generated._uniffi_trait_interface_call = call_now
    generated._uniffi_trait_interface_call_with_error = call_now
    for trait in traits:
        getattr(generated, f"_UniffiFfiConverterType{trait}")._handle_map = _Hosts()


def settle(generated: Any, trait: str, targets: Iterable[Any]) -> None:
    """What was handed in before there was a loop is at home on the running one."""
    getattr(generated, f"_UniffiFfiConverterType{trait}")._handle_map.settle(targets, asyncio.get_running_loop())
