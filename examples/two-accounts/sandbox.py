"""Run a command against a local Twilio that has all three accounts: `python sandbox.py pulumi up --yes`.

The account is kept in sandbox.json between commands.
"""

import os
import subprocess
import sys

from pulumi_twilio_caller_id.testing import Sandbox

# Sids and tokens are made up. To the sandbox both are subaccounts; the first is only ever opened by its own token.
ACCOUNTS = {"AC" + "1" * 32: "made-up-token", "AC" + "2" * 32: "never-used"}

if not sys.argv[1:]:
    sys.exit("error: no command to run; try: python sandbox.py pulumi up --yes")
with Sandbox(subaccounts=ACCOUNTS, state="sandbox.json") as sandbox:
    command = subprocess.run(sys.argv[1:], env={**os.environ, **sandbox.environment}, check=False)
sys.exit(command.returncode)
