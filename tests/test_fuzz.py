"""
20,000 drawn requests: no 5xx, no markup of what was typed, nothing changed by what was refused.

Run by ``make fuzz``; SEED draws others, and the seed stands in each test's name.
"""

import os

import pytest

from tests.digest import differences, digest
from tests.fuzzing import Fuzzer
from tests.laboratory import World, rolled_back

pytestmark = [pytest.mark.fuzz, pytest.mark.django_db]

REQUESTS = int(os.environ.get("REQUESTS", "20000"))
SEED = os.environ.get("SEED", "1")
A_BATCH = 250


@pytest.fixture(scope="module")
def fuzzer(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), rolled_back():
        yield Fuzzer(World())


@pytest.mark.parametrize("batch", range(max(REQUESTS // A_BATCH, 1)), ids=f"{SEED}-{{}}".format)
def test_drawn_requests_are_answered(fuzzer, batch):
    before = digest(journal=True, stamps=True)

    def changed():
        found = differences(before, digest(journal=True, stamps=True))
        return f"changed {found}" if found else ""

    with rolled_back():
        complaints = fuzzer.run(SEED, batch, A_BATCH)
        is_changed = bool(changed())
    if is_changed:  # which request it was
        with rolled_back():
            complaints += fuzzer.run(SEED, batch, A_BATCH, then=changed)
    assert not complaints, "\n".join(dict.fromkeys(complaints))
