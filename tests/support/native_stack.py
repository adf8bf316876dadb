"""Stacks of the native provider, which tests of the dynamic provider use unchanged.

A program is the same but for its imports. What Pulumi prints and stores is translated to the dynamic provider's words,
so that a test's expectations hold for both.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi_twilio_caller_id.cli.import_format import NATIVE_PROVIDER_TYPE, NATIVE_TYPE, PROVIDER_TYPE
from pulumi_twilio_caller_id.inputs import camel_case
from pulumi_twilio_caller_id.models import OutgoingCallerIdInputs
from pulumi_twilio_caller_id.native.rewording import OPTIONS, PACKAGE
from pulumi_twilio_caller_id.settings.sources import SETTINGS
from tests.support.harness import HEADER, TYPE, Result, Running, Stack
from tests.support.machine import ROOT, command

OUTPUTS = ("date_created", "date_updated")
NAMES = {camel_case(name): name for name in (*SETTINGS, *OutgoingCallerIdInputs.model_fields, *OPTIONS, *OUTPUTS)}
PLUGIN = f"""\
plugins:
  providers:
    - name: {PACKAGE}
      path: {Path(sys.prefix) / "bin"}
"""
IMPORTS = "from pulumi_twilio_caller_id import "

AS_PYTHON_HAS_IT = (
    (re.escape(NATIVE_TYPE), TYPE),
    (r"(?m)pulumi import --file import\.json$", "pulumi import --file import.json --generate-code=false"),
    (NATIVE_PROVIDER_TYPE, PROVIDER_TYPE),
    (r"\bpulumi-twilio-caller-id import-file --native", "python -m pulumi_twilio_caller_id import-file"),
    (r"\bpulumi-twilio-caller-id(?= list)", "python -m pulumi_twilio_caller_id"),
    (f"{PACKAGE}:(?=[a-z])", "twilio:"),
    (r'the option import: ("PN\w+")', r"opts=pulumi.ResourceOptions(import_=\1)"),
    (r"the option aliases: \[\{name: \.\.\.\}\]", "opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=...)])"),
    (r"the option deleteBeforeReplace: true", "opts=pulumi.ResourceOptions(delete_before_replace=True)"),
    (
        r"the option customTimeouts: \{create: (\S+)\}",
        r"opts=ResourceOptions(custom_timeouts=CustomTimeouts(create=\1))",
    ),
    (r"\badopt: true", "adopt=True"),
    (rf"(?<!twilio:)\b({'|'.join(sorted(NAMES, key=len, reverse=True))})\b", lambda found: NAMES[found[0]]),
)


def without_end_of_program(text: str) -> str:
    """Drop what a Python program prints if the engine ends while it registers a resource: a traceback of the SDK's."""
    if not re.search("(?i)resource monitor (has terminated|shut down)|KeyboardInterrupt", text):
        return text
    text = re.sub(r"(?m)^.{3} pulumi:pulumi:Stack \S+ (create|creating \(\d+s\)|running) +\S.*\n", "", text)
    return re.sub(r"  pulumi:pulumi:Stack \(\S+\):\n(    .*\n|\n(?=    ))*", "", text)


def as_python_has_it(text: str) -> str:
    text = without_end_of_program(text)
    for pattern, replacement in AS_PYTHON_HAS_IT:
        text = re.sub(pattern, replacement, text)
    return text


def as_all_have_it(argument: str) -> str:
    """An argument of a command: a setting or a URN."""
    return re.sub(r"^twilio:", f"{PACKAGE}:", argument.replace(TYPE, NATIVE_TYPE))


class NativeStack(Stack):
    namespace = PACKAGE

    def __post_init__(self) -> None:
        super().__post_init__()
        file = self.project / "Pulumi.yaml"
        file.write_text(file.read_text() + PLUGIN)

    def program(self, text: str) -> None:
        imports = f"import sys\nsys.path.append({str(ROOT)!r})\nfrom tests.support.native_sdk import "
        header, body = (part.replace(IMPORTS, imports) for part in (HEADER, text))
        (self.project / "__main__.py").write_text(header + body)

    def configure(self, values: Mapping[str, object]) -> None:
        super().configure({as_all_have_it(key): value for key, value in values.items()})

    def pulumi(self, *args: str, ok: bool = True, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
        result = super().pulumi(*map(as_all_have_it, args), ok=ok, env=env, stdin=stdin)
        stdout, stderr = as_python_has_it(result.stdout), as_python_has_it(result.stderr)
        return Result(result.code, stdout, stderr, untranslated=result.output)

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> Running:
        running = super().start(*map(as_all_have_it, args), env=env)
        return Running(running.process, running.file, as_python_has_it)

    def deployment(self) -> dict[str, Any]:
        translated: dict[str, Any] = json.loads(as_python_has_it(json.dumps(super().deployment())))
        return translated

    def plugins(self) -> list[int]:
        return [pid for pid in self.processes() if "pulumi-resource-twilio-caller-id" in command(pid)]
