"""Arrays as pictures: 8 bits a channel, written as PNG."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from exptrack.errors import ExptrackError
from exptrack.tracking.values import describe

_CHANNELS = (1, 3, 4)
_GREATEST = 4.0  # of a float that may be meant from 0 to 1, and has left that a bit
_COLORS = {1: 0, 3: 2, 4: 6}  # types of PNG: grey, RGB, RGBA


def to_pixels(image: Any) -> Any:
    """An array of bytes, height x width x 1, 3 or 4. Channels are looked for last, of tensors of PyTorch first.

    Truth values are black and white; floats go from 0 to 1, whole numbers from 0 to 255; what lies outside is cut off, NaN is black.
    Raises ExptrackError if it is no image.
    """
    is_tensor = hasattr(image, "detach")
    array = _as_array(image)
    if array.ndim == 2:
        array = array[:, :, None]
    order = [(0, 1, 2), (1, 2, 0)]
    for axes in reversed(order) if is_tensor else order:
        if array.ndim == 3 and array.shape[axes[2]] in _CHANNELS and array.size:
            return _as_bytes(array.transpose(axes))
    raise ExptrackError(f"{describe(image)} is no image: give height x width, or that with 1, 3 or 4 channels")


def _as_array(image: Any) -> Any:
    if hasattr(image, "detach"):
        image = image.detach().cpu()
        image = image.float() if image.is_floating_point() else image
    if hasattr(image, "numpy"):
        image = image.numpy()
    if not hasattr(image, "__array__"):
        raise ExptrackError(f"{describe(image)} is no image: give an image of Pillow, or an array")
    array = image.__array__()
    if array.dtype.kind not in "bufi":
        raise ExptrackError(f"an array of {array.dtype} is no image: give numbers")
    return array


def _as_bytes(array: Any) -> Any:
    kind = array.dtype.kind
    if kind == "b":
        return array.astype("uint8") * 255
    if kind == "f":
        array = array.astype("float64")
        array[array != array] = 0  # noqa: PLR0124 - NaN
        if array.max() > _GREATEST:
            raise ExptrackError(f"its floats go up to {array.max():g}: give them from 0 to 1, or whole numbers")
        array = array.clip(0, 1) * 255 + 0.5
    return array.clip(0, 255).astype("uint8")


def encode_png(pixels: Any) -> bytes:
    """Bytes of height x width x channels as a PNG file; see https://www.w3.org/TR/png-3/."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLORS[channels], 0, 0, 0)
    data = pixels.tobytes()
    stride = width * channels
    # Each line begins with the number of its filter; 0 is none.
    lines = b"".join(b"\0" + data[start : start + stride] for start in range(0, len(data), stride))
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_format_chunk, *zip(*chunks, strict=True)))


def _format_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
