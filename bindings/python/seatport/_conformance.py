"""The suite for transports that a host writes."""

from datetime import timedelta

from ._mended import settle
from ._native import CaseOutcome, Network, TransportPeer
from ._native import check_transport as check


async def check_transport(network: Network, peer: TransportPeer, callback_timeout: timedelta | None = None) -> list[CaseOutcome]:
    """Checks a transport against the suite: what every transport promises, case by case, each with sessions of its own. A case that
    fails does not end the check: look through the outcomes. Takes minutes if things go wrong, for then it waits.

    Every call into the host has `callback_timeout`, as in `Options`: 10 s, if left out.

    Raises `SeatportError.NotBuilt` in a library that was built without `testkit`, and `SeatportError.Host` when the peer does not tell
    its profile.
    """
    settle([network])
    return await check(network, peer, callback_timeout)
