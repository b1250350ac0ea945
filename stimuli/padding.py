"""Bytes at the end of a video file that every player skips."""

import struct

__all__ = ["LEAST_PADDING", "padding_header"]

# The larger of the two headers.
LEAST_PADDING = 9


def padding_header(suffix: str, size: int) -> bytes:
    """What stands before zeros so that both together are `size` bytes of padding, at least LEAST_PADDING.

    ".mp4": a `free` box (ISO/IEC 14496-12, 8.1.2). ".webm": a Void element (RFC 8794, 11.3.2) with its size in eight
    bytes; as a global element it may follow the segment.
    """
    if suffix == ".webm":
        return b"\xec" + (size - 9 | 1 << 56).to_bytes(8)
    return struct.pack(">I4s", size, b"free")
