"""The desk, with the defaults and the iterators that a Python programmer expects."""

from collections.abc import Mapping

from ._native import (
    Card,
    Chat,
    Contact,
    ContactHit,
    CsvOptions,
    Edge,
    LeadQuery,
    Media,
    MessageHit,
    NewAccount,
    Page,
    SearchQuery,
    SendOptions,
    SessionFilter,
    StoredMessage,
    WhenFull,
)
from ._native import Desk as NativeDesk
from ._readers import Consumer, EventFeed, Export, Watch

# How many items of a list are answered, if nothing else is asked for.
_LIMIT = 100


def _first() -> Page:
    return Page(edge=Edge.First(), limit=_LIMIT)


class Desk(NativeDesk):
    __doc__ = NativeDesk.__doc__

    async def cards(self, filter: SessionFilter | None = None, page: Page | None = None) -> list[Card]:
        return await super().cards(filter or SessionFilter(), page or _first())

    async def contacts(self, session: str, page: Page | None = None) -> list[Contact]:
        return await super().contacts(session, page or _first())

    async def chats(self, session: str, page: Page | None = None) -> list[Chat]:
        return await super().chats(session, page or _first())

    async def messages(self, session: str, chat: str, page: Page | None = None) -> list[StoredMessage]:
        return await super().messages(session, chat, page or _first())

    async def search_messages(self, query: SearchQuery, limit: int = _LIMIT, after: str | None = None) -> list[MessageHit]:
        return await super().search_messages(query, limit, after)

    async def search_contacts(self, query: SearchQuery, limit: int = _LIMIT, after: str | None = None) -> list[ContactHit]:
        return await super().search_contacts(query, limit, after)

    async def add_and_start(self, account: NewAccount, when_full: WhenFull | None = None) -> str:
        return await super().add_and_start(account, when_full or WhenFull.Fail())

    async def start(self, session: str, when_full: WhenFull | None = None) -> Card:
        return await super().start(session, when_full or WhenFull.Fail())

    async def send_text(self, session: str, chat: str, text: str, options: SendOptions | None = None) -> str:
        return await super().send_text(session, chat, text, options or SendOptions())

    async def send_media(self, session: str, chat: str, media: Media, options: SendOptions | None = None) -> str:
        return await super().send_media(session, chat, media, options or SendOptions())

    async def export_leads(self, query: LeadQuery, options: CsvOptions | None = None) -> bytes:
        return await super().export_leads(query, options or CsvOptions())

    def events(self, cursors: Mapping[str, int] | None = None) -> EventFeed:
        """Follows the events of all sessions that the agent sees: everything after the cursors, and then what happens. A session that
        the cursors do not name begins with its first event.

            async for event in desk.events():
                ...

        Raises, when it is awaited or first read, `SeatportError.Denied`, and `SeatportError.Invalid` for a cursor that names no session.
        """
        after = dict(cursors or {})
        return EventFeed(lambda: self._events(after))

    def consume(self, name: str) -> Consumer:
        """Goes on where the consumer of this name has got to: gives every event that it has not acknowledged. A new one is registered,
        and begins with the oldest event that is kept; from now on no event is trimmed before it acknowledged it.

        Raises, when it is awaited or first read, `SeatportError.Denied`, also for an agent who works only on the sessions bound to them.
        """
        return Consumer(name, lambda: self._consume(name))

    def watch(self, session: str) -> Watch:
        """Follows a session live: its card, and the login code to show, whichever node drives it.

        Raises, when it is awaited or first read, `SeatportError.UnknownSession`.
        """
        return Watch(lambda: self._watch(session))

    def export_session(self, session: str) -> Export:
        """Begins to export a session: its card, contacts, chats and messages, to be written to a file, say, before it is deleted. It
        holds what people said: keep it as well as the database.

            async for line in desk.export_session(session):
                file.write(line + "\\n")

        Raises, when it is awaited or first read, `SeatportError.UnknownSession`.
        """
        return Export(lambda: self._export_session(session))
