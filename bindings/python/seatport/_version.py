"""The package and the library in it must be of one version, and of one build."""

from importlib.metadata import version
from typing import Any


def check(generated: Any, package: str | None = None) -> None:
    """Refuses a library that the generated code was not made from, before anything is called by it.

    The generator's own check stands in a comment in the code that it writes.
    """
    ours = version("seatport") if package is None else package
    try:
        theirs = generated.library_version()
        generated._uniffi_check_api_checksums(generated._UniffiLib)
    except (AttributeError, generated.InternalError) as error:
        raise ImportError(f"the library of seatport {ours} is not the one that was built with it; {_WAY_OUT}") from error
    if theirs != ours:
        raise ImportError(f"the library in seatport {ours} is of version {theirs}; {_WAY_OUT}")


_WAY_OUT = "install the package anew: pip install --force-reinstall seatport"
