"""Secrets, and the command line: every byte of what it prints and writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pulumi_twilio_caller_id.testing import Sandbox
from tests.support.leak_search import SECRETS, TEMPORARY, Watched, clean, command_lines, echoing, settings

FAULTY = """
from pulumi_twilio_caller_id.api.client import Client
def stream(self):
    raise RuntimeError(f"{self._settings} {self._settings.basic_auth(self._settings.account_sid)}")
Client.stream = stream
"""


def test_no_command_shows_a_secret(watch: Callable[..., Watched], canary_account: Sandbox, tmp_path: Path) -> None:
    """The command line, with the config of a stack and from the environment."""
    watched = watch()
    stack, search = watched.stack, watched.search
    stack.pulumi("config", "set-all", *settings(canary_account, "--secret"))
    proxied = {
        "TWILIO_ACCOUNT_SID": canary_account.account_sid,
        "TWILIO_AUTH_TOKEN": SECRETS["auth token"],
        "TWILIO_API_SECRET": SECRETS["API secret"],
        "TWILIO_API_KEY": canary_account.api_key,
        "TWILIO_API_URL": "https://twilio.invalid",
        "HTTPS_PROXY": f"http://user:{SECRETS['proxy password']}",
    }

    def run(
        *arguments: str, folder: Path = stack.project, status: int = 0, env: Mapping[str, str] | None = None
    ) -> str:
        command = [sys.executable, "-X", "dev", "-m", "pulumi_twilio_caller_id", *arguments]
        variables = stack.variables(env)
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        assert (status, arguments) == (done.returncode, arguments), done.stderr
        search.look(" ".join(arguments[:2]) + (" (fails)" if status else ""), done.stdout + done.stderr)
        return done.stdout + done.stderr

    with command_lines(f"PULUMI_HOME={stack.home}") as lines:
        assert "+14155550103" in run("list")
        run("list", "--json")
        run("import-file", "--all", "--provider", "eu", "--program", "caller_ids.py")
        run("import-file", "--all", "--config", "caller_ids.yaml")
        echo = echoing(canary_account.account_sid, SECRETS["auth token"])
        canary_account.fail("list", status=401, body=echo, times=1)
        assert "you sent ['[secret]', '[secret]', {'Authorization': 'Basic [secret]'" in run("list", status=1)
        assert "not the URL of a proxy" in run("list", "--json", folder=tmp_path, status=1, env=proxied)
        printing = "import os; print({k: v for k, v in os.environ.items() if k.startswith('TWILIO_')})"
        assert canary_account.account_sid in run("sandbox", "--run", sys.executable, "-c", printing, env=proxied)
        watched.plugin(FAULTY, every=True)
        assert "RuntimeError: account_sid=" in run("list", "--stack", "test", status=1)
    search.look("command lines", b"\n".join(lines))
    for name in ("caller_ids.py", "caller_ids.yaml"):
        search.look(f"import-file's {name}", (stack.project / name).read_bytes())
    search.look_at_files(TEMPORARY, watched.temporary)
    clean(search, 10)
