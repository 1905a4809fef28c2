"""The deadline of a thread's operation, and the objects of which each organization has one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from astro_provider.astro.api import deadline
from astro_provider.astro.organizations import PerOrganization
from astro_provider.astro.reading.parallel import in_parallel

MANY_SECONDS, FEW_SECONDS = 1000.0, 10.0


def test_outside_of_all_operations_a_thread_may_wait_as_long_as_a_lock_can() -> None:
    changed, over = threading.Condition(), threading.Event()
    looks = iter([False, False, True])

    def wake() -> None:
        while not over.wait(0.01):
            with changed:
                changed.notify_all()

    threading.Thread(target=wake, daemon=True).start()
    with changed:
        came = changed.wait_for(lambda: next(looks), deadline.current().remaining)
    over.set()

    assert came
    assert deadline.current().remaining > 10 * 365 * 86_400


def test_a_call_ends_by_the_deadline_of_its_operation_and_by_its_own_bound_outside_of_one() -> None:
    with deadline.within(FEW_SECONDS):
        alone = deadline.current().remaining
    with deadline.operation(MANY_SECONDS), deadline.within(FEW_SECONDS):
        in_an_operation = deadline.current().remaining
    after = deadline.current().remaining

    assert alone <= FEW_SECONDS < in_an_operation <= MANY_SECONDS < after


def test_an_operation_in_an_operation_has_its_own_time() -> None:
    with deadline.operation(FEW_SECONDS):
        with deadline.operation(MANY_SECONDS):
            inner = deadline.current().remaining
        outer = deadline.current().remaining

    assert outer <= FEW_SECONDS < inner


def test_only_a_thread_with_a_copy_of_the_context_has_the_deadline() -> None:
    def remaining() -> float:
        return deadline.current().remaining

    with deadline.operation(FEW_SECONDS), ThreadPoolExecutor(1) as pool:
        helping = list(in_parallel([remaining] * 3))
        other = pool.submit(remaining).result()

    assert max(helping) <= FEW_SECONDS < other


def test_what_is_over_has_no_time_left() -> None:
    with deadline.operation(0.0):
        assert deadline.current().remaining == 0.0


def test_each_organization_has_one_object_also_if_two_threads_ask_at_once() -> None:
    made: list[object] = []
    both = threading.Barrier(2)

    def make(organization_id: str) -> list[str]:
        both.wait(60)  # so that both threads have found none
        made.append(organization_id)
        return [organization_id]

    objects = PerOrganization(make)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(objects.of, ["o", "o"])

    assert made == ["o", "o"]
    assert first is second is objects.of("o")
