"""An office on the simulated messenger, for tests."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import seatport
from seatport import (
    Agent,
    AgentScope,
    Card,
    CardStatus,
    Desk,
    Event,
    EventBody,
    Messenger,
    Network,
    NewAccount,
    Options,
    Person,
    Phone,
    PortRange,
    Role,
    Seatport,
    Storage,
    Timing,
    VaultKey,
)

T = TypeVar("T")

NUMBER = "+8613800138000"


@dataclass
class Office:
    messenger: Messenger
    seatport: Seatport
    mei: Desk
    """A supervisor."""
    li: Desk
    """An agent."""
    phone: Phone
    ana: Person

    async def online(self, phone: Phone | None = None) -> str:
        """Adds an account and logs it in; answers its session."""
        session = await self.mei.add_and_start(NewAccount(transport="simulated"))
        async with self.mei.watch(session) as watch:
            view = await watch.until(lambda view: view.challenge is not None)
            assert view.challenge is not None
            (phone or self.phone).scan(view.challenge.code)
            await watch.until(lambda view: view.card.status == CardStatus.ONLINE)
        return session

    async def reach(self, session: str, wanted: Callable[[Card], bool]) -> Card:
        """Waits until a session looks so."""
        async with self.mei.watch(session) as watch:
            return (await watch.until(lambda view: wanted(view.card))).card

    async def written(self, session: str, text: str = "Is my parcel there?") -> str:
        """Ana writes; answers her address once that is stored."""
        unread = (await self.mei.card(session)).unread
        self.ana.write(self.phone.address(), text)
        await self.reach(session, lambda card: card.unread > unread)
        return self.ana.address()


@asynccontextmanager
async def office(
    storage: Storage | None = None,
    *,
    networks: list[Network] | None = None,
    scope: AgentScope | None = None,
    ports: int = 10,
    callback_timeout: timedelta | None = None,
    timing: Timing | None = None,
) -> AsyncGenerator[Office, None]:
    messenger = Messenger(7)
    options = Options(
        storage=storage or Storage.Memory(),
        networks=[messenger.network(), *(networks or [])],
        vault_key=VaultKey.from_bytes(bytes(32)),
        ports=PortRange(first=1, capacity=ports),
        agent_scope=scope,
        callback_timeout=callback_timeout,
        timing=timing,
    )
    async with await Seatport.open(options) as node:
        await node.put_agent(Agent(id="mei", name="Mei", role=Role.SUPERVISOR))
        await node.put_agent(Agent(id="li", name="Li", role=Role.AGENT))
        mei, li = await node.desk("mei"), await node.desk("li")
        yield Office(messenger, node, mei, li, messenger.phone(NUMBER), messenger.person("Ana"))


def is_message(event: Event) -> bool:
    return isinstance(event.body, EventBody.MessageStored)


async def until(look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """Looks again until it is as wanted; pytest ends what never is."""
    while True:
        found = await look()
        if wanted(found):
            return found
        await asyncio.sleep(0.01)


def run_program(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of its own, and ends it where it would not end itself."""
    command = [sys.executable, "-c", text, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def public() -> dict[str, object]:
    """What the package shows."""
    names: list[str] = list(vars(seatport)["__all__"])
    assert len(set(names)) == len(names)
    return {name: getattr(seatport, name) for name in names}
