"""`import-file`: which numbers, under which names, written where, and what is refused."""

from __future__ import annotations

import ast
import base64
import io
import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from pulumi_twilio_caller_id.cli import main
from pulumi_twilio_caller_id.cli.import_format import NATIVE_PROVIDER_TYPE, NATIVE_TYPE, PROVIDER_TYPE, TYPE
from pulumi_twilio_caller_id.lifecycle import OutgoingCallerIdProvider
from pulumi_twilio_caller_id.testing import Sandbox

NAME = "pulumi-twilio-caller-id: "
STACK = "urn:pulumi:dev::shop::"
PROVIDER = f"{STACK}{PROVIDER_TYPE}::eu"
COMPONENT = f"{STACK}my:Phones::phones"
NUMBERS = {
    "+14155550101": "Front desk",
    "+14155550102": None,
    "+14155550103": "Front desk",
    "+493090182000": "Berlin",
}


class Outcome(SimpleNamespace):
    """What one run gave: `status`, `out`, `err`."""

    @property
    def names(self) -> dict[str, str]:
        """number -> name, of the caller IDs in the file."""
        entries = [entry for entry in json.loads(self.out)["resources"] if entry["type"] == TYPE]
        return {entry["inputs"]["phone_number"]: entry["name"] for entry in entries}


class Command:
    """Runs `import-file` against an account that has verified NUMBERS, each at its own second."""

    def __init__(self, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.sandbox = sandbox
        self._capsys = capsys
        self._folder = folder

    def __call__(self, *arguments: str) -> Outcome:
        status = main(["import-file", *arguments])
        printed = self._capsys.readouterr()
        return Outcome(status=status, out=printed.out, err=printed.err)

    def sid(self, number: str) -> str:
        return next(record.sid for record in self.sandbox.caller_ids if record.phone_number == number)

    def export(self, *resources: dict[str, Any]) -> str:
        """A file as `pulumi stack export` writes it."""
        file = self._folder / "stack.json"
        stack = {"urn": f"{STACK}pulumi:pulumi:Stack::shop-dev", "type": "pulumi:pulumi:Stack", "custom": False}
        file.write_text(json.dumps({"version": 3, "deployment": {"resources": [stack, *resources]}}))
        return str(file)

    def managed(self, number: str, name: str, **more: object) -> dict[str, Any]:
        """A caller ID as it is in such a file."""
        return {"urn": f"{STACK}{TYPE}::{name}", "type": TYPE, "id": self.sid(number), **more}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    seconds = iter(range(1_800_000_000, 1_900_000_000))
    monkeypatch.chdir(tmp_path)
    with Sandbox(clock=lambda: next(seconds)) as sandbox:
        for number, friendly_name in NUMBERS.items():
            sandbox.add_caller_id(number, friendly_name)
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        yield Command(sandbox, capsys, tmp_path)


# Which numbers


def test_all_numbers_of_the_account(run: Command) -> None:
    done = run("--all")
    assert {
        "+14155550101": "front-desk",
        "+14155550102": "number-14155550102",
        "+14155550103": "front-desk-14155550103",
        "+493090182000": "berlin",
    } == done.names
    assert (0, ["GET"]) == (done.status, [request.method for request in run.sandbox.requests])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--phone-number", "(415) 555-0103"], {"+14155550103": "front-desk-14155550103"}),
        (["--friendly-name", "Front desk"], {"+14155550101": "front-desk", "+14155550103": "front-desk-14155550103"}),
        (
            ["--phone-number", "+493090182000", "--phone-number", "+14155550103", "--friendly-name", "(415) 555-0102"],
            {
                "+14155550102": "number-14155550102",
                "+14155550103": "front-desk-14155550103",
                "+493090182000": "berlin",
            },
        ),
    ],
)
def test_filters_choose_numbers_and_leave_their_names(
    filters: list[str], expected: dict[str, str], run: Command
) -> None:
    """What either filter takes; a name depends on the account alone."""
    assert expected == run(*filters).names


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 2, "which numbers? Give --all, --phone-number or --friendly-name"),
        (
            ["--all", "--friendly-name", "Berlin"],
            2,
            "--all takes every number: leave out either --all, or --phone-number and --friendly-name",
        ),
        (
            ["--phone-number", "12"],
            2,
            (
                "--phone-number '12': it is too short for its country;"
                " US is assumed, as the number does not begin with + (twilio:defaultRegion)"
            ),
        ),
        (
            ["--phone-number", "+14155550101", "--phone-number", "(415) 555-0101"],
            2,
            "--phone-number: '(415) 555-0101' is given twice (it is +14155550101, however it is written)",
        ),
        (["--phone-number", "+14155550188"], 1, "account {account} has not verified +14155550188"),
        (["--friendly-name", "berlin"], 1, "account {account} has no verified number of the name 'berlin'"),
        (["--all", "--name", "desk"], 2, "--name is for one number, and 4 are to be imported"),
        (["--phone-number", "+14155550101", "--name", " "], 2, "--name ' ' can't be the name of a resource"),
        (
            ["--phone-number", "+14155550101", "--name", "eu", "--provider", "eu"],
            2,
            "--name 'eu' is taken: by a caller ID of the stack, or by the provider or parent given",
        ),
        (
            ["--all", "--config", "--parent", "a:B::c"],
            2,
            "--config can't express --provider or --parent: use --program",
        ),
        *(
            (
                ["--all", "--native", option],
                2,
                "--native can't be combined with --program or --config: `pulumi import` prints the program itself",
            )
            for option in ("--program", "--config")
        ),
        (
            ["--all", "--native", "--account-sid", "AC" + "1" * 32],
            2,
            "--native --account-sid needs --provider: a provider of that account",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line(arguments: list[str], status: int, told: str, run: Command) -> None:
    done = run(*arguments)
    assert (status, "", f"{NAME}{told.format(account=run.sandbox.account_sid)}\n") == (done.status, done.out, done.err)


def test_a_name_for_one_number(run: Command) -> None:
    assert {"+14155550101": "reception"} == run("--phone-number", "+14155550101", "--name", "reception").names


def test_an_account_without_numbers(run: Command) -> None:
    for record in run.sandbox.caller_ids:
        run.sandbox.remove(record.sid)
    done = run("--all")
    assert ({"resources": []}, "0 caller IDs to import.\n", 0) == (
        json.loads(done.out),
        done.err,
        done.status,
    )


def test_a_number_that_no_program_can_declare_is_left_out(run: Command) -> None:
    """Twilio has verified it all the same, so the others are imported without it."""
    odd = {"sid": "PN" + "0" * 32, "phone_number": "+1\x1b415", "account_sid": run.sandbox.account_sid}
    run.sandbox.fail("list", status=200, body=json.dumps({"outgoing_caller_ids": [odd], "next_page_uri": None}))
    done = run("--all")
    assert {} == done.names
    assert [
        f"PN{'0' * 32} is left out: a program can't declare '+1 415' as a number.",
        "0 caller IDs to import, 1 skipped.",
    ] == done.err.splitlines()


def test_an_account_given_is_an_input_of_each_number(run: Command) -> None:
    done = run("--phone-number", "+493090182000", "--account-sid", run.sandbox.account_sid)
    [entry] = json.loads(done.out)["resources"]
    assert run.sandbox.account_sid == entry["inputs"]["account_sid"]


# What the stack has already


def test_managed_numbers_are_skipped_and_their_names_taken(run: Command) -> None:
    """Those about to be deleted, or only read by `.get`, are not managed."""
    export = run.export(
        run.managed("+14155550101", "reception"),
        run.managed("+14155550102", "berlin", external=True),
        run.managed("+493090182000", "old", delete=True),
    )
    done = run("--all", "--skip-managed", export)
    assert {
        "+14155550102": "number-14155550102",
        "+14155550103": "front-desk-14155550103",
        "+493090182000": "berlin-493090182000",
    } == done.names
    assert "3 caller IDs to import, 1 skipped." == done.err.splitlines()[0]


@pytest.mark.parametrize(
    ("provider", "managed"),
    [
        (base64.b64encode(pickle.dumps(OutgoingCallerIdProvider(), protocol=0)).decode(), True),
        (base64.b64encode(pickle.dumps(OutgoingCallerIdProvider(), protocol=4)).decode(), True),
        (base64.b64encode(pickle.dumps(print)).decode(), False),
        ("no base64", False),
        ("caf\u00e9", False),
        ({"ciphertext": "x"}, False),
        (None, False),
    ],
)
def test_a_resource_of_another_type_is_known_by_its_provider(run: Command, provider: object, managed: bool) -> None:
    sid = run.sid("+14155550101")
    other = {"urn": f"{STACK}pulumi-python:dynamic:Resource::desk", "id": sid, "outputs": {"__provider": provider}}
    done = run("--all", "--skip-managed", run.export(other))
    assert managed is ("+14155550101" not in done.names)


def test_the_export_may_come_on_stdin(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    export = Path(run.export(run.managed("+14155550101", "desk"))).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(export)))
    assert "+14155550101" not in run("--all", "--skip-managed", "-").names


def test_an_export_of_a_stack_without_resources(run: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text('{"version": 3, "deployment": {"manifest": {}}}')
    assert 4 == len(run("--all", "--skip-managed", "empty.json").names)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xff", "it is not JSON"),
        (b"[]", "it has no deployment.resources"),
        (b'{"resources": []}', "it has no deployment.resources"),
        (b'{"deployment": {"resources": {"a": 1}}}', "it has no deployment.resources"),
        (b'{"deployment": {"resources": [{"id": "PN1"}]}}', "one of its resources has no URN"),
        (b'{"deployment": {"resources": [{"urn": "urn:pulumi:x"}]}}', "one of its resources has no URN"),
    ],
)
def test_a_damaged_export(content: bytes, reason: str, run: Command, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_bytes(content)
    done = run("--all", "--skip-managed", "stack.json")
    told = f"{NAME}--skip-managed stack.json: {reason}; it takes what `pulumi stack export` wrote\n"
    assert (2, "", told) == (done.status, done.out, done.err)


def test_an_export_that_is_not_there(run: Command) -> None:
    done = run("--all", "--skip-managed", "no.json")
    told = f"{NAME}--skip-managed no.json: it can't be read: No such file or directory\n"
    assert (2, "", told) == (done.status, done.out, done.err)


# Provider and parent


@pytest.mark.parametrize("given", [PROVIDER, f"{PROVIDER}::2b0e-id", "eu"])
def test_a_provider_that_the_stack_has(given: str, run: Command) -> None:
    """By its URN, with the id that states have behind it or without, or by its name in the export."""
    export = run.export({"urn": PROVIDER, "type": PROVIDER_TYPE, "id": "2b0e-id"})
    done = run("--all", "--provider", given, "--skip-managed", export)
    file = json.loads(done.out)
    assert ({"eu": PROVIDER}, {"eu"}) == (file["nameTable"], {entry["provider"] for entry in file["resources"]})
    assert "The provider eu" not in done.err


def test_a_new_provider_is_declared_without_credentials(run: Command) -> None:
    done = run("--all", "--provider", "eu")
    inputs = {"twilio:accountSid": run.sandbox.account_sid}
    assert {"type": PROVIDER_TYPE, "name": "eu", "inputs": inputs} == json.loads(done.out)["resources"][0]
    assert [
        "The provider eu is imported without credentials; the next `pulumi up` adds them.",
        "What --program writes reads its token from the config: pulumi config set --secret euToken",
    ] == done.err.splitlines()[4:]


def test_a_number_named_like_the_provider_gets_another_name(run: Command) -> None:
    assert "berlin-493090182000" == run("--all", "--provider", "berlin").names["+493090182000"]


@pytest.mark.parametrize("given", [COMPONENT, "urn:pulumi:dev::shop::pulumi:providers:aws::eu", "urn:x"])
def test_a_urn_that_is_not_of_such_a_provider(given: str, run: Command) -> None:
    done = run("--all", "--provider", given)
    told = f"{NAME}--provider {given!r} is not the URN of a provider of dynamic resources ({PROVIDER_TYPE})\n"
    assert (2, "", told) == (done.status, done.out, done.err)


@pytest.mark.parametrize("given", [COMPONENT, "phones"])
def test_a_parent_that_the_stack_has(given: str, run: Command) -> None:
    export = run.export({"urn": COMPONENT, "type": "my:Phones"}, {"urn": f"{STACK}{PROVIDER_TYPE}::phones", "id": "1"})
    file = json.loads(run("--all", "--parent", given, "--skip-managed", export).out)
    assert ({"phones": COMPONENT}, {"phones"}) == (file["nameTable"], {entry["parent"] for entry in file["resources"]})


def test_a_new_component_is_declared(run: Command) -> None:
    file = json.loads(run("--all", "--parent", "my:index:Phones::phones").out)
    assert {"type": "my:index:Phones", "name": "phones", "component": True} == file["resources"][0]


@pytest.mark.parametrize(
    "given", ["phones", "Phones::phones", "my:Phones::", PROVIDER, "urn:pulumi:x", f"{PROVIDER_TYPE}::eu", "urn:x::y"]
)
def test_a_parent_of_no_known_form(given: str, run: Command) -> None:
    done = run("--all", "--parent", given)
    assert (2, "") == (done.status, done.out)
    assert done.err == (
        f"{NAME}--parent {given!r}: give the URN of a resource of the stack, its name in the file of --skip-managed, "
        "or TYPE::NAME for a new component\n"
    )


def test_a_parent_name_that_two_have(run: Command) -> None:
    other = f"{STACK}my:Office$my:Phones::phones"
    done = run("--all", "--parent", "phones", "--skip-managed", run.export({"urn": COMPONENT}, {"urn": other}))
    told = f"--parent 'phones': the stack has 2 of that name, give the URN of one:\n  {COMPONENT}\n  {other}\n"
    assert (2, "", NAME + told) == (done.status, done.out, done.err)


# Where it is written


def test_all_is_followed_by_how_to_leave_out_what_the_stack_has(run: Command) -> None:
    told = "If the stack has some of them already, leave those out: --skip-managed."
    assert told == run("--all").err.splitlines()[1]
    for options in (
        ["--all", "--skip-managed", run.export({"urn": "urn:pulumi:a::b::c::d"})],
        ["--friendly-name", "x"],
    ):
        assert told not in run(*options).err


def test_the_next_command_is_told(run: Command) -> None:
    said = ["1 caller ID to import.", "To import: pulumi import --file FILE --generate-code=false"]
    one = ["--phone-number", "+14155550101"]
    assert said == run(*one).err.splitlines()[:2]
    assert f"{said[1]} --protect=false" == run(*one, "--no-protect").err.splitlines()[1]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ([], "--program FILE or --config FILE writes the lines"),
        (["--parent", COMPONENT], "--program FILE writes the lines"),
        (["--program", "more.py"], "the text of more.py goes into your program"),
        (["--program"], "this text goes into your program"),
        (["--config", "more.yaml"], "the text of more.yaml goes into Pulumi.<stack>.yaml"),
        (["--native"], "`pulumi import` prints the lines"),
    ],
)
def test_what_is_imported_is_to_be_declared_before_the_next_up(run: Command, options: list[str], where: str) -> None:
    """Else that `up` fails, as it would delete numbers that the import protects."""
    done = run("--phone-number", "+14155550101", *options)
    assert f"Then declare it before the next `pulumi up`: {where}." == done.err.splitlines()[2]
    assert "Then declare them before" in run("--all", "--native").err


def test_a_program_in_place_of_the_file(run: Command) -> None:
    done = run("--all", "--program")
    assert 4 == len([node for node in ast.parse(done.out).body if isinstance(node, ast.Assign)])
    assert "protect=True" in done.out
    assert "protect" not in run("--all", "--program", "--no-protect").out


def test_a_program_beside_the_file(run: Command, tmp_path: Path) -> None:
    on_stdout = run("--all", "--program").out
    done = run("--all", "--program", "phones.py")
    assert (4, on_stdout) == (len(done.names), (tmp_path / "phones.py").read_text())


def test_a_file_that_is_there_is_not_overwritten(run: Command, tmp_path: Path) -> None:
    (tmp_path / "phones.py").write_text("mine")
    done = run("--all", "--program", "phones.py")
    told = f"{NAME}phones.py is there already, and is not overwritten: give another name\n"
    assert (2, "", told) == (done.status, done.out, done.err)
    assert "mine" == (tmp_path / "phones.py").read_text()


def test_a_file_that_can_not_be_written(run: Command) -> None:
    done = run("--all", "--config", "no/folder.yaml")
    told = f"{NAME}'no/folder.yaml' can't be written: No such file or directory\n"
    assert (2, "", told) == (done.status, done.out, done.err)


@pytest.mark.parametrize(
    ("project", "key"), [(None, "twilio-caller-ids:callerIds"), ("name: shop\n", "shop:callerIds")]
)
def test_config_is_for_the_project_here(
    project: str | None, key: str, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if project:
        (tmp_path / "Pulumi.yaml").write_text(project)
        (tmp_path / "deeper").mkdir()
        monkeypatch.chdir("deeper")
        monkeypatch.setenv("PATH", "")
    done = run("--phone-number", "+14155550101", "--config")
    entry = {"phoneNumber": "+14155550101", "friendlyName": "Front desk", "protect": True}
    assert {"config": {key: {"front-desk": entry}}} == yaml.safe_load(done.out)


@pytest.mark.parametrize(
    ("content", "told"), [("a: [", "can't be read: while parsing a flow node"), ("a: 1", "gives the project no name")]
)
def test_a_damaged_project(content: str, told: str, run: Command, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(content)
    done = run("--all", "--config")
    assert (2, "") == (done.status, done.out)
    assert done.err.startswith(f"{NAME}{tmp_path / 'Pulumi.yaml'} {told}")


def test_no_credential_is_ever_written(run: Command, tmp_path: Path) -> None:
    for options in ([], ["--provider", "eu"], ["--program"], ["--config"], ["--provider", "eu", "--program"]):
        done = run("--all", *options)
        assert (0, False) == (done.status, run.sandbox.auth_token in done.out + done.err)


# For the native provider


def test_a_native_resource_is_read_by_pulumi_itself(run: Command) -> None:
    done = run("--phone-number", "+14155550101", "--native")
    entry = {"type": NATIVE_TYPE, "name": "front-desk", "id": run.sid("+14155550101")}
    assert {"resources": [entry]} == json.loads(done.out)
    assert "1 caller ID to import.\nTo import: pulumi import --file FILE\n" in done.err
    assert "FILE --protect=false\n" in run("--all", "--native", "--no-protect").err


def test_native_and_dynamic_resources_of_the_stack_are_skipped(run: Command) -> None:
    native = {"urn": f"{STACK}{NATIVE_TYPE}::desk", "type": NATIVE_TYPE, "id": run.sid("+14155550101")}
    export = run.export(native, run.managed("+14155550102", "berlin"))
    expected = {"front-desk-14155550103": "+14155550103", "berlin-493090182000": "+493090182000"}
    assert set(expected) == set(run("--all", "--skip-managed", export).names.values())
    entries = json.loads(run("--all", "--native", "--skip-managed", export).out)["resources"]
    assert {name: run.sid(number) for name, number in expected.items()} == {it["name"]: it["id"] for it in entries}


def test_a_native_provider_and_a_parent_that_the_stack_has(run: Command) -> None:
    """A provider of dynamic resources with the same name is another one."""
    urn = f"{STACK}{NATIVE_PROVIDER_TYPE}::eu"
    export = run.export({"urn": urn, "id": "1"}, {"urn": PROVIDER, "id": "2"}, {"urn": COMPONENT})
    for given in ("eu", urn):
        done = run("--all", "--native", "--provider", given, "--parent", "phones", "--skip-managed", export)
        file = json.loads(done.out)
        assert {"eu": urn, "phones": COMPONENT} == file["nameTable"]
        assert {("eu", "phones")} == {(entry["provider"], entry["parent"]) for entry in file["resources"]}
    refused = run("--all", "--native", "--provider", PROVIDER)
    told = f"{NAME}--provider {PROVIDER!r} is not the URN of the native provider ({NATIVE_PROVIDER_TYPE})\n"
    assert (2, "", told) == (refused.status, refused.out, refused.err)


def test_a_new_native_provider_is_of_the_account_that_was_listed(run: Command) -> None:
    for options in ([], ["--account-sid", run.sandbox.account_sid]):
        done = run("--all", "--native", "--provider", "eu", *options)
        inputs = {"accountSid": run.sandbox.account_sid}
        first, second, *_ = json.loads(done.out)["resources"]
        assert {"type": NATIVE_PROVIDER_TYPE, "name": "eu", "inputs": inputs} == first
        assert {"type", "name", "id", "provider"} == second.keys()
        assert "The provider eu is imported with the credentials of the environment (TWILIO_...)." in done.err
