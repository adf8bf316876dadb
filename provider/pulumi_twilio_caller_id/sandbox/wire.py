"""How records look in the API's answers: addresses, bodies, and pages of a list.

Sources: Twilio docs: voice/api/outgoing-caller-ids, voice/api/call-resource, usage/twilios-response (paging), and
Twilio's OpenAPI description of api.v2010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlencode

from . import errors, rules
from .calls import Call, Timeline
from .store import CallerId

API = "/2010-04-01/Accounts"
CALLS_FROM = "+14157234000"  # Twilio docs: voice/api/verifying-caller-ids-scale
PAGE_SIZE = 50
PAGE_SIZE_LIMIT = 1000
_SUBRESOURCES = {
    "notifications": "Notifications",
    "recordings": "Recordings",
    "payments": "Payments",
    "events": "Events",
    "siprec": "Siprec",
    "streams": "Streams",
    "transcriptions": "Transcriptions",
    "user_defined_message_subscriptions": "UserDefinedMessageSubscriptions",
    "user_defined_messages": "UserDefinedMessages",
}


def account_uri(account_sid: str) -> str:
    return f"{API}/{account_sid}.json"


def caller_ids_uri(account_sid: str) -> str:
    return f"{API}/{account_sid}/OutgoingCallerIds.json"


def caller_id_uri(account_sid: str, sid: str) -> str:
    return f"{API}/{account_sid}/OutgoingCallerIds/{sid}.json"


def call_uri(account_sid: str, sid: str) -> str:
    return f"{API}/{account_sid}/Calls/{sid}.json"


def rfc2822(at: float) -> str:
    """A time as v2010 writes it: "Tue, 24 Nov 2026 10:00:00 +0000"."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC))


def validation_request(call: Call) -> dict[str, str]:
    """The answer to a validation request. It has no sid: there is no caller ID yet."""
    return {
        "account_sid": call.account_sid,
        "call_sid": call.sid,
        "friendly_name": call.friendly_name,
        "phone_number": call.to,
        "validation_code": call.validation_code,
    }


def account(account_sid: str, owner_account_sid: str, auth_token: str) -> dict[str, object]:
    """An account. When it was made is not known here."""
    return {
        "auth_token": auth_token,
        "date_created": None,
        "date_updated": None,
        "friendly_name": account_sid,
        "owner_account_sid": owner_account_sid,
        "sid": account_sid,
        "status": "active",
        "subresource_uris": {"outgoing_caller_ids": caller_ids_uri(account_sid)},
        "type": "Full",
        "uri": account_uri(account_sid),
    }


def caller_id(record: CallerId) -> dict[str, str]:
    return {
        "sid": record.sid,
        "date_created": rfc2822(record.created),
        "date_updated": rfc2822(record.updated),
        "friendly_name": record.friendly_name,
        "account_sid": record.account_sid,
        "phone_number": record.phone_number,
        "uri": caller_id_uri(record.account_sid, record.sid),
    }


def call(record: Call, timeline: Timeline, now: float) -> dict[str, object]:
    """A Call, as it stands. Duration and end are empty unless it completed, as Twilio's description has it."""
    status = timeline.status(now)
    completed = status == "completed"
    talked = timeline.ended - (timeline.answered or timeline.ended)
    dialed = timeline.ringing is not None and timeline.ringing <= now
    uri = call_uri(record.account_sid, record.sid)
    return {
        "sid": record.sid,
        "date_created": rfc2822(record.placed),
        "date_updated": rfc2822(timeline.last_change(now)),
        "parent_call_sid": None,
        "account_sid": record.account_sid,
        "to": record.to,
        "to_formatted": rules.formatted(record.to, abroad_e164=True),
        "from": CALLS_FROM,
        "from_formatted": rules.formatted(CALLS_FROM),
        # Described as the caller ID the call was placed from. A verification call comes from a number of Twilio's own;
        # what is given then is unknown. It is not the number that is being verified.
        "phone_number_sid": None,
        "status": status,
        "start_time": rfc2822(timeline.ringing) if dialed and timeline.ringing is not None else None,
        "end_time": rfc2822(timeline.ended) if completed else None,
        "duration": str(round(talked)) if completed else None,
        "price": None,
        "price_unit": "USD",
        "direction": "outbound-api",
        "answered_by": None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(round((record.waits + record.script.queued) * 1000)),
        "trunk_sid": None,
        "uri": uri,
        "subresource_uris": {name: f"{uri.removesuffix('.json')}/{path}.json" for name, path in _SUBRESOURCES.items()},
    }


@dataclass(frozen=True)
class Paging:
    """Which page is asked for. `page` is the client's own count: what comes is decided by the token alone.

    A token is "PA" and the sid after which the page begins, or "PB" and the sid before which it ends.
    """

    page: int = 0
    page_size: int = PAGE_SIZE
    token: str | None = None

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Paging:
        """From a query; PageSize over 1000 means 1000. `TwilioError` for what is no number (its code is unknown)."""
        page_size = _whole_number("PageSize", params.get("PageSize", str(PAGE_SIZE)), 1)
        return cls(
            page=_whole_number("Page", params.get("Page", "0"), 0),
            page_size=min(page_size, PAGE_SIZE_LIMIT),
            token=params.get("PageToken"),
        )


def page_of_caller_ids(
    account_sid: str, records: Sequence[CallerId], paging: Paging, filters: Mapping[str, str]
) -> dict[str, object]:
    """One page of a list. `records` are all that match the filters; 21481 for a token that fits none of them."""
    begin, end = _slice([record.sid for record in records], paging)
    shown = records[begin:end]

    def uri(page: int, token: str | None = None) -> str:
        query = {**filters, "PageSize": paging.page_size, "Page": page}
        if token is not None:
            query["PageToken"] = token
        return f"{caller_ids_uri(account_sid)}?{urlencode(query)}"

    start = paging.page * paging.page_size
    return {
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": uri(0),
        "next_page_uri": uri(paging.page + 1, f"PA{shown[-1].sid}") if shown and end < len(records) else None,
        "outgoing_caller_ids": [caller_id(record) for record in shown],
        "page": paging.page,
        "page_size": paging.page_size,
        "previous_page_uri": uri(max(paging.page - 1, 0), f"PB{shown[0].sid}") if shown and begin > 0 else None,
        "start": start,
        "uri": uri(paging.page, paging.token),
    }


def _slice(sids: list[str], paging: Paging) -> tuple[int, int]:
    if paging.token is None:
        return 0, paging.page_size
    kind, sid = paging.token[:2], paging.token[2:]
    if kind not in ("PA", "PB") or sid not in sids:
        raise errors.invalid_page_token(paging.token)
    if kind == "PB":
        end = sids.index(sid)
        return max(end - paging.page_size, 0), end
    begin = sids.index(sid) + 1
    return begin, begin + paging.page_size


def _whole_number(name: str, given: str, least: int) -> int:
    if not (given.isascii() and given.isdigit() and len(given) <= 18 and int(given) >= least):
        raise errors.invalid_parameter(f"{name} is a whole number, {least} or more, not {given!r}")
    return int(given)
