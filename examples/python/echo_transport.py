"""A transport to the echo network: how a host brings a network of its own."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from echo_network import WALL, Echo, EchoNetwork, Line, LoggedOut, Linked, News, Online
from seatport import (
    Account,
    Capabilities,
    ChallengeKind,
    ChatKind,
    Connection,
    Content,
    Dial,
    InboundMessage,
    LoginChallenge,
    Network,
    OutboundMessage,
    ReadMessage,
    Reason,
    ReasonKind,
    Secret,
    Transport,
    TransportError,
)

CREDENTIALS = "token"
"""The name of the credentials in the vault."""
CODE = timedelta(seconds=60)
"""How long a login code is good."""
ALIVE = timedelta(seconds=25)
"""How often Seatport is told that the network is there. It wants to know once a minute."""


class EchoTransport(Transport):
    """Dials the echo network."""

    def __init__(self, network: EchoNetwork) -> None:
        self._network = network

    async def connect(self, dial: Dial) -> Connection:
        # A vault that does not open raises what Seatport understands: it goes on as it is.
        kept = await dial.vault.get(CREDENTIALS)
        token = None if kept is None else kept.decode()
        line = self._network.dial()
        if token is not None and not self._network.log_in(line, token):
            line.hang_up()
            raise TransportError.Rejected(Reason(kind=ReasonKind.LOGGED_OUT))
        return EchoConnection(self._network, line, dial, token)


class EchoConnection(Connection):
    """One connection: what the network says becomes signals, what Seatport wants becomes what the network is told."""

    def __init__(self, network: EchoNetwork, line: Line, dial: Dial, token: str | None) -> None:
        self._network = network
        self._line = line
        self._dial = dial
        self._token = token
        # Tasks of its own tell the signals: `connect` must not wait for them.
        self._tasks = [asyncio.create_task(task) for task in (self._listen(), self._live())]

    async def send(self, message: OutboundMessage) -> None:
        if self._token is None:
            raise TransportError.Later("nobody is logged in")
        if message.chat != WALL:
            raise TransportError.Refused(f"nobody is at {message.chat}")
        if not isinstance(message.content, Content.Text):
            raise TransportError.Refused("only texts come back")
        self._network.send(self._token, message.id, message.content.text)

    async def mark_read(self, chat: str, messages: list[ReadMessage]) -> None:
        """A wall does not care whether it is read."""

    async def log_out(self) -> None:
        self._unlink()

    async def close(self) -> None:
        self._end()

    def _end(self) -> None:
        self._line.hang_up()
        for task in self._tasks:
            task.cancel()

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(ALIVE.total_seconds())
            await self._dial.signals.alive()

    async def _listen(self) -> None:
        signals = self._dial.signals
        try:
            if self._token is None and not await self._show_code():
                await signals.login_expired()
                return
            while True:
                news = await self._line.news.get()
                if news is None:
                    # It never dials again by itself: whether and when is Seatport's to decide.
                    await signals.lost(Reason(kind=ReasonKind.CONNECTION_LOST))
                    return
                if isinstance(news, LoggedOut):
                    await signals.rejected(Reason(kind=ReasonKind.LOGGED_OUT))
                    return
                await self._hear(news)
        except TransportError.Ended:
            # Where only the vault said so, the signals do not know yet.
            with suppress(TransportError.Ended):
                await signals.lost(Reason(kind=ReasonKind.CONNECTION_LOST))
        except TransportError.Rejected as error:
            await signals.rejected(error.reason)
        except TransportError.Lost as error:
            await signals.lost(error.reason)
        finally:
            # `close` follows, unless Seatport had given the dial up when it was answered.
            self._end()

    async def _show_code(self) -> bool:
        """Shows a login code; answers whether it was scanned in time."""
        code = Secret(self._network.code(self._line))
        expires_at = datetime.now(timezone.utc) + CODE
        challenge = LoginChallenge(kind=ChallengeKind.QR, code=code, sequence=1, expires_at=expires_at)
        await self._dial.signals.challenge(challenge)
        try:
            news = await asyncio.wait_for(self._line.news.get(), CODE.total_seconds())
        except asyncio.TimeoutError:
            return False
        self._line.news.put_nowait(news)
        return True

    async def _hear(self, news: News) -> None:
        signals = self._dial.signals
        match news:
            case Linked(account, token):
                self._token = token
                # `paired` says that the credentials are in the vault, so that is what has to happen first.
                try:
                    await self._dial.vault.put(CREDENTIALS, token.encode())
                except TransportError:
                    self._unlink()
                    raise
                await signals.paired(Account(address=account), False)
                self._network.log_in(self._line, token)
            case Online(account):
                await signals.ready(Account(address=account))
            case Echo(number, text):
                # The network keeps it: it is acknowledged once it is stored, or never.
                try:
                    await signals.messages([_inbound(number, text)])
                except TransportError.NotStored:
                    return
                if self._token is not None:
                    self._network.acknowledge(self._token, number)
            case LoggedOut():
                pass

    def _unlink(self) -> None:
        if self._token is not None:
            self._network.unlink(self._token)


def _inbound(number: int, text: str) -> InboundMessage:
    """The echo as a message from the wall. Its id is the network's number, so that it is the same whenever it comes again."""
    return InboundMessage(
        chat=WALL,
        kind=ChatKind.PERSON,
        id=f"echo{number}",
        sender=WALL,
        content=Content.Text(text),
        at=datetime.now(timezone.utc),
    )


def echo(network: EchoNetwork) -> Network:
    """The way to the echo network, for `Options.networks`. No proxy, no media, no pairing code."""
    return Network.hosted("echo", Capabilities(stores_credentials=True), EchoTransport(network))
