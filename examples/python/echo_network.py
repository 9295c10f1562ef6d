"""The other side of the wire: a network on which everybody hears their own words. Of a real one this is somebody else's, elsewhere."""

import asyncio
from dataclasses import dataclass, field

WALL = "wall@echo"
"""Where echoes come from."""


class NoSuchCode(Exception):
    """The network never showed this login code, or nobody waits for it any more."""


@dataclass
class Linked:
    """A phone has scanned the login code."""

    account: str
    token: str


@dataclass
class Online:
    """The account is online."""

    account: str


@dataclass
class Echo:
    """A text that comes back. It is said again at every login until it is acknowledged by its number."""

    number: int
    text: str


@dataclass
class LoggedOut:
    """The phone has logged this device out."""


News = Linked | Online | Echo | LoggedOut
"""What the network says on a line; none means that the line was cut."""


class Line:
    """A connection, as the network has it."""

    def __init__(self, network: "EchoNetwork") -> None:
        self.news: asyncio.Queue[News | None] = asyncio.Queue()
        self._network = network

    def hang_up(self) -> None:
        self._network.lines.discard(self)


@dataclass
class _Device:
    account: str
    line: Line | None = None
    mailbox: dict[int, Echo] = field(default_factory=dict[int, Echo])
    sent: set[str] = field(default_factory=set[str])


class EchoNetwork:
    """A network in this process. For one event loop."""

    def __init__(self) -> None:
        self.lines: set[Line] = set()
        self._numbers = 0
        self._codes: dict[str, Line] = {}
        self._devices: dict[str, _Device] = {}

    # ---- what people do --------------------------------------------------------------------------------------------------

    def scan(self, phone: int, code: str) -> str:
        """Scans a login code with the phone of this number, and answers the account on it."""
        line = self._codes.pop(code, None)
        if line not in self.lines:
            raise NoSuchCode("no such login code; scan the one that is shown now")
        account, token = f"phone{phone}@echo", f"token {self._number()}"
        self._devices[token] = _Device(account)
        line.news.put_nowait(Linked(account, token))
        return account

    def log_out(self, account: str) -> None:
        """Logs out every device of an account, as its owner does on the phone."""
        for token, device in self._of(account):
            if device.line is not None:
                device.line.news.put_nowait(LoggedOut())
                device.line.hang_up()
            del self._devices[token]

    def cut(self, account: str) -> None:
        """Cuts the lines of an account."""
        for _, device in self._of(account):
            self._cut(device)

    def unacknowledged(self, account: str) -> int:
        """How many echoes the devices of an account have not acknowledged."""
        return sum(len(device.mailbox) for _, device in self._of(account))

    # ---- what a transport asks for ---------------------------------------------------------------------------------------

    def dial(self) -> Line:
        line = Line(self)
        self.lines.add(line)
        return line

    def code(self, line: Line) -> str:
        code = f"echo code {self._number()}"
        self._codes[code] = line
        return code

    def log_in(self, line: Line, token: str) -> bool:
        """Logs a device in with its token; answers whether it is linked. It hears all that it has not acknowledged."""
        device = self._devices.get(token)
        if device is None:
            return False
        # One line for each device: who logs in last has it.
        if device.line is not line:
            self._cut(device)
        device.line = line
        line.news.put_nowait(Online(device.account))
        for echo in device.mailbox.values():
            line.news.put_nowait(echo)
        return True

    def send(self, token: str, id: str, text: str) -> None:
        """Takes a text from a device. The same id again is taken and not echoed."""
        device = self._devices.get(token)
        if device is None or id in device.sent:
            return
        device.sent.add(id)
        echo = Echo(self._number(), text)
        device.mailbox[echo.number] = echo
        if device.line is not None:
            device.line.news.put_nowait(echo)

    def acknowledge(self, token: str, number: int) -> None:
        if token in self._devices:
            self._devices[token].mailbox.pop(number, None)

    def unlink(self, token: str) -> None:
        self._devices.pop(token, None)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _of(self, account: str) -> list[tuple[str, _Device]]:
        return [(token, device) for token, device in self._devices.items() if device.account == account]

    def _cut(self, device: _Device) -> None:
        line, device.line = device.line, None
        if line is not None:
            line.hang_up()
            line.news.put_nowait(None)
