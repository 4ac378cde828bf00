"""Reads an image file as the RGB picture that a viewer shows.

Reads the bytes of one file. Must not know what the picture is used for.

A viewer turns a picture as its EXIF data says, shows transparent pixels over white, a page or
animation by its first frame, and colours by their ICC profile. Of a grey picture with more than
eight bits the range of its format is shown: 16 bits from 0 to 65535. Formats without a range of
their own (32 bits, floating point) have the smallest of 0 to 1 (floating point), 255 and 65535 that
holds all values, or else that of their highest value.
"""

import re
import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from trailers12k.common.errors import Failure

IMAGE_ERRORS = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    struct.error,
    Image.DecompressionBombError,
)
"""What Pillow raises for files that are not images, and for damaged ones."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""The formats that browsers and cameras write; MPO, a JPEG file with more pictures, counts as JPEG.
Pillow's other readers are less tried, and some call a program of the machine."""

MOST_SCANS = 100
"""Passes over the pixels of a JPEG file. Usual files have ten; one of some bytes takes as long as
any other."""

WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
"""Pillow's modes of grey pictures with more than eight bits."""

BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
"""Tags of TIFF 6.0."""
WHITE_IS_ZERO = 0
"""Value of the tag `PHOTOMETRIC`."""


def read_image(data: bytes, megapixels: float | None = None) -> Image.Image:
    """The picture of an image file, in mode RGB.

    megapixels: of the largest picture; None for those of which Pillow does not warn.
    Raises `Failure` with the reason `not_image`, or `too_large`; its detail depends on the bytes
    alone.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            # Before any pixel is decoded.
            _check_size(image, data, megapixels)
            # Before other steps, which would read the whole file without a limit of their own.
            image.load()
            profile = image.info.get("icc_profile")
            tags = dict(getattr(image, "tag_v2", {}))
            return _to_rgb(_opaque(_eight_bits(_upright(image), tags)), profile)
    except UnidentifiedImageError as error:
        raise Failure("not_image", f"none of {', '.join(FORMATS)}, or damaged") from error
    except IMAGE_ERRORS as error:
        raise Failure("not_image", _without_addresses(str(error))) from error


def _check_size(image: Image.Image, data: bytes, megapixels: float | None) -> None:
    """Raise `Failure` for a picture that takes too much memory or time to decode."""
    pixels = image.width * image.height
    if megapixels is not None and pixels > megapixels * 1e6:
        raise Failure(
            "too_large",
            f"{pixels / 1e6:.1f} megapixels; posters.max_megapixels allows {megapixels:g}",
        )
    # In the data of a picture, a zero follows each byte 255.
    if image.format in ("JPEG", "MPO") and (scans := data.count(b"\xff\xda")) > MOST_SCANS:
        raise Failure("too_large", f"{scans} scans; at most {MOST_SCANS}")


def _without_addresses(message: str) -> str:
    """A message that is the same in every run: without the address of an object in memory."""
    return re.sub(r"<[^<>]* at 0x[0-9a-fA-F]+>", "the file", message)[:200]


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except IMAGE_ERRORS:  # damaged EXIF data of an intact picture
        return image


def _eight_bits(image: Image.Image, tags: Mapping[int, Any]) -> Image.Image:
    """A picture with at most eight bits. tags: those of a TIFF file, else none.

    Raises `ValueError` for values that are not finite.
    """
    if image.mode not in WIDE:
        return image
    values = np.asarray(image.convert("F"))
    if image.mode == "I" and tags.get(BITS) == (32,) and tags.get(SAMPLE_FORMAT, (1,)) == (1,):
        # Pillow reads the bits of unsigned values as signed ones.
        values = np.asarray(image).view(np.uint32).astype(np.float32)
    highest = float(values.max())
    if not np.isfinite([values.min(), highest]).all():
        raise ValueError("values that are not finite")
    if image.mode.startswith("I;16"):
        top = 65535.0
    else:
        ranges = ([1.0] if image.mode == "F" else []) + [255.0, 65535.0]
        top = next((top for top in ranges if highest <= top), highest)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:  # Pillow heeds it up to eight bits
        values = top - values
    scaled = Image.fromarray(np.clip(values * (255 / top) + 0.5, 0, 255).astype(np.uint8))
    if "transparency" in image.info:
        scaled.info["transparency"] = round(image.info["transparency"] * 255 / top)
    return scaled


def _opaque(image: Image.Image) -> Image.Image:
    """An image over white, in mode L or RGB if it has transparent pixels."""
    if image.mode in ("La", "RGBa"):
        image = image.convert("LA" if image.mode == "La" else "RGBA")
    elif image.mode == "PA" or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode not in ("LA", "RGBA"):
        return image
    ground = Image.new(image.mode.removesuffix("A"), image.size, "white")
    ground.paste(image.convert(ground.mode), mask=image.getchannel("A"))
    return ground


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """By the ICC profile, if it is usable and not that of sRGB."""
    if image.mode in ("P", "1"):
        image = image.convert("RGB")
    if image.mode == "LAB":
        return _converted(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            if not ImageCms.getProfileDescription(source).startswith("sRGB"):
                return _converted(image, source)
        except (ImageCms.PyCMSError, *IMAGE_ERRORS):  # a damaged one, or for another mode
            pass
    return image.convert("RGB")


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    target = ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(image, profile, target, outputMode="RGB")
    if done is None:
        raise ValueError("its colours cannot be converted")
    return done
