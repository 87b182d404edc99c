from sessions.ring import Ring


def test_a_ring_wakes_the_readers_of_what_changed() -> None:
    ring = Ring()
    with ring.tail("one", 0) as one, ring.tail("one", 5) as also_one, ring.tail("two", 0) as two:
        ring.ring({"one": False, "three": False})
        assert (one.wake.is_set(), also_one.wake.is_set(), two.wake.is_set()) == (True, True, False)
        assert not ring.work.is_set()


def test_only_what_a_list_shows_wakes_the_lists_and_the_workers() -> None:
    ring = Ring()
    with ring.queue() as queue:
        ring.ring({"one": False})
        assert not queue.wake.is_set()
        ring.ring({"one": False, "two": True})
        assert ring.work.is_set()
        assert queue.take() == ["two"]
        assert not queue.wake.is_set()
        assert queue.take() == []


def test_readers_who_are_behind_are_woken_and_those_of_what_is_gone() -> None:
    ring = Ring()
    with ring.tail("one", 4) as behind, ring.tail("one", 5) as level, ring.tail("gone", 9) as of_gone:
        ring.compare(["one", "gone"], {"one": 5})
        assert (behind.wake.is_set(), level.wake.is_set(), of_gone.wake.is_set()) == (True, False, True)


def test_when_something_was_missed_everybody_looks() -> None:
    ring = Ring()
    with ring.tail("one", 0) as one, ring.tail("two", 0) as two:
        ring.ring_all()
        assert one.wake.is_set()
        assert two.wake.is_set()
    assert ring.work.is_set()


def test_whoever_has_gone_is_forgotten() -> None:
    ring = Ring()
    with ring.tail("one", 0), ring.tail("one", 0), ring.queue():
        assert (ring.tailed, ring.has_queues) == (["one"], True)
    assert (ring.tailed, ring.has_queues) == ([], False)
