"""How phones are described, and what is said about a description that makes no sense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pulumi_twilio_caller_id.sandbox.phones import (
    Behaviour,
    Delays,
    Phone,
    PhoneBook,
    PhonesFileError,
    load_phones,
    read_phones,
)

BEHAVIOURS = (
    "keys-code, wrong-code, hangs-up, busy, no-answer, country-blocked, late-listed, manual, refused, own-number"
)


def test_numbers_nobody_described_key_the_code_in() -> None:
    assert PhoneBook({"+14155550101": "busy"}).phone("+14155550102") == Phone(behaviour=Behaviour.KEYS_CODE)


def test_numbers_are_found_however_they_were_written() -> None:
    assert PhoneBook({"(415) 555-0101": "busy"}).phone("+14155550101").behaviour == "busy"


def test_delays_are_the_phone_s_own_or_the_general_ones() -> None:
    script = Phone(rings=7).script(Delays(queued=1, rings=2, talks=3))
    assert (script.queued, script.rings, script.talks, script.listed_after) == (1, 7, 3, 0)
    assert Phone(behaviour=Behaviour.MANUAL).script(Delays(rings=0)).rings == 60
    assert Phone(behaviour=Behaviour.MANUAL, rings=5).script(Delays(rings=0)).rings == 5
    assert Phone(behaviour=Behaviour.LATE_LISTED).script(Delays()).listed_after == 3


def test_the_usual_delays() -> None:
    assert Delays() == Delays(queued=0.5, rings=2, talks=4)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_delays_are_finite_and_not_negative(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"^talks is a number of seconds, 0 or more, not "):
        Delays(talks=seconds)


def test_a_phone_can_be_described_anew() -> None:
    book = PhoneBook({"+14155550101": "busy"})
    book.set("415-555-0101", {"behaviour": "no-answer", "rings": 1})
    assert book.phone("+14155550101") == Phone(behaviour=Behaviour.NO_ANSWER, rings=1)


def test_a_star_is_every_number_that_is_not_named() -> None:
    book = PhoneBook({"*": {"behaviour": "no-answer", "rings": 1}, "+14155550101": "busy"})
    assert "busy" == book.phone("+14155550101").behaviour
    assert Phone(behaviour=Behaviour.NO_ANSWER, rings=1) == book.phone("+493090182000")
    book.set("*", "manual")
    assert Behaviour.MANUAL == book.phone("+14155550102").behaviour
    assert {"*": Phone(behaviour=Behaviour.MANUAL), "+14155550101": Phone(behaviour=Behaviour.BUSY)} == book.described()


# The file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("phones.yaml", "+14155550101: busy\n'+14155550102': {behaviour: late-listed, rings: 0.5, listed_after: 5}\n"),
        ("x.yml", "4155550101:\n  behaviour: busy\n4155550102: {behaviour: late-listed, rings: .5, listed_after: 5}"),
        ("x.json", '{"415-555-0101":"busy",\t"4155550102":{"behaviour":"late-listed","rings":0.5,"listed_after":5}}'),
    ],
)  # fmt: skip
def test_a_phones_file_is_yaml_or_json(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_phones(tmp_path / name) == {
        "+14155550101": Phone(behaviour=Behaviour.BUSY),
        "+14155550102": Phone(behaviour=Behaviour.LATE_LISTED, rings=0.5, listed_after=5),
    }


@pytest.mark.parametrize(
    "text", ["'*': manual\n+14155550101: busy\n", '+14155550101: busy\n"*":\n  behaviour: manual\n']
)
def test_a_phones_file_may_describe_every_other_number(tmp_path: Path, text: str) -> None:
    (tmp_path / "phones.yaml").write_text(text)
    assert {"*": Phone(behaviour=Behaviour.MANUAL), "+14155550101": Phone(behaviour=Behaviour.BUSY)} == load_phones(
        tmp_path / "phones.yaml"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("+14155550101: bsy", f"+14155550101: behaviour 'bsy' is not one of {BEHAVIOURS}"),
        ("+14155550101: {behaviour: Busy}", f"+14155550101: behaviour 'Busy' is not one of {BEHAVIOURS}"),
        (
            "+14155550101: {behavior: busy}",
            "+14155550101: 'behavior' is not one of " + ", ".join(Phone.model_fields),
        ),
        ("+14155550101: {rings: -1}", "+14155550101: rings '-1' must be a number of seconds, 0 or more"),
        ("+14155550101: {talks: soon}", "+14155550101: talks 'soon' must be a number of seconds, 0 or more"),
        ("+14155550101: {queued: .inf}", "+14155550101: queued '.inf' must be a number of seconds, 0 or more"),
        (
            "+14155550101: {behaviour: busy, listed_after: 1}",
            "+14155550101: listed_after is for late-listed phones, not for busy",
        ),
        ("+14155550101: {validation_code: 1}", "+14155550101: validation_code '1' must be six digits, in quotes"),
        ("+14155550101: [busy]", f"+14155550101: ['busy'] is neither a behaviour ({BEHAVIOURS}) nor a mapping"),
        (
            "front desk: busy",
            "'front desk' is not a phone number; write it as +14155550101, or * for all the others",
        ),
        ("'*': bsy", f"*: behaviour 'bsy' is not one of {BEHAVIOURS}"),
        ("'**': busy", "'**' is not a phone number; write it as +14155550101, or * for all the others"),
        (
            "+14155550101: busy\n415-555-0101: manual",
            "'415-555-0101' is given twice (it is +14155550101, however it is written)",
        ),
        ("+14155550101: busy\n+14155550101: manual", "'+14155550101' is given twice"),
        ("+14155550101: {rings: 1, rings: 2}", "'rings' is given twice"),
        ("[a]: b", "is not YAML ("),
        ("- busy", "must be a mapping of phone number to behaviour"),
        ("", "must be a mapping of phone number to behaviour"),
        ("a: b: c", "is not YAML (mapping values are not allowed here"),
    ],
)  # fmt: skip
def test_a_bad_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "phones.yaml"
    path.write_text(text)
    with pytest.raises(PhonesFileError) as explained:
        load_phones(path)
    assert str(explained.value).startswith(f"{path}: {message}")
    assert "\n" not in str(explained.value)


@pytest.mark.parametrize("key", ["queued", "rings", "talks", "listed_after", "known_after"])
@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_no_number_of_seconds(tmp_path: Path, key: str, value: bool) -> None:
    (tmp_path / "phones.json").write_text(json.dumps({"*": {"behaviour": "late-listed", key: value}}))
    with pytest.raises(PhonesFileError) as explained:
        load_phones(tmp_path / "phones.json")
    message = f"*: {key} {value} must be a number of seconds, 0 or more"
    assert f"{tmp_path / 'phones.json'}: {message}" == str(explained.value)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "twice.json").write_text('{"+14155550101": "busy", "+14155550101": "busy"}')
    for name, message in (
        ("missing.yaml", "cannot be read (No such file or directory)"),
        ("", "cannot be read (Is a directory)"),
        ("binary", "is not a text file in UTF-8"),
        ("broken.json", "is not JSON ("),
        ("twice.json", "'+14155550101' is given twice"),
    ):
        with pytest.raises(PhonesFileError) as explained:
            load_phones(tmp_path / name)
        assert str(explained.value).startswith(f"{tmp_path / name}: {message}")


def test_a_program_s_phones_are_explained_without_a_file() -> None:
    with pytest.raises(PhonesFileError, match=r"^\+14155550101: rings 'soon' must be a number of seconds, 0 or more$"):
        read_phones({"+14155550101": {"rings": "soon"}})
