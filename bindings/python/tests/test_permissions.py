"""Who may do what: the table that all packages share, at a real desk."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypedDict

import pytest
from office import Office, office
from seatport import (
    Action,
    AgentScope,
    CsvOptions,
    Desk,
    Environment,
    LeadQuery,
    LoginMethod,
    Media,
    MediaKind,
    NewAccount,
    Outcome,
    SearchQuery,
    SeatportError,
    Secret,
)

REPOSITORY = Path(os.environ["SEATPORT_REPOSITORY"])


class Row(TypedDict):
    operation: str
    action: str
    supervisor: bool
    agent: bool
    needs_all: bool


TABLE: list[Row] = json.loads((REPOSITORY / "bindings/permissions.json").read_text())

CHAT = "bob@simulated"
QUERY = LeadQuery(from_day="2026-01-01", days=7, zone="UTC")
PICTURE = Media(kind=MediaKind.IMAGE, mime_type="image/png", reference=Secret("file:///a.png"))


async def read_lines(desk: Desk, session: str) -> None:
    async for _ in desk.export_session(session):
        pass


async def follow(desk: Desk) -> None:
    desk_events = await desk.events()
    desk_events.end()


async def consume(desk: Desk) -> None:
    consumer = await desk.consume("crm")
    consumer.end()


CALLS: dict[str, Callable[[Desk, str], Awaitable[object]]] = {
    "agent": lambda desk, _: desk.agent(),
    "may": lambda desk, _: desk.may(Action.VIEW),
    "card": lambda desk, session: desk.card(session),
    "cards": lambda desk, _: desk.cards(),
    "watch": lambda desk, session: desk.watch(session).__anext__(),
    "login_code": lambda desk, session: desk.login_code(session),
    "add_account": lambda desk, _: desk.add_account(NewAccount(transport="simulated")),
    "add_and_start": lambda desk, _: desk.add_and_start(NewAccount(transport="simulated")),
    "assign": lambda desk, session: desk.assign(session, "li"),
    "set_remark": lambda desk, session: desk.set_remark(session, "seen"),
    "set_environment": lambda desk, session: desk.set_environment(session, Environment(time_zone="Asia/Tokyo")),
    "delete": lambda desk, session: desk.delete(session),
    "erase": lambda desk, session: desk.erase(session),
    "start": lambda desk, session: desk.start(session),
    "stop": lambda desk, session: desk.stop(session),
    "restart": lambda desk, session: desk.restart(session),
    "refresh_login": lambda desk, session: desk.refresh_login(session),
    "refresh_login_by": lambda desk, session: desk.refresh_login_by(session, LoginMethod.Qr()),
    "log_out": lambda desk, session: desk.log_out(session),
    "contacts": lambda desk, session: desk.contacts(session),
    "contact": lambda desk, session: desk.contact(session, CHAT),
    "chats": lambda desk, session: desk.chats(session),
    "chat": lambda desk, session: desk.chat(session, CHAT),
    "messages": lambda desk, session: desk.messages(session, CHAT),
    "message": lambda desk, session: desk.message(session, CHAT, "1"),
    "search_messages": lambda desk, _: desk.search_messages(SearchQuery(text="hello")),
    "search_contacts": lambda desk, _: desk.search_contacts(SearchQuery(text="hello")),
    "export_session": read_lines,
    "mark_read": lambda desk, session: desk.mark_read(session, CHAT),
    "mark_read_up_to": lambda desk, session: desk.mark_read_up_to(session, CHAT, "1"),
    "send_text": lambda desk, session: desk.send_text(session, CHAT, "hello"),
    "send_media": lambda desk, session: desk.send_media(session, CHAT, PICTURE),
    "cancel_send": lambda desk, session: desk.cancel_send(session, CHAT, "1"),
    "leads": lambda desk, _: desk.leads(QUERY),
    "export_leads": lambda desk, _: desk.export_leads(QUERY, CsvOptions()),
    "lead_adjustments": lambda desk, _: desk.lead_adjustments(QUERY),
    "rebuild_leads": lambda desk, _: desk.rebuild_leads(),
    "audit": lambda desk, _: desk.audit(0, 10),
    "verify_audit": lambda desk, _: desk.verify_audit(),
    "cursors": lambda desk, _: desk.cursors(),
    "events": lambda desk, _: follow(desk),
    "consume": lambda desk, _: consume(desk),
    "consumers": lambda desk, _: desk.consumers(),
    "forget_consumer": lambda desk, _: desk.forget_consumer("crm"),
}

# What is about one session, and so denied to whom the session is hidden from.
OF_A_SESSION = {name for name, call in CALLS.items() if "session" in call.__code__.co_varnames[:2]}


async def denied(desk: Desk, house: Office, row: Row) -> bool:
    session = await house.mei.add_account(NewAccount(transport="simulated"))
    try:
        await CALLS[row["operation"]](desk, session)
    except SeatportError.Denied as error:
        agent = await desk.agent()
        action = "".join(part.capitalize() for part in error.action.name.split("_"))
        assert (error.agent, action) == (agent.id, row["action"])
        last = (await house.mei.audit(0, 1000))[-1].entry
        assert (last.agent, last.action, last.outcome) == (agent.id, error.action, Outcome.DENIED)
        return True
    except SeatportError:
        # Its state does not allow it, say: it was let through the door.
        return False
    return False


def test_the_table_has_every_operation_of_a_desk() -> None:
    from seatport._native import shape

    assert sorted(row["operation"] for row in TABLE) == sorted(CALLS) == sorted(shape.METHODS["Desk"])


@pytest.mark.behaviour("permissions", "error:Denied")
@pytest.mark.parametrize("scope", AgentScope)
async def test_each_call_is_allowed_to_whom_the_table_says(scope: AgentScope) -> None:
    async with office(scope=scope, ports=1000) as house:
        for row in TABLE:
            assert await denied(house.mei, house, row) is not row["supervisor"], row
            allowed = row["agent"]
            if scope == AgentScope.BOUND_ONLY:
                # The session is bound to nobody.
                allowed = allowed and not row["needs_all"] and row["operation"] not in OF_A_SESSION
            assert await denied(house.li, house, row) is not allowed, row


@pytest.mark.behaviour("permissions")
async def test_an_agent_sees_what_is_bound_to_them() -> None:
    async with office(scope=AgentScope.BOUND_ONLY) as house:
        mine = await house.mei.add_account(NewAccount(transport="simulated", agent="li"))
        await house.mei.add_account(NewAccount(transport="simulated"))
        assert [card.session for card in await house.li.cards()] == [mine]
        assert {event.session for event in await house.li.events().batch()} == {mine}
        watch = await house.li.watch(mine)
        await watch.__anext__()
        await house.mei.assign(mine, None)
        assert await house.li.cards() == []
        with pytest.raises(SeatportError.Denied):
            await watch.until(lambda view: view.card.agent is None)
        assert Action.ASSIGN in (await house.mei.card(mine)).actions
