"""What goes in and out: times, texts, nothing at all, and nothing that makes sense."""

import inspect
import pickle
from datetime import datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import cast

import pytest
import seatport
from office import office, public
from seatport import (
    Agent,
    Card,
    CardStatus,
    Content,
    Edge,
    Environment,
    EventBody,
    LeadQuery,
    LoginMethod,
    NewAccount,
    Options,
    Page,
    Proxy,
    ProxyScheme,
    Reason,
    ReasonKind,
    Role,
    Seatport,
    SeatportError,
    SearchQuery,
    Secret,
    SessionFilter,
    Storage,
    Timing,
    TransportError,
    VaultKey,
    WhenFull,
)

TEXTS = ["前台 · 客服", "👩‍👩‍👧‍👦 🇩🇪", "e\u0301 \u0301", "שלום مرحبا", "a\u200bb", "x" * 65_536, "\U0001f600" * 500, "'\"\\"]


@pytest.mark.behaviour("unicode")
async def test_texts_of_the_world_come_back_as_they_went() -> None:
    async with office() as house:
        session = await house.online()
        for text in TEXTS:
            ana = await house.written(session, text)
            assert (await house.mei.messages(session, ana))[0].message.content == Content.Text(text)
            if len(text.encode()) <= 4096:
                assert (await house.mei.set_remark(session, text)).remark == text
            if len(text.encode()) <= 256:
                await house.seatport.put_agent(Agent(id=text, name=text, role=Role.AGENT))
                assert (await house.seatport.desk(text)) is not None
        with pytest.raises(ValueError):
            await house.mei.set_remark(session, "\ud800")


@pytest.mark.behaviour("times")
async def test_times_are_aware_and_exact_to_the_millisecond() -> None:
    before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    async with office() as house:
        session = await house.online()
        card = await house.mei.card(session)
        after = datetime.now(timezone.utc) + timedelta(milliseconds=1)
        for told in (card.created_at, card.since):
            assert told.tzinfo is timezone.utc and before <= told <= after
            assert told.microsecond % 1000 == 0

        until = datetime(2031, 5, 17, 12, 30, 0, 123_000, tzinfo=timezone(timedelta(hours=8)))
        house.messenger.ban(house.phone.address(), until)
        card = await house.reach(session, lambda card: card.status == CardStatus.BLOCKED)
        assert card.reason is not None and card.reason.until == until
        with pytest.raises((TypeError, ValueError)):
            house.messenger.ban(house.phone.address(), datetime(2031, 5, 17))
        for far in (datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)):
            house.messenger.ban(house.phone.address(), far)


@pytest.mark.behaviour("nulls")
async def test_what_may_be_left_out_is_left_out_and_put_in() -> None:
    async with office() as house:
        bare = await house.mei.add_account(NewAccount(transport="simulated"))
        card = await house.mei.card(bare)
        assert not any([card.account, card.agent, card.port, card.reason, card.next_try])
        assert card.account is None and card.agent is None and card.port is None
        assert card.environment == Environment() and card.remark == ""
        assert card.environment.labels == {}
        full = NewAccount(
            transport="simulated",
            environment=Environment(proxy=Proxy(scheme=ProxyScheme.HTTP, host="::1", port=3128), labels={"a": "b"}),
            agent="li",
            remark="all of it",
            login=LoginMethod.PairingCode("+8613800138000"),
        )
        card = await house.mei.card(await house.mei.add_account(full))
        assert (card.agent, card.remark, card.environment) == ("li", "all of it", full.environment)
        assert await house.mei.cards(SessionFilter(statuses=[], agent=None, text=None)) == await house.mei.cards()
        assert await house.mei.cards(SessionFilter(text="")) == await house.mei.cards()
        options = Options(storage=Storage.Memory(), networks=[], previous_vault_keys=[], node_labels={}, timing=Timing())
        async with await Seatport.open(options) as node:
            assert await node.agents() == []


@pytest.mark.behaviour("bad_input", "error:Invalid")
async def test_what_makes_no_sense_is_refused_and_harms_nobody() -> None:
    async with office() as house:
        session = await house.mei.add_account(NewAccount(transport="simulated"))
        no_page = Page(edge=Edge.First(), limit=0)
        for wrong in (
            house.mei.card("nonsense"),
            house.mei.card(""),
            house.mei.cards(page=no_page),
            house.mei.chats(session, Page(edge=Edge.After("nowhere"), limit=1)),
            house.mei.messages(session, "a@b", Page(edge=Edge.After("-1"), limit=1)),
            house.mei.contact(session, ""),
            house.mei.search_messages(SearchQuery(text=" ")),
            house.mei.audit(0, 0),
            house.mei.leads(LeadQuery(from_day="yesterday", days=1, zone="UTC")),
            house.mei.leads(LeadQuery(from_day="2026-01-01", days=0, zone="UTC")),
            house.mei.leads(LeadQuery(from_day="2026-01-01", days=1, zone="Mars/Phobos")),
            house.mei.set_remark(session, "x" * 5000),
            house.seatport.put_agent(Agent(id="", name="", role=Role.AGENT)),
            house.mei.events({"nonsense": 1}).batch(),
            Seatport.open(Options(storage=Storage.Memory(), ports=seatport.PortRange(first=1, capacity=0))),
        ):
            with pytest.raises(SeatportError.Invalid) as invalid:
                await wrong
            error = invalid.value
            assert error.field and error.problem and error.way_out and str(error) == error.detail
        negative = WhenFull.Wait(timedelta(seconds=-1))
        huge = Page(edge=Edge.First(), limit=2**32)
        text = Page(edge=Edge.First(), limit="ten")  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError)):
            await house.mei.start(session, negative)
        for page in (huge, text):
            with pytest.raises((TypeError, ValueError)):
                await house.mei.cards(page=page)
        with pytest.raises((TypeError, ValueError)):
            await house.mei.audit(-1, 1)
        with pytest.raises((TypeError, ValueError)):
            VaultKey.from_bytes("text")  # type: ignore[arg-type]
        with pytest.raises(SeatportError.Invalid):
            VaultKey.from_bytes(b"short")
        with pytest.raises(ValueError):
            await house.mei.events().batch(0)
        far = WhenFull.Wait(timedelta.max)
        assert (await house.mei.start(session, far)).port == 1
        with pytest.raises((TypeError, ValueError, AttributeError)):
            await Seatport.open({})  # type: ignore[arg-type]


SECRET = "correct horse battery staple"


@pytest.mark.behaviour("secrets")
async def test_no_text_of_anything_shows_a_secret(tmp_path: Path) -> None:
    url = Secret(f"postgres://seatport:{SECRET}@127.0.0.1:1/none")
    proxy = Proxy(scheme=ProxyScheme.SOCKS5, host="proxy.example", port=1, username="u", password=Secret(SECRET))
    environment = Environment(proxy=proxy)
    key = VaultKey.from_bytes(SECRET.ljust(32).encode())
    assert key.expose() == SECRET.ljust(32).encode() and Secret(SECRET).expose() == SECRET
    postgres = Storage.Postgres(url)
    options = Options(storage=postgres, vault_key=key)
    async with office() as house:
        account = NewAccount(transport="simulated", environment=environment)
        session = await house.mei.add_and_start(account)
        view = await house.mei.watch(session).until(lambda view: view.challenge is not None)
        assert view.challenge is not None
        code = view.challenge.code.expose()
        card = await house.mei.card(session)
        for thing in (url, environment, proxy, key, postgres, options, account, view, card, house.seatport, house.mei):
            for text in (str(thing), repr(thing), f"{thing}"):
                assert SECRET not in text and code not in text
        # Not even when it is refused.
        with pytest.raises(SeatportError) as refused:
            await Seatport.open(options)
        assert SECRET not in str(refused.value) + repr(refused.value)
        assert SECRET not in repr(await house.mei.audit(0, 100))


def test_values_compare_and_show_their_fields() -> None:
    reason = Reason(kind=ReasonKind.BANNED, code="spam")
    text: object = Content.Text("a")
    assert reason == Reason(kind=ReasonKind.BANNED, code="spam") != Reason(kind=ReasonKind.BANNED)
    assert text == Content.Text("a") and text != Content.Text("b")
    system: object = Content.System("a")
    assert text != system
    deleted: list[object] = [Content.Deleted(), Content.Deleted(), Content.Undecryptable()]
    assert deleted[0] == deleted[1] != deleted[2]
    assert repr(reason) == "Reason(kind=<ReasonKind.BANNED: %d>, code='spam', until=None)" % ReasonKind.BANNED.value
    assert repr(Storage.Sqlite("a.db")) == str(Storage.Sqlite("a.db")) == "Storage.Sqlite(path='a.db', durable=True)"
    with pytest.raises(TypeError):
        hash(reason)
    match text:
        case Content.Text(said):
            assert said == "a"
        case _:
            raise AssertionError


@pytest.mark.parametrize(
    "value",
    [
        Reason(kind=ReasonKind.BANNED),
        Content.Text("a"),
        EventBody.MessageStored("a@b", "1", True),
        CardStatus.ONLINE,
        Storage.Memory(),
        SeatportError.Closed("it was closed"),
        TransportError.Later("not now"),
    ],
    ids=repr,
)
def test_values_are_pickled(value: object) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert type(again) is type(value) and repr(again) == repr(value)


def test_errors_are_one_hierarchy() -> None:
    for name, kind in vars(SeatportError).items():
        if isinstance(kind, type):
            assert issubclass(kind, SeatportError) and kind.__qualname__ == f"SeatportError.{name}"
    full = SeatportError.PoolFull("no free port", 20, 20, 0, [])
    assert str(full) == full.detail == "no free port" and full.retry
    assert repr(full) == "SeatportError.PoolFull(detail='no free port', capacity=20, occupied=20, waiting=0, holders=[])"
    assert SeatportError.Storage("busy", "Busy", True).retry and not SeatportError.Storage("gone", "Corrupt", False).retry
    lost = TransportError.Lost(Reason(kind=ReasonKind.CONNECTION_LOST, code="503"))
    assert str(lost) == "connection lost (503)" and str(TransportError.Refused("no")) == "no"


def test_everything_public_is_documented_and_says_where_it_is_from() -> None:
    assert seatport.__doc__
    for name, value in public().items():
        assert inspect.getdoc(value), name
        if not isinstance(value, type):
            continue
        assert value.__module__.partition(".")[0] == "seatport", name
        if issubclass(value, (Enum, Exception)):
            continue
        parts: dict[str, object] = dict(inspect.getmembers(cast(object, value), callable))
        for part, method in parts.items():
            if not part.startswith(("_", "is_")):
                assert inspect.getdoc(method), f"{name}.{part}"
    assert "- `session`: " in (Card.__doc__ or "")


def test_only_what_is_meant_to_be_is_public() -> None:
    internal = {"InternalError", "end_all", "library_version", "EventBatch", "LineBatch", "ViewUpdate"}
    assert not internal & set(public())
    assert not [name for name in public() if name.endswith(("Impl", "Protocol"))]
    assert {"Seatport", "Desk", "SeatportError", "Transport", "check_transport"} <= set(public())
