import pytest

from index.errors import RateError
from index.sessions import THIS_MACHINE
from rag.limits import Rate, client_of


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_client_may_ask_so_much_a_minute_and_others_as_much() -> None:
    clock = Clock()
    rate = Rate(3, clock=clock)
    for _ in range(3):
        rate.take("anna")
    with pytest.raises(RateError, match="More than 3 questions a minute; the next in 21 seconds") as caught:
        rate.take("anna")
    assert caught.value.retry_seconds == 21
    rate.take("ben")
    clock.seconds = 21
    rate.take("anna")
    with pytest.raises(RateError):
        rate.take("anna")


def test_a_rate_that_is_not_set_and_this_machine_are_not_held_back() -> None:
    for client, rate in (("anna", Rate(None)), (THIS_MACHINE, Rate(1))):
        for _ in range(100):
            rate.take(client)


def test_looking_counts_nothing() -> None:
    rate = Rate(1, clock=Clock())
    rate.check("anna")
    rate.take("anna")
    with pytest.raises(RateError):
        rate.check("anna")


def test_many_clients_take_no_more_memory_than_some() -> None:
    rate = Rate(1)
    for number in range(10_100):
        rate.take(str(number))
    assert len(rate._left) == 10_000


@pytest.mark.parametrize(
    ("scope", "client"),
    [
        ({"client": ("192.0.2.7", 1234)}, "192.0.2.7"),
        ({"client": ("2001:db8:1:2:3::4", 1)}, "2001:db8:1:2::/64"),
        ({"client": ("::ffff:192.0.2.7", 1)}, "192.0.2.7"),
        ({"client": ("192.0.2.7", 1), "state": {"byline_user": "anna"}}, "anna"),
        ({"client": None}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_a_client_is_a_name_or_an_address(scope: dict[str, object], client: str) -> None:
    assert client_of(scope) == client
