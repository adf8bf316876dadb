"""Defines the errors of this package. Each says what happened and what to do.

CallerIdError               raised itself by the `get_...` functions and by `shadowing.py`
├── SettingsError           a setting of the account or the network is invalid; nothing was sent
│   └── CredentialsMissing  ... or no credentials are set
├── BadSid                  a given sid is malformed; nothing was sent
├── TwilioRefused           Twilio answered with an error
│   ├── CredentialsRefused  ... because the credentials are wrong (HTTP 401 or code 20003)
│   ├── NotFound            ... because there is no such sid (needs both HTTP 404 and code 20404)
│   └── TooManyRequests     ... because of too many simultaneous requests (HTTP 429); Twilio did not process it
├── TwilioUnreachable       no connection could be made, so the request was not sent
├── AnswerLost              the request was sent, but no usable answer came back
├── AlreadyVerified         the number is a caller ID already; no phone call was placed
├── DeclaredTwice           another resource of the stack declares the same number; no phone call was placed
├── OwnershipUnknown        the notes of which resource owns a caller ID can't be used; nothing was changed
├── ImportMismatch          the caller ID that `import_` names is missing or differs; nothing was changed
├── NotVerified             a phone call was placed, but the number did not become a caller ID
│   └── NotKeyedIn          ... because nobody keyed the right code in: another call may succeed
├── Awaiting                replaces NotKeyedIn if `twilio:unverified` is await: Pulumi does not count it as a failure
├── Interrupted             the operation was ended, before a request or during a phone call
├── Gone                    the caller ID was removed at Twilio, or is being deleted by the same command
└── AccountUnreadable       a caller ID seems to be gone, but its account can't be checked; the state was kept

A person reads them in a terminal: first what happened and with which value, then, on a line of its own, what to do.
No error ever contains a credential. A class without `__init__` gets its text where it is raised.
"""

from __future__ import annotations

from typing import ClassVar

from .text import one_line, quote, sanitize


class CallerIdError(Exception):
    """An error whose message has two parts. what: the failure. todo: how to solve it."""

    def __init__(self, what: str, todo: str) -> None:
        what, todo = sanitize(what), sanitize(todo)
        super().__init__(f"{what}\n{todo}")
        self.what = what
        self.todo = todo

    def advise(self, todo: str) -> None:
        """Replace `todo` in this error."""
        self.todo = sanitize(todo)
        self.args = (f"{self.what}\n{self.todo}",)


class SettingsError(CallerIdError):
    """A setting of the account or the network is invalid. This is raised before anything is sent."""


class CredentialsMissing(SettingsError):
    """The settings lack an account sid, or an auth token or API key."""


class BadSid(CallerIdError):
    """The given sid of an OutgoingCallerId is malformed."""

    def __init__(self, sid: str) -> None:
        super().__init__(
            f"{quote(sid, 60)} is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits.",
            "Copy it from the Twilio Console (Phone Numbers, Verified Caller IDs) or from the API.",
        )


class TwilioRefused(CallerIdError):
    """Twilio answered a request with an error. `Transport._refusal` picks the subclass.

    action: the purpose of the request as a verb phrase, such as "verify +14155550101".
    status: the HTTP status. code: Twilio's code, 0 if there is none. message: Twilio's message.
    retry_after: the seconds that Twilio asked to wait, or None. account_sid: the account of the request.
    Source: Twilio docs, usage/requests-to-twilio and api/errors.
    """

    default_advice: ClassVar[str] = "See the code at https://www.twilio.com/docs/api/errors for what it means."

    def __init__(
        self,
        action: str,
        status: int,
        code: int = 0,
        message: str = "",
        *,
        retry_after: float | None = None,
        account_sid: str = "",
    ) -> None:
        account = f"account {account_sid}" if account_sid and account_sid not in action else ""
        details = ", ".join(filter(None, [f"code {code}" if code else "", f"HTTP {status}", account]))
        reason = one_line(message).rstrip(".")
        verb = "failed" if status >= 500 else "refused"
        what = f"Twilio {verb} to {action}{f': {reason}' if reason else ''} ({details})."
        if code in ADVICE:
            todo = ADVICE[code]
        elif status >= 500:
            todo = ADVICE_SERVER_ERROR
        elif not code and type(self) is TwilioRefused:
            todo = ADVICE_NO_CODE
        else:
            todo = self.default_advice
        super().__init__(what, todo)
        self.action = action
        self.status = status
        self.code = code
        self.retry_after = retry_after

    @property
    def transient(self) -> bool:
        """Whether the same request is likely to succeed soon."""
        return self.status == 429 or self.status >= 500


class CredentialsRefused(TwilioRefused):
    """HTTP 401 or code 20003: wrong sid or token, a deleted key, another region's key, or a suspended account."""

    default_advice = "Check that the auth token (or API key and secret) belongs to this account and is current."


class NotFound(TwilioRefused):
    """HTTP 404 with code 20404: the account has no such sid."""

    default_advice = "Check the sid and the account it belongs to."


class TooManyRequests(TwilioRefused):
    """HTTP 429: too many simultaneous requests. Twilio did not process this one (Twilio docs: api/errors/20429)."""

    default_advice = "Run the same command again in a minute, with less in parallel (`--parallel 4`)."


class TwilioUnreachable(CallerIdError):
    """No connection to Twilio could be made, so the request was not sent."""

    def __init__(self, action: str, why: str) -> None:
        super().__init__(
            f"Could not reach Twilio to {action}: {one_line(why)}.",
            "Check the network, HTTPS_PROXY, REQUESTS_CA_BUNDLE and twilio:apiUrl (if set), then run the same command"
            " again.",
        )


class AnswerLost(CallerIdError):
    """The request was sent, but no usable answer came back, so nobody knows whether Twilio acted on it."""

    def __init__(self, action: str, why: str, todo: str = "Run the same command again.") -> None:
        super().__init__(f"Twilio was asked to {action}, and gave no usable answer: {one_line(why)}.", todo)


class AlreadyVerified(CallerIdError):
    """The number is already an OutgoingCallerId of the account, or managed by another resource."""


class DeclaredTwice(CallerIdError):
    """Another resource of the stack declares the same number in the same account. No phone call was placed.

    number: the number, formatted for people. other: the name of the other resource.
    """

    def __init__(self, number: str, other: str) -> None:
        super().__init__(
            f"{number} is declared twice: {other!r} in this stack declares it too, in the same account.",
            "Declare each number once. No call was placed for this resource.",
        )
        self.other = other


class OwnershipUnknown(CallerIdError):
    """The notes that say which resource owns which caller ID can't be written or read (see `ownership_notes`).

    Without them, one provider process could delete a caller ID that another has just adopted.
    folder: the folder of the notes. why: the reason why it can't be used.
    """

    def __init__(self, folder: str, why: str) -> None:
        super().__init__(
            f"The notes in folder {one_line(folder)} can't be used ({one_line(why)})."
            " They say which resource manages which number, so nothing was changed at Twilio.",
            "Correct the folder, or set PULUMI_HOME to another folder. Then run the same command again.",
        )


class ImportMismatch(CallerIdError):
    """The OutgoingCallerId that `import_` names does not exist, or differs from the program's declaration."""


class NotVerified(CallerIdError):
    """A validation call was placed, but the number did not become an OutgoingCallerId."""


class NotKeyedIn(NotVerified):
    """Nobody keyed in the right code in time. Another call may succeed, with somebody at the phone."""


class Awaiting(CallerIdError):
    """The number awaits the next `pulumi up`, because nobody keyed in the code.

    Pulumi shows "create awaiting", deploys the rest of the stack, and exits with 10. See `await_protocol`.
    """


class Interrupted(CallerIdError):
    """The operation ended (^C, `pulumi cancel`, a dead engine) during a phone call, or before a request was sent."""


class Gone(CallerIdError):
    """The OutgoingCallerId no longer exists at Twilio, or another resource deletes it in the same command."""


class AccountUnreadable(CallerIdError):
    """Twilio has no such sid (404 and 20404), but its account's caller IDs can't be listed.

    Twilio may answer 404 for everything in an account that the credentials don't reach. So the caller ID may exist.
    why: the error of the listing. source: the source of the credentials, as `Settings.credentials_source` names it.
    """

    def __init__(self, sid: str, account_sid: str, why: str, source: str) -> None:
        super().__init__(
            f"Caller ID {sid} may be gone, but that is not certain, so it stays in the state. Twilio has no such sid"
            f" (20404), but the caller IDs of account {account_sid} can't be listed: {why}",
            f"Check that the credentials reach account {account_sid}. They come from {source}.\n"
            "Then run the same command again.",
        )


ADVICE_SERVER_ERROR = "Twilio is in trouble, see https://status.twilio.com; run the same command again in a while."
ADVICE_NO_CODE = "The answer has no Twilio code; it may be a proxy's: check HTTPS_PROXY and twilio:apiUrl (if set)."
_CHECK_NUMBER = "Check the number: country code and all digits, and that it is a line that can be called."

# What to do, by Twilio's code. Codes other than 20003 (bad credentials), 20404 (no such sid) and 21450 (verified
# already) affect only this advice.
ADVICE = {
    **dict.fromkeys((10001, 20005), "The account is not active; see its status in the Twilio Console."),
    **dict.fromkeys((13224, 21211, 21217, 21401), _CHECK_NUMBER),
    **dict.fromkeys((13227, 21215), "Allow calls to this country: Twilio Console, Voice, Settings, Geo permissions."),
    20003: CredentialsRefused.default_advice,
    20008: "Test credentials can't verify caller IDs. Use live credentials, or twilio:apiUrl for a sandbox.",
    20429: TooManyRequests.default_advice,
    21216: "Twilio blocks calls to this number. US numbers need a Primary Customer Profile in the Console's Trust Hub.",
    21449: (
        "The account owns this number, so it can be used as caller ID as it is.\nRemove the resource from the program."
    ),
    21453: "A trial account may verify at most 5 numbers, and one number may be verified in at most 3 accounts.",
    21454: "Set call_delay to a whole number of seconds from 0 to 60.",
    21456: "Set status_callback to a public, absolute http or https URL of at most 1,000 characters.",
    70051: "The API key is restricted: give it the permissions for Outgoing Caller IDs and Calls, or use another key.",
}
