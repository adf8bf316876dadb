"""One request to a StatusCallback, as Twilio makes it when a verification call ends: fields, address, signature.

Nothing is sent here; `callbacks.py` does that. Sources: Twilio docs: voice/api/outgoing-caller-ids (VerificationStatus,
OutgoingCallerIdSid), voice/api/call-resource (the rest of the fields), usage/security (the signature).
"""

from __future__ import annotations

import base64
import hmac
import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from . import wire
from .calls import Call, timeline


@dataclass(frozen=True)
class Webhook:
    """A request to a public address. `url` is the whole of it: for GET with the fields in its query."""

    url: str
    method: str
    fields: Mapping[str, str]

    @classmethod
    def to(cls, address: str, method: str, fields: Mapping[str, str]) -> Webhook:
        """To an address as the account gave it. A login before an @ in it, and what follows a #, stay with Twilio: they
        are for `connection.py`.
        """
        parts = urlsplit(address)
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{_ascii(parts.path) or '/'}"
        query = [_ascii(parts.query)] if parts.query else []
        if method == "GET" and fields:
            query.append(urlencode(fields))
        return cls("?".join([url, *(["&".join(query)] if query else [])]), method, fields)

    @property
    def host(self) -> str:
        """What the Host header says."""
        return urlsplit(self.url).netloc

    @property
    def body(self) -> bytes | None:
        """The form; None for GET."""
        return None if self.method == "GET" else urlencode(self.fields).encode()

    def signature(self, token: str) -> str:
        """The X-Twilio-Signature that an auth token makes."""
        return sign(self.url, {} if self.method == "GET" else self.fields, token)


def sign(url: str, params: Mapping[str, str], token: str, algorithm: str = "sha1") -> str:
    """base64(HMAC-SHA1(token, URL and each name and value, in the order of the names)). `params`: those of the form.

    Over https the port is left out, over http it is kept: so it is documented for voice.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.port is not None:
        url = url.replace(parts.netloc, parts.netloc.rpartition(":")[0], 1)
    text = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), algorithm)).decode()


def fields_of(call: Call) -> dict[str, str]:
    """What Twilio tells about a call that has ended. Fields that are empty are sent, and signed, like any other.

    VerificationStatus is documented for calls that were answered; that it is `failed` for the rest is a guess.
    """
    happened = timeline(call)
    fields = {
        "AccountSid": call.account_sid,
        "CallSid": call.sid,
        "To": call.to,
        "From": wire.CALLS_FROM,
        "Called": call.to,
        "Caller": wire.CALLS_FROM,
        "CallStatus": happened.end_status,
        "Direction": "outbound-api",
        "ApiVersion": "2010-04-01",
        **_place("To", call.to),
        **_place("From", wire.CALLS_FROM),
        **_place("Called", call.to),
        **_place("Caller", wire.CALLS_FROM),
        "Timestamp": wire.rfc2822(happened.ended),
        "SequenceNumber": "0",
        "CallbackSource": "call-progress-events",
        "VerificationStatus": "failed" if call.promised_sid is None else "success",
    }
    if happened.end_status == "completed":
        seconds = round(happened.ended - (happened.answered or happened.ended))
        fields |= {"CallDuration": str(seconds), "Duration": str(math.ceil(seconds / 60))}
    if call.promised_sid is not None:
        fields["OutgoingCallerIdSid"] = call.promised_sid
    return fields


def read_deliver_to(given: Mapping[str, str]) -> dict[str, str]:
    """Public base URL -> the one where requests to it go; `ValueError` for what is no base URL."""
    return {_base(public): _base(local) for public, local in given.items()}


def delivered_to(url: str, deliver_to: Mapping[str, str]) -> str:
    """Where a request to a public URL really goes: the longest base that fits decides, without one the URL itself."""
    for public in sorted(deliver_to, key=len, reverse=True):
        rest = url.removeprefix(public)
        if url.startswith(public) and rest[:1] in ("", "/", "?"):  # not hooks.example.com for hooks.example.co
            return deliver_to[public] + rest
    return url


def _base(given: str) -> str:
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port  # both raise for nonsense
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or any(character in given for character in "?#@ "):
        raise ValueError(f"{given!r} is not a base URL such as https://hooks.example.com or http://127.0.0.1:8585")
    return given.rstrip("/")


def _place(name: str, number: str) -> dict[str, str]:
    # City, state and zip are empty as a rule, and always for numbers from elsewhere.
    import phonenumbers  # its tables take a while to load

    country = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    return {f"{name}City": "", f"{name}State": "", f"{name}Zip": "", f"{name}Country": country}


def _ascii(text: str) -> str:
    """What cannot stand in a request line is percent-encoded; all else, also what is encoded already, stays."""
    return quote(text, safe=string.punctuation)
