"""How the library is called.

uniffi 0.32.2 prefers an event loop that was set once to the one that runs, complains in a callback that cannot be caught when a loop
closes under a call, and shows a panic as an error of its own kind. This takes the place of those parts.
"""

import asyncio
from typing import Any

from ._handles import Handles


def mend(generated: Any) -> None:
    """Takes the place of the parts that call the library."""
    waiting: Handles[tuple[asyncio.AbstractEventLoop, asyncio.Future[int]]] = Handles()

    def settle(future: asyncio.Future[int], code: int) -> None:
        if not future.done():
            future.set_result(code)

    def wake(handle: int, code: int) -> None:
        loop, future = waiting.remove(handle)
        try:
            loop.call_soon_threadsafe(settle, future, code)
        except RuntimeError:
            # The loop was closed; nobody waits any more.
            pass

    def panicked(text: str) -> Exception:
        error: Exception = generated.SeatportError.Internal(f"{text}; please report it")
        return error

    generated._uniffi_get_event_loop = asyncio.get_running_loop
    generated._UniffiContinuationHandleMap = waiting
    generated._uniffi_continuation_callback = generated._UNIFFI_RUST_FUTURE_CONTINUATION_CALLBACK(wake)
    generated.InternalError = panicked
