"""Encodes the detail of a gRPC error that tells Pulumi: this resource awaits the next `pulumi up`.

The detail is a google.rpc.Status. It is encoded here, because the SDK's `status_pb2` and Google's define the same
message, and a process can load only one of them. Other dynamic providers in this process may need Google's.
Sources: ErrorResourceAwaitFailed in Pulumi's provider.proto; protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

METADATA_KEY = "grpc-status-details-bin"
AWAIT_FAILED = b"type.googleapis.com/pulumirpc.ErrorResourceAwaitFailed"
CODE_UNKNOWN = b"\x08\x02"
"""The field `code` of a Status. Its value is 2, gRPC's UNKNOWN, as in all errors of the SDK."""


def trailing_metadata(text: str) -> tuple[tuple[str, bytes], ...]:
    """Return the metadata that goes with an error of this text. ErrorResourceAwaitFailed has no fields to encode."""
    detail = _field(1, AWAIT_FAILED)  # a google.protobuf.Any: `type_url`, and no `value`
    return ((METADATA_KEY, CODE_UNKNOWN + _field(2, text.encode()) + _field(3, detail)),)


def _field(number: int, content: bytes) -> bytes:
    """Encode text, bytes or a message as a field: the field's number, the length in groups of 7 bits, the content."""
    length, groups = len(content), bytearray([number << 3 | 2])
    while length > 127:
        groups.append(length & 127 | 128)
        length >>= 7
    groups.append(length)
    return bytes(groups) + content
