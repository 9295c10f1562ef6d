"""The list of behaviours that all packages share is whole: each has a test here."""

import json
import os
from pathlib import Path

from seatport._native import shape

LISTED = Path(os.environ["SEATPORT_REPOSITORY"], "bindings/behaviours.json")

# What has operations that a host calls.
OPERATED = ["Seatport", "Desk", "EventFeed", "Consumer", "Watch", "Export", "Messenger"]

# Kinds of error that no host can provoke here, and why.
UNPROVOKED = {
    "Contended": "another change of the same session has to win many times in a row, within microseconds",
    "Internal": "a fault in Seatport; test_a_panic_is_an_error_and_the_instance_goes_on shows how one looks",
}

# What is proved elsewhere, and where.
ELSEWHERE = {
    "transport_suite": "examples/python/test_echo.py",
    "readme": "bindings/src/python.rs: `consume`, which runs it in a fresh environment",
}


def wanted() -> set[str]:
    """Every behaviour, with the operations and the kinds of error that the library says it has."""
    found: set[str] = set()
    for behaviour in json.loads(LISTED.read_text()):
        match behaviour["name"]:
            case "operation:<name>":
                found |= {f"operation:{name}.{method}" for name in OPERATED for method in shape.METHODS[name]}
                found.add("operation:Seatport.open")
            case "error:<kind>":
                found |= {f"error:{kind}" for kind in shape.ERRORS["SeatportError"]}
            case name:
                found.add(name)
    return found


def test_each_behaviour_is_proved(proved: set[str]) -> None:
    excused = {f"error:{kind}" for kind in UNPROVOKED} | set(ELSEWHERE)
    assert wanted() - proved == excused
    assert proved <= wanted(), "a test proves what is not in the list"
