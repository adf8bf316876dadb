"""Runs the command `pulumi-twilio-caller-id` for `python -m pulumi_twilio_caller_id`."""

import sys

from .cli import main

sys.exit(main())
