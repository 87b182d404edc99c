from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from telemetry.listener import Listener, PortTaken


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener(Starlette(), "127.0.0.1", 0)
    listener.start()
    yield listener
    listener.stop()


def test_it_answers_until_it_is_stopped(listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.port}/"
    assert httpx.get(url).status_code == 404
    assert listener.is_running

    listener.stop()

    assert not listener.is_running
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_taken_port_is_told(listener: Listener) -> None:
    second = Listener(Starlette(), "127.0.0.1", listener.port)

    with pytest.raises(PortTaken, match=str(listener.port)):
        second.start()
    assert not second.is_running


def test_the_port_is_free_again_after_a_stop(listener: Listener) -> None:
    listener.stop()
    second = Listener(Starlette(), "127.0.0.1", listener.port)

    second.start()

    assert second.is_running
    second.stop()


def test_stopping_what_never_ran_is_nothing() -> None:
    Listener(Starlette(), "127.0.0.1", 0).stop()
