import time
import tracemalloc

from backend.placement import Pin
from backend.routing import brand_key
from chat.inference.tenants import Tenant, session_key
from chat.pins import OwnPins

ONE = Tenant(b"k" * 32, "demo", "salt")


def test_the_longest_unused_is_given_up_first() -> None:
    pins = OwnPins(2)
    for session in (b"a", b"b", b"a", b"c"):
        pins.put(session, Pin("r0", "1"))
    assert [pins.get(session) is not None for session in (b"a", b"b", b"c")] == [True, False, True]
    assert len(pins) == 2


def test_a_later_pin_replaces_the_earlier() -> None:
    pins = OwnPins(2)
    pins.put(b"a", Pin("r0", "1"))
    pins.put(b"a", Pin("r1", "2", 7))
    pin = pins.get(b"a")
    assert pin is not None and (pin.replica_id, pin.boot_id, pin.held_tokens) == ("r1", "2", 7)


def test_a_pin_ages_until_it_is_used_again() -> None:
    pins = OwnPins(2)
    pins.put(b"a", Pin("r0", "1"))
    time.sleep(0.02)
    assert pins.get(b"a").idle_s >= 0.02
    pins.put(b"a", Pin("r0", "1"))
    assert pins.get(b"a").idle_s < 0.02


def test_a_session_costs_less_than_two_kilobytes() -> None:
    pins, count = OwnPins(100_000), 5_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            pins.put(
                session_key(ONE, f"session {number}", ""),
                Pin(f"r{number % 9}", str(number), number, brand_key("salt", str(number))),
            )
        each = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert each < 2000


def test_a_session_is_its_keys_its_sites_and_its_own() -> None:
    others = [Tenant(b"l" * 32, "demo", "salt"), Tenant(b"k" * 32, "other", "salt"), Tenant(b"k" * 32, None, "salt")]
    keys = {session_key(tenant, "s1", "") for tenant in (ONE, *others)}
    keys |= {session_key(ONE, None, "s1"), session_key(ONE, "s2", "")}
    assert len(keys) == 6
    assert session_key(ONE, "s1", "one") == session_key(ONE, "s1", "two")
    assert all(len(key) == 16 for key in keys)
