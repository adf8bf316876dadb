"""Every step under every fault: what must hold all the same (`tests/slow/fault_matrix/faults.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_twilio_caller_id.errors import AnswerLost
from pulumi_twilio_caller_id.testing import Sandbox
from tests.slow.fault_matrix.faults import CELLS, run
from tests.slow.fault_matrix.invariants import Lasting, broken

if TYPE_CHECKING:
    from tests.support.fixtures.unit import Connect


@pytest.mark.parametrize(("step", "fault", "lasting"), CELLS)
def test_what_must_hold_holds(step: str, fault: str, lasting: Lasting) -> None:
    seen = run(step, fault, lasting)

    assert [] == broken(seen), seen


def test_a_record_that_cannot_be_read_is_not_taken_for_none(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.fail("list", body='{"outgoing_caller_ids": [{"sid": null, "phone_number": null}], "next_page_uri": null}')

    with pytest.raises(AnswerLost):
        connect().find("+14155550199")


def test_a_deletion_answered_with_anything_but_204_is_not_believed(sandbox: Sandbox, connect: Connect) -> None:
    [desk] = sandbox.caller_ids
    sandbox.fail("delete", body="{}")

    with pytest.raises(AnswerLost, match="204"):
        connect().remove(desk.sid)

    assert [desk] == sandbox.caller_ids
