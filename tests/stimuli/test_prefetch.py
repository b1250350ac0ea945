"""Work ahead in a thread: the same items, errors in their place, nothing left running."""

import threading
import weakref

import pytest

from stimuli.prefetch import ahead


class Source:
    """A generator of `count` numbers that notes what happened to it, and where."""

    def __init__(self, count, fail_at=None):
        self.made, self.threads, self.closed = [], set(), threading.Event()
        self.produced = threading.Semaphore(0)
        self.items = self._items(count, fail_at)

    def _items(self, count, fail_at):
        try:
            for number in range(count):
                self.threads.add(threading.current_thread())
                if number == fail_at:
                    raise OSError("damaged here")
                self.made.append(number)
                self.produced.release()
                yield number
        finally:
            self.threads.add(threading.current_thread())
            self.closed.set()

    def left_nothing(self):
        (thread,) = self.threads
        return self.closed.is_set() and not thread.is_alive() and thread is not threading.current_thread()


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 7])
def test_all_items_in_their_order(depth, count):
    source = Source(count)
    assert list(ahead(source.items, depth)) == list(range(count))
    assert count == 0 or source.left_nothing()


def test_items_are_made_ahead_but_no_more_than_asked():
    source = Source(20)
    items = ahead(source.items, 3)
    assert source.made == [], "nothing is made before the first is asked for"
    assert next(items) == 0
    for _ in range(4):
        assert source.produced.acquire(timeout=10), "three more are made while nobody asks"
    assert not source.produced.acquire(timeout=0.05)
    assert source.made == [0, 1, 2, 3]
    items.close()


def test_errors_come_after_what_was_made_before_them():
    source = Source(5, fail_at=3)
    seen = []
    with pytest.raises(OSError, match="damaged here"):
        for item in ahead(source.items, 2):
            seen.append(item)
    assert seen == [0, 1, 2]
    assert source.left_nothing()


@pytest.mark.parametrize("how", ["close", "forgotten", "error"])
def test_a_consumer_that_stops_stops_the_thread(how):
    source = Source(1000)
    items = ahead(source.items, 2)
    reference = weakref.ref(items)
    next(items)
    if how == "close":
        items.close()
    elif how == "error":
        with pytest.raises(KeyboardInterrupt):
            items.throw(KeyboardInterrupt)
    del items
    assert reference() is None
    assert source.left_nothing()
    assert len(source.made) <= 4
