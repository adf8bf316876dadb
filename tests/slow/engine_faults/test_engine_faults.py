"""The main cells of the fault matrix (`faults.py`) on the real engine: each fault hits one number of a stack."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pulumi_twilio_caller_id.errors import CallerIdError
from pulumi_twilio_caller_id.phone_number import international_format
from pulumi_twilio_caller_id.testing import Delays, RequestRecord, Sandbox
from tests.slow.fault_matrix.faults import FAULTS, OF_PAGES, STEPS, TOKEN, filled
from tests.slow.fault_matrix.invariants import CALLING, DESK, NEW, Lasting, Outcome, broken
from tests.support.broken_servers import Proxy
from tests.support.harness import TYPE, Result, Stack
from tests.support.leak_search import Search

ONCE = [
    fault
    for fault, values in FAULTS.items()
    if values and values.get("retry_after") != 29 and fault not in (*OF_PAGES, "hang")
]
"""What an answer makes up, less the long pauses, which the tests without the engine don't make."""

LASTING = ("reset after", "404", "500", "HTML", "deep", "echo 401")
Cells = dict[str, tuple[str, str, Lasting]]


def cells(*steps: str) -> Cells:
    """By the name of the resource that is hit."""
    faults: list[tuple[str, Lasting]] = [(fault, "once") for fault in ONCE]
    faults += [(fault, "lasting") for fault in LASTING]
    every = [(step, *fault) for step in steps for fault in faults]
    return {f"n{at}": cell for at, cell in enumerate(every)}


def number(name: str) -> str:
    return f"+1415555{1000 + int(name[1:])}"


def told(result: Result) -> dict[str, str]:
    """What the diagnostics say of each caller ID that failed, from `error:` on."""
    found = {}
    for block in result.stdout.partition("Diagnostics:\n")[2].split("\n\n"):
        about = re.match(rf"\s*{re.escape(TYPE)} \((n\d+)\):\n(?:.*\n)*?\s*(error: [\s\S]*)", block)
        if about:
            found[about[1]] = about[2]
    return found


def faulty(of: Cells, result: Result, before: Mapping[str, str], stack: Stack, sandbox: Sandbox) -> list[str]:
    """The cells with a broken invariant, and those whose request did not come about.

    before: the sid in the state, by the name of the resource.
    """
    search = Search({"auth token": TOKEN})
    search.look("all", result.output)
    assert [] == search.leaks
    messages, resources = told(result), stack.resources()
    strays = sum(not record.endpoint for record in sandbox.requests)
    seen = []
    for name, (step, fault, lasting) in of.items():
        ours, theirs = number(name), NEW if step in CALLING else DESK
        sid, message = resources.get(name, {}).get("id", ""), messages.get(name, "")
        error = CallerIdError(message.replace(international_format(ours), international_format(theirs)), "")
        nothing = AssertionError("neither in the state, nor an error")
        left = {record.sid: theirs for record in sandbox.caller_ids if record.phone_number == ours}
        calls = sum(call.to == ours for call in sandbox.calls)
        unsaid = not message and not sid and step in (*CALLING, "import")
        outcome = Outcome(
            step, fault, lasting, None, error if message else nothing if unsaid else None,
            sid, calls, left, 0.0, 0.0, strays, [],
        )  # fmt: skip
        seen += [f"{name} {step} {fault} {lasting}: {what} ({message})" for what in broken(outcome)]
        about = {ours, before.get(name, "-"), *(call.sid for call in sandbox.calls if call.to == ours)}
        if not any(about & names(record) for record in sandbox.requests if record.endpoint == STEPS[step]):
            seen.append(f"{name} {step} {fault}: not asked ({message})")
    return seen


def names(record: RequestRecord) -> set[str]:
    given = {each.get("PhoneNumber", "") for each in (record.form, record.params)}
    return given | {part.removesuffix(".json") for part in record.path.split("/")}


def fail(sandbox: Sandbox, cell: tuple[str, str, Lasting], about: str) -> None:
    step, fault, lasting = cell
    sandbox.fail(STEPS[step], times=1 if lasting == "once" else None, about=about, **filled(fault, sandbox))


def sids(stack: Stack) -> dict[str, str]:
    return {name: resource["id"] for name, resource in stack.resources().items()}


def test_creating_under_faults(stack: Stack) -> None:
    matrix = cells("look-up", "place call", "poll call", "import")

    def answered(record: RequestRecord) -> None:
        """The sid of a call is known once it is placed."""
        if record.endpoint == "create":
            for call in sandbox.calls:
                if call.to in unarmed:
                    fail(sandbox, unarmed.pop(call.to), call.sid)

    unarmed = {number(name): cell for name, cell in matrix.items() if cell[0] == "poll call"}
    there = {number(name): name for name, cell in matrix.items() if cell[0] == "import"}
    sandbox = Sandbox(delays=Delays(0, 0.1, 0.1), numbers=there, on_answer=answered)
    with sandbox:
        sandbox.set_auth_token(TOKEN)
        stack.environment |= sandbox.environment
        imported = {str(record.friendly_name): record.sid for record in sandbox.caller_ids}
        lines = []
        for name, cell in matrix.items():
            if cell[0] in ("look-up", "place call"):
                fail(sandbox, cell, number(name))
            if cell[0] == "import":
                fail(sandbox, cell, imported[name])
            opts = f', opts=ResourceOptions(import_="{imported[name]}")' if name in imported else ""
            lines.append(f'OutgoingCallerId("{name}", phone_number="{number(name)}"{opts})\n')
        stack.program("".join(lines))
        result = stack.up("--continue-on-error", ok=False)

        assert [] == faulty(matrix, result, imported, stack, sandbox)
        assert {} == unarmed
        sandbox.heal()


def test_changing_reading_and_deleting_under_faults(stack: Stack) -> None:
    matrix = cells("update")
    with Sandbox(numbers={number(name): name for name in matrix}) as sandbox:
        sandbox.set_auth_token(TOKEN)
        stack.environment |= sandbox.environment
        each = 'OutgoingCallerId(f"n{{n}}", phone_number=f"+1415555{{1000 + n}}", adopt=True{})'
        program = f"for n in range({len(matrix)}):\n    {each}\n"
        stack.program(program.format(""))
        stack.up()
        before = sids(stack)
        assert matrix.keys() == before.keys()

        def arm(step: str) -> Cells:
            sandbox.heal()
            armed: Cells = {name: (step, *matrix[name][1:]) for name in sids(stack)}
            for name, cell in armed.items():
                fail(sandbox, cell, before[name])
            return armed

        stack.program(program.format(', friendly_name="Front"'))
        armed = arm("update")
        result = stack.up("--continue-on-error", ok=False)
        assert [] == faulty(armed, result, before, stack, sandbox)

        armed = arm("read")
        sandbox.fail("list", status=500)  # else one listing tells of all that are there
        result = stack.refresh("--parallel", "200", ok=False)
        assert [] == faulty(armed, result, before, stack, sandbox)

        armed = arm("delete")
        result = stack.destroy("--continue-on-error", ok=False)
        assert [] == faulty(armed, result, before, stack, sandbox)

        sandbox.heal()
        stack.destroy()
        assert [] == sandbox.caller_ids, "a 404 alone takes none out of the state, as the list has them all"


def test_one_call_where_a_proxy_loses_the_answer(stack: Stack, sandbox: Sandbox) -> None:
    """A proxy that fails before the request and one that fails after it look alike to many a library."""
    proxy = Proxy(int(sandbox.url.rpartition(":")[2]))
    try:
        stack.environment |= {"HTTP_PROXY": proxy.url, "NO_PROXY": "", "no_proxy": ""}
        sandbox.set_phone(NEW, "busy")
        sandbox.fail("create", drop="after")
        stack.program(f'OutgoingCallerId("desk", phone_number="{NEW}")\n')
        result = stack.up(ok=False)
    finally:
        proxy.stop()
    assert "Its phone may ring all the same" in result.error
    assert 1 == len(sandbox.calls)
    assert {} == stack.resources()
    assert proxy.requests
