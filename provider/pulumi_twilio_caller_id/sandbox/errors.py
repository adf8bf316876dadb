"""Twilio's refusals: an HTTP status, Twilio's own error code, and the JSON body they travel in.

Source: Twilio docs: api/errors and usage/twilios-response. Where Twilio's exact words or code for a case could not be
found, the comment says so; programs should look at `code`, not at the text.
"""

from __future__ import annotations

_MORE_INFO = "https://www.twilio.com/docs/errors/"

# What the API says when it has nothing more particular to say, by HTTP status.
_GENERAL: dict[int, tuple[int, str]] = {
    400: (20001, "Bad request"),
    401: (20003, "Authenticate"),
    403: (20008, "Resource not accessible with Test Account Credentials"),
    404: (20404, "The requested resource was not found"),
    405: (20004, "Method not allowed"),
    429: (20429, "Too Many Requests"),
    500: (20500, "An internal server error has occurred"),
    503: (20503, "Service is unavailable. Please try again"),
}


class TwilioError(Exception):
    """A request that Twilio refuses.

    `status` is the HTTP status, `code` Twilio's error code, `message` the text of the answer. Source: Twilio docs:
    api/errors.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    @property
    def body(self) -> dict[str, int | str]:
        """The JSON body of the answer: `code`, `message`, `more_info`, `status`."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"{_MORE_INFO}{self.code}",
            "status": self.status,
        }


def general(status: int, code: int | None = None, message: str | None = None) -> TwilioError:
    """The error for an HTTP status; `code` and `message` replace what Twilio usually says there."""
    usual_code, usual_message = _GENERAL.get(status, (status, f"HTTP {status}"))
    return TwilioError(status, usual_code if code is None else code, usual_message if message is None else message)


def authenticate() -> TwilioError:
    return general(401)


def not_found(uri: str) -> TwilioError:
    return general(404, message=f"The requested resource {uri} was not found")


def invalid_account_sid(sid: str) -> TwilioError:
    return TwilioError(400, 90002, f"AccountSid {sid} is invalid")


def invalid_phone_number(given: str) -> TwilioError:
    # Which of its codes for bad numbers (13224, 21401, 21211, 21217) this endpoint uses is not documented.
    return TwilioError(400, 13224, f"Twilio does not support calling this number or the number is invalid: {given!r}")


def already_verified() -> TwilioError:
    return TwilioError(400, 21450, "Phone number is already verified.")


def already_usable() -> TwilioError:
    return TwilioError(400, 21449, "Phone number belongs to this account already.")  # words unknown


def verified_in_other_accounts() -> TwilioError:
    # The code is the one Twilio documents for a number of another trial account; its words for the limit are unknown.
    return TwilioError(400, 21453, "Phone number is already validated on another account.")


def too_many_numbers(limit: int) -> TwilioError:
    # Which code Twilio gives where a trial account has its five numbers could not be found: 21453, its only one about
    # trial accounts and verified numbers, is a guess.
    return TwilioError(400, 21453, f"A trial account may verify at most {limit} numbers.")


def invalid_call_delay(given: str) -> TwilioError:
    return TwilioError(400, 21454, f"CallDelay must be an integer between 0 and 60: {given!r}")


def invalid_status_callback(reason: str) -> TwilioError:
    return TwilioError(400, 21456, f"StatusCallback is not a valid URL: {reason}")


def invalid_method(given: str) -> TwilioError:
    return TwilioError(400, 21403, f"Invalid Method: StatusCallbackMethod is GET or POST, not {given!r}")


def invalid_extension(given: str) -> TwilioError:
    # Which code Twilio gives for an Extension it cannot dial is unknown; 21401 is its general "Invalid Phone Number".
    return TwilioError(400, 21401, f"Extension is 1 to 32 of the characters 0-9 * # w, not {given!r}")


def invalid_parameter(text: str) -> TwilioError:
    # The code for a FriendlyName that is too long is unknown; 20001 is Twilio's general one for bad parameters.
    return TwilioError(400, 20001, text)


def invalid_page_token(given: str) -> TwilioError:
    return TwilioError(400, 21481, f"Invalid PageToken: {given!r}")
