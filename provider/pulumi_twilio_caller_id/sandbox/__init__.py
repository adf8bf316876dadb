"""Plays Twilio on this machine: accounts, verified caller IDs, and people who answer the verification call.

It answers the part of Twilio's REST API that caller IDs need, by HTTP, and follows Twilio's rules as far as they are
documented. No real phone rings. Start it with `python -m pulumi_twilio_caller_id sandbox`, or in a test
with `pulumi_twilio_caller_id.testing.Sandbox`.

Read `account.py` first (state and rules), then `calls.py` (what becomes of a call), `phones.py` (who is called),
`call_queue.py` (whose turn it is) and `server.py` (HTTP).
"""

from .errors import TwilioError
from .faults import Fault
from .phones import Behaviour, Delays, Phone, PhonesFileError
from .recording import RequestRecord
from .store import CallerId, StateFileError

__all__ = [
    "Behaviour",
    "CallerId",
    "Delays",
    "Fault",
    "Phone",
    "PhonesFileError",
    "RequestRecord",
    "StateFileError",
    "TwilioError",
]
