"""Work ahead in a thread, so that reading the next frames overlaps with what is done with these."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

T = TypeVar("T")
_END = object()


def ahead(items: Generator[T, None, None], depth: int) -> Iterator[T]:
    """The `items` in their order, made in one other thread, up to `depth` of them before they are asked for.

    What `items` raises is raised here in its place. When this generator ends or is closed, `items` is closed too, in
    its thread, and the thread has ended.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting = deque(thread.submit(next, items, _END) for _ in range(depth))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(thread.submit(next, items, _END))
                yield item
        finally:
            for future in waiting:
                future.cancel()
            thread.submit(items.close).result()
