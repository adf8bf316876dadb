"""Defines the errors of this package. Each says what happened and what to do.

CallerIdError
├── SettingsError           a setting of the account or the network is not valid; nothing was sent
│   └── CredentialsMissing  ... or no credentials are set
├── BadSid                  a text that was given as a sid is not one; nothing was sent
├── TwilioRefused           Twilio answered with an error
│   ├── CredentialsRefused  ... as the credentials are wrong (401, 20003)
│   ├── NotFound            ... as there is no such sid (404 and 20404, nothing less)
│   └── TooManyRequests     ... as too many requests run at once (429); Twilio did not process it
├── TwilioUnreachable       no connection could be made, so the request was not sent
├── AnswerLost              the request was sent, but no usable answer came back
├── AlreadyVerified         the number is a caller ID already; no call was placed
├── DeclaredTwice           another resource of the stack declares the same number; no call was placed
├── OwnershipUnknown        Pulumi can't note which resource owns which caller ID; nothing was changed
├── ImportMismatch          `import_` names a caller ID that the program does not declare; nothing was changed
├── NotVerified             a call was placed, but the number did not become a caller ID
├── Interrupted             somebody ended the operation, before a request or during a call
├── Gone                    somebody removed the caller ID at Twilio
└── AccountUnseen           a caller ID seems to be gone, but its account can't be listed; the state was kept

A person reads them in a terminal: first what happened and with which value, then, on a line of its own, what to do.
No error ever carries a credential.
"""

from __future__ import annotations

from typing import ClassVar

from .text import one_line, sanitize


class CallerIdError(Exception):
    """A failure that this package explains: `what` happened, and `todo`, what to do about it."""

    def __init__(self, what: str, todo: str) -> None:
        what, todo = sanitize(what), sanitize(todo)
        super().__init__(f"{what}\n{todo}")
        self.what = what
        self.todo = todo

    def advise(self, todo: str) -> None:
        """Replace what to do. Returns nothing, so that nobody raises an error from itself."""
        self.todo = sanitize(todo)
        self.args = (f"{self.what}\n{self.todo}",)


class SettingsError(CallerIdError):
    """A setting of the account or the network is not valid. It is raised before anything is sent."""


class CredentialsMissing(SettingsError):
    """No account is set, or no token or key for it."""


class BadSid(CallerIdError):
    """A text that was given as the sid of an OutgoingCallerId is not one."""

    def __init__(self, sid: str) -> None:
        super().__init__(
            f"{sid[:60]!r} is not the sid of an OutgoingCallerId: PN and 32 hexadecimal digits.",
            "Copy it from the Twilio Console (Phone Numbers, Verified Caller IDs) or from the API.",
        )


class TwilioRefused(CallerIdError):
    """Twilio answered a request with an error.

    step: what the request was to do, such as "verify +14155550101". status: of HTTP. code: Twilio's; 0 if it gave none.
    message: Twilio's. todo: replaces the advice for the code. retry_after: seconds that Twilio asked to wait; None if
    it did not. account_sid: the account of the request, which the error names.
    Source: Twilio docs, usage/requests-to-twilio and api/errors.
    """

    default_todo: ClassVar[str] = "See the code at https://www.twilio.com/docs/api/errors for what it means."

    def __init__(
        self,
        step: str,
        status: int,
        code: int = 0,
        message: str = "",
        *,
        todo: str | None = None,
        retry_after: float | None = None,
        account_sid: str = "",
    ) -> None:
        account = f"account {account_sid}" if account_sid and account_sid not in step else ""
        details = ", ".join(filter(None, [f"code {code}" if code else "", f"HTTP {status}", account]))
        reason = one_line(message).rstrip(".")
        verb = "failed" if status >= 500 else "refused"
        what = f"Twilio {verb} to {step}: {reason} ({details})." if reason else f"Twilio {verb} to {step} ({details})."
        advice = self.default_todo if code or type(self) is not TwilioRefused else NO_CODE
        super().__init__(what, todo or ADVICE.get(code) or (SERVER_ERROR if status >= 500 else advice))
        self.step = step
        self.status = status
        self.code = code
        self.retry_after = retry_after

    @property
    def transient(self) -> bool:
        """Whether the same request is likely to succeed a little later."""
        return self.status == 429 or self.status >= 500


class CredentialsRefused(TwilioRefused):
    """401 or 20003: a wrong pair of account and token, a deleted key, another region's key, or a suspended account."""

    default_todo = "Check that the auth token (or API key and secret) belongs to this account and is current."


class NotFound(TwilioRefused):
    """404 with code 20404: Twilio knows no such sid in this account."""

    default_todo = "Check the sid and the account it belongs to."


class TooManyRequests(TwilioRefused):
    """429: the account sent too many requests at once. Twilio did not process it (Twilio docs: api/errors/20429)."""

    default_todo = "Run the same command again in a minute, with less in parallel (`--parallel 4`)."


class TwilioUnreachable(CallerIdError):
    """No connection to Twilio could be made: the request was not sent."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(
            f"Could not reach Twilio to {step}: {one_line(why)}.",
            "Check the network, HTTPS_PROXY, REQUESTS_CA_BUNDLE and twilio:apiUrl (if set), then run the same command"
            " again.",
        )


class AnswerLost(CallerIdError):
    """The request was sent, but no usable answer came back, so nobody knows whether Twilio acted on it."""

    def __init__(self, step: str, why: str, todo: str = "Run the same command again.") -> None:
        super().__init__(f"Twilio was asked to {step}, and gave no usable answer: {one_line(why)}.", todo)


class AlreadyVerified(CallerIdError):
    """The number is an OutgoingCallerId of the account already, so there is nothing to verify."""


class DeclaredTwice(CallerIdError):
    """Another resource of the stack declares the same number in the same account. No call was placed for this one.

    number: as people write it. other: the name of the other resource.
    """

    def __init__(self, number: str, other: str) -> None:
        super().__init__(
            f"{number} is declared twice: {other!r} in this stack declares it too, in the same account.",
            "Declare each number once. No call was placed for this resource.",
        )
        self.other = other


class OwnershipUnknown(CallerIdError):
    """The plugin processes can't keep their notes on which resource owns which caller ID.

    Without these notes, one process might delete the caller ID that a resource of another process has just adopted.
    folder: where the notes belong. why: what is wrong with it.
    """

    def __init__(self, folder: str, why: str) -> None:
        super().__init__(
            f"Pulumi can't note which resource owns which caller ID: the folder {one_line(folder)} can't be used"
            f" ({one_line(why)}). Nothing was changed at Twilio.",
            "Correct that, or set PULUMI_HOME to another folder. Then run the same command again.",
        )


class ImportMismatch(CallerIdError):
    """The OutgoingCallerId that `import_` names does not exist, or is not the one that the program declares."""


class NotVerified(CallerIdError):
    """A validation call was placed, but the number did not become an OutgoingCallerId."""


class Interrupted(CallerIdError):
    """Somebody ended the operation (^C, `pulumi cancel`, a dead engine) during a call, or before a request was sent."""


class Gone(CallerIdError):
    """Somebody removed the OutgoingCallerId at Twilio, and not by Pulumi."""


class AccountUnseen(CallerIdError):
    """Twilio knows no such sid (404, 20404), and its account can't be listed.

    Twilio may answer 404 for everything in an account that the credentials don't reach. So the caller ID may exist.
    why: the error of the listing. source: where the credentials come from.
    """

    def __init__(self, sid: str, account_sid: str, why: str, source: str) -> None:
        super().__init__(
            f"Caller ID {sid} may be gone, but that is not certain, so it stays in the state. Twilio has no such sid"
            f" (20404), and account {account_sid} can't be listed: {why}",
            f"Check that the credentials reach account {account_sid}. They come from {source}.\n"
            "Then run the same command again.",
        )


SERVER_ERROR = "Twilio is in trouble, see https://status.twilio.com; run the same command again in a while."
NO_CODE = "The answer has no code of Twilio's, so it may be a proxy's: check HTTPS_PROXY and twilio:apiUrl (if set)."
_ACCOUNT = "The account is not active; see its status in the Twilio Console."
_COUNTRY = "Allow calls to this country: Twilio Console, Voice, Settings, Geo permissions."
_NUMBER = "Check the number: country code and all digits, and that it is a line that can be called."

# What to do about Twilio's codes. Twilio may split a code into several (changelog, 2024-07), so nothing else depends on
# them. The error of any other code shows Twilio's own text and a link.
ADVICE = {
    10001: _ACCOUNT,
    13224: _NUMBER,
    13227: _COUNTRY,
    20003: CredentialsRefused.default_todo,
    20005: _ACCOUNT,
    20008: "Test credentials can't verify caller IDs. Use the account's live credentials, or the local sandbox.",
    20429: TooManyRequests.default_todo,
    21211: _NUMBER,
    21215: _COUNTRY,
    21216: "Twilio blocks calls to this number. US numbers need a Primary Customer Profile in the Console's Trust Hub.",
    21217: _NUMBER,
    21401: _NUMBER,
    21449: (
        "The account owns this number, so it can be used as caller ID as it is.\nRemove the resource from the program."
    ),
    21453: "A trial account may verify at most 5 numbers, and one number may be verified in at most 3 accounts.",
    21454: "Set call_delay to a whole number of seconds from 0 to 60.",
    21456: "Set status_callback to a public, absolute http or https URL of at most 1,000 characters.",
    70051: "The API key is restricted: give it the permissions for Outgoing Caller IDs and Calls, or use another key.",
}
