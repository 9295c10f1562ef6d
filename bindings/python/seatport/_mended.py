"""The generated code, mended. Whatever talks to the library imports this first."""

import atexit
import importlib
from datetime import timedelta
from typing import Any

from . import _callbacks, _calls, _shape, _version

# What the generator writes has no types that a strict checker takes; `_native/__init__.pyi` tells them.
generated: Any = importlib.import_module("seatport._native.seatport")

# The traits that a host implements.
_TRAITS = [
    name.removesuffix("Impl") for name in generated.__all__ if name.endswith("Impl") and name.removesuffix("Impl") in generated.__all__
]


def _remember_transport() -> None:
    """A network knows the transport that it was made of, so that the instance it is for can tell that where it is at home."""
    original = generated.Network.hosted.__func__

    def hosted(cls: Any, name: str, capabilities: Any, transport: Any) -> Any:
        network = original(cls, name, capabilities, transport)
        network._transport = transport
        return network

    hosted.__doc__ = original.__doc__
    generated.Network.hosted = classmethod(hosted)


def settle(networks: Any) -> None:
    """The transports of these networks are called on the running loop, unless they were made on another one."""
    transports = [network._transport for network in networks if hasattr(network, "_transport")]
    _callbacks.settle(generated, "Transport", transports)


_version.check(generated)
_calls.mend(generated)
_callbacks.mend(generated, _TRAITS)
_shape.mend(generated, "seatport")
_remember_transport()
# While the interpreter is taken down, nothing may call into it any more.
atexit.register(generated.end_all, timedelta(seconds=5))
