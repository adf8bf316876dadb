"""`python -m pulumi_twilio_caller_id`: the same as the command `pulumi-twilio-caller-id`."""

import sys

from .cli import main

sys.exit(main())
