"""The echo transport keeps what every transport promises."""

import asyncio
from datetime import timedelta

import pytest
from echo_network import WALL, EchoNetwork
from echo_transport import echo
from seatport import CaseVerdict, PeerProfile, ReceivedText, Secret, TransportPeer, check_transport


class EchoPeer(TransportPeer):
    """The other side of the echo network, as the suite asks for it."""

    def __init__(self, network: EchoNetwork) -> None:
        self._network = network

    async def profile(self) -> PeerProfile:
        return PeerProfile(
            chat=WALL,
            scan=True,
            two_accounts=True,
            echo=True,
            redeliver=True,
            count_unacknowledged=True,
            show_once=True,
            cut=True,
            log_out=True,
            count_connections=True,
            patience=timedelta(seconds=20),
        )

    async def begin(self) -> None:
        pass

    async def scan(self, phone: int, code: Secret) -> str:
        return self._network.scan(phone, code.expose())

    async def unacknowledged(self, account: str) -> int:
        return self._network.unacknowledged(account)

    async def cut(self, account: str) -> None:
        self._network.cut(account)

    async def log_out(self, account: str) -> None:
        self._network.log_out(account)

    async def connections(self) -> int:
        return len(self._network.lines)

    async def received(self, account: str) -> list[ReceivedText]:
        raise NotImplementedError


# What the network cannot do, or nobody on it: pairing codes, proxies, people who write first, hanging, going away, banning; and
# nobody waits here for ten minutes.
LEFT_OUT = {
    "login::a_round_of_codes_ends",
    "itself::gives_a_sign_of_life_every_minute",
    "login::a_code_for_a_phone_is_typed_there",
    "environment::nothing_goes_around_a_proxy",
    "environment::the_password_of_a_proxy_is_not_told",
    "inbound::what_came_meanwhile_comes_at_the_next_login",
    "inbound::nothing_is_lost_while_seatport_is_behind",
    "end::a_dial_that_hangs_can_be_dropped",
    "end::a_connection_that_hangs_can_be_dropped",
    "loss::a_command_under_way_ends_with_the_connection",
    "loss::a_network_that_is_away_is_lost_and_not_rejected",
    "loss::a_banned_account_is_rejected",
    "loss::a_ban_that_is_lifted_is_over",
}


@pytest.mark.behaviour("transport_suite")
@pytest.mark.timeout(300)
def test_the_echo_network_passes_the_transport_suite() -> None:
    async def check() -> None:
        network = EchoNetwork()
        outcomes = await check_transport(echo(network), EchoPeer(network))
        failed = {outcome.name: outcome.verdict for outcome in outcomes if isinstance(outcome.verdict, CaseVerdict.Failed)}
        assert not failed
        assert {outcome.name for outcome in outcomes if isinstance(outcome.verdict, CaseVerdict.LeftOut)} == LEFT_OUT
        print(f"{len(outcomes) - len(LEFT_OUT)} cases passed")

    asyncio.run(check())
