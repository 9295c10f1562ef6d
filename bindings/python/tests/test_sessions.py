"""Every operation on sessions."""

from datetime import timedelta

import pytest
from office import office
from seatport import (
    Action,
    AgentFilter,
    CardStatus,
    ChallengeKind,
    Edge,
    Environment,
    Login,
    LoginMethod,
    NewAccount,
    Page,
    Platform,
    SeatportError,
    SessionFilter,
    WhenFull,
)


@pytest.mark.behaviour("operation:Desk.agent", "operation:Desk.may")
async def test_a_desk_knows_whose_it_is() -> None:
    async with office() as house:
        assert (await house.li.agent()).id == "li"
        assert await house.li.may(Action.START)
        assert not await house.li.may(Action.ASSIGN)


@pytest.mark.behaviour("operation:Desk.add_account", "operation:Desk.card", "operation:Desk.cards")
async def test_accounts_are_added_and_listed() -> None:
    async with office() as house:
        sessions = [await house.mei.add_account(NewAccount(transport="simulated", remark=f"No. {n}")) for n in range(5)]
        card = await house.mei.card(sessions[2])
        assert (card.remark, card.status, card.login, card.port) == ("No. 2", CardStatus.NOT_STARTED, Login.NEVER, None)
        assert [card.session for card in await house.mei.cards()] == sessions
        page = Page(edge=Edge.After(sessions[1]), limit=2)
        assert [card.session for card in await house.mei.cards(page=page)] == sessions[2:4]
        before = Page(edge=Edge.Before(sessions[2]), limit=1)
        assert [card.session for card in await house.mei.cards(page=before)] == [sessions[1]]
        last = Page(edge=Edge.Last(), limit=1)
        assert [card.session for card in await house.mei.cards(page=last)] == sessions[4:]
        found = await house.mei.cards(SessionFilter(text="No. 3", agent=AgentFilter.Unbound()))
        assert [card.session for card in found] == [sessions[3]]
        assert await house.mei.cards(SessionFilter(statuses=[CardStatus.ONLINE])) == []


@pytest.mark.behaviour(
    "operation:Desk.add_and_start", "operation:Desk.login_code", "operation:Desk.watch", "operation:Watch.next"
)
async def test_an_account_is_added_started_and_scanned() -> None:
    async with office() as house:
        session = await house.mei.add_and_start(NewAccount(transport="simulated"), WhenFull.Wait(timedelta(seconds=5)))
        seen: list[CardStatus] = []
        async with house.mei.watch(session) as watch:
            async for view in watch:
                seen.append(view.card.status)
                if view.challenge is not None and seen.count(CardStatus.AWAITING_LOGIN) == 1:
                    code = await house.mei.login_code(session)
                    assert (code.kind, code.sequence) == (ChallengeKind.QR, 1)
                    house.phone.scan(code.code)
                if view.card.status == CardStatus.ONLINE:
                    break
        assert CardStatus.AWAITING_LOGIN in seen


@pytest.mark.behaviour("operation:Desk.start", "operation:Desk.stop", "operation:Desk.restart")
async def test_a_session_starts_restarts_and_stops() -> None:
    async with office() as house:
        session = await house.online()
        assert (await house.mei.restart(session)).port == 1
        await house.reach(session, lambda card: card.status == CardStatus.ONLINE)
        stopped = await house.mei.stop(session)
        assert (stopped.status, stopped.port) == (CardStatus.OFFLINE, None)
        assert (await house.mei.stop(session)).status == CardStatus.OFFLINE
        assert (await house.mei.start(session)).port == 1
        # The login is kept: it needs no scan.
        await house.reach(session, lambda card: card.status == CardStatus.ONLINE)


@pytest.mark.behaviour("operation:Desk.refresh_login", "operation:Desk.refresh_login_by")
async def test_a_login_is_asked_for_anew_and_by_another_method() -> None:
    async with office() as house:
        session = await house.mei.add_and_start(NewAccount(transport="simulated"))
        await house.reach(session, lambda card: card.status == CardStatus.AWAITING_LOGIN)
        assert (await house.mei.refresh_login(session)).port == 1
        await house.reach(session, lambda card: card.status == CardStatus.AWAITING_LOGIN)
        await house.mei.refresh_login_by(session, LoginMethod.PairingCode("+8613800138000"))
        view = await house.mei.watch(session).until(
            lambda view: view.challenge is not None and view.challenge.kind == ChallengeKind.PAIRING_CODE
        )
        assert view.challenge is not None
        house.phone.enter_pairing_code(view.challenge.code)
        await house.reach(session, lambda card: card.status == CardStatus.ONLINE)


@pytest.mark.behaviour("operation:Desk.log_out")
async def test_an_account_is_logged_out_and_keeps_its_port() -> None:
    async with office() as house:
        session = await house.online()
        await house.mei.log_out(session)
        card = await house.reach(session, lambda card: card.status == CardStatus.BLOCKED)
        assert (card.login, card.port) == (Login.LOGGED_OUT, 1)
        assert house.phone.devices() == []


@pytest.mark.behaviour("operation:Desk.assign", "operation:Desk.set_remark", "operation:Desk.set_environment")
async def test_a_card_is_edited() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        assert (await house.mei.assign(session, "li")).agent == "li"
        assert (await house.mei.assign(session, None)).agent is None
        assert (await house.mei.set_remark(session, "前台")).remark == "前台"
        environment = Environment(
            device_name="Desk 1",
            platform=Platform.WINDOWS,
            locale="zh-CN",
            time_zone="Asia/Shanghai",
            labels={"team": "east"},
            runs_on={"egress": "cn"},
        )
        card = await house.mei.set_environment(session, environment)
        assert card.environment == environment
        assert (await house.mei.card(session)).environment == environment


@pytest.mark.behaviour("operation:Desk.delete", "operation:Desk.erase")
async def test_sessions_are_deleted_and_erased() -> None:
    async with office() as house:
        for remove in (house.mei.delete, house.mei.erase):
            session = await house.online()
            with pytest.raises(SeatportError.IllegalTransition):
                await remove(session)
            await house.mei.stop(session)
            await remove(session)
            with pytest.raises(SeatportError.UnknownSession) as unknown:
                await house.mei.card(session)
            assert unknown.value.session == session
