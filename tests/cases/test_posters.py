"""Every poster is the picture that a viewer shows; a refusal has the same words in each run.

The files of data/posters failed when the project was tried from outside.
"""

import struct
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from trailers12k.common.errors import Failure
from trailers12k.common.movie import Movie
from trailers12k.downloads.posters import PosterFetcher
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.features import extraction
from trailers12k.jobs.runner import StopSignal
from trailers12k.video.image_file import read_image

POSTERS = Path(__file__).parent / "data" / "posters"
HEIGHT, WIDTH = 90, 60
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
RGB = np.stack([COLUMNS * 4, ROWS * 2, 255 - COLUMNS * 4], -1).astype(np.uint8)


def file_of(image: Image.Image, kind: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data: bytes) -> np.ndarray:
    image = read_image(data)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def close(image: np.ndarray, expected: np.ndarray, tolerance: float = 1.0) -> bool:
    return image.shape == expected.shape and bool(np.abs(image - expected).mean() < tolerance)


def fetched(name: str, folder: Path) -> np.ndarray:
    """The poster as `download_posters` stores it."""
    movie = Movie("tt0000001", "A", "2000", ("drama",), "", "", str(POSTERS / name))
    settings = DownloadSettings(max_megabytes=1, retries=0, timeout=5, retry_pause=0, pause={})
    row = PosterFetcher(folder, settings, StopSignal()).fetch(movie)
    with Image.open(row["file"]) as image:
        assert (image.mode, image.size) == ("RGB", (row["width"], row["height"]))
        return np.asarray(image).astype(int)


@pytest.mark.parametrize("name", ["grey16.png", "grey16.tif"])
def test_the_case_of_sixteen_bits_is_a_ramp(name, tmp_path):
    column = fetched(name, tmp_path)[:, 30]
    expected = np.linspace(0, 255, HEIGHT)
    assert np.abs(column - expected[:, None]).max() < 4


def test_the_case_of_alpha_is_white_below(tmp_path):
    image = fetched("alpha.png", tmp_path)
    assert image[60:].min() > 245 and close(image[:40], RGB[:40], 4)


def test_the_case_of_exif_is_turned(tmp_path):
    assert close(fetched("exif6.jpg", tmp_path), np.rot90(RGB, -1), 4)


def test_the_case_of_svg_has_the_same_words_in_each_run(tmp_path):
    details = set()
    for _ in range(2):
        with pytest.raises(Failure) as caught:
            fetched("a.svg", tmp_path)
        assert caught.value.reason == "not_image"
        details.add(caught.value.detail)
    assert len(details) == 1 and "0x" not in details.pop()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_and_mirrors(orientation, kind):
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    turned = {
        1: RGB,
        2: np.fliplr(RGB),
        3: np.rot90(RGB, 2),
        4: np.flipud(RGB),
        5: RGB.swapaxes(0, 1),
        6: np.rot90(RGB, -1),
        7: np.rot90(RGB, 2).swapaxes(0, 1),
        8: np.rot90(RGB),
    }
    data = file_of(image, kind, exif=exif, **options)
    assert close(read(data), turned[orientation], 4)


def test_damaged_exif_data_is_ignored():
    data = file_of(Image.fromarray(RGB), "PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert close(read(data), RGB)


def rgba() -> np.ndarray:
    """Transparent red below row 45, half transparent from column 30 on above."""
    values = np.dstack([RGB, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    values[:45, 30:, 3] = 128
    values[45:] = 255, 0, 0, 0
    return values


def over_white(values: np.ndarray) -> np.ndarray:
    alpha = values[..., -1:] / 255
    return values[..., :-1] * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparent_pixels_are_white(kind):
    options = {"WEBP": {"lossless": True, "exact": True}}.get(kind, {})
    image = read(file_of(Image.fromarray(rgba()), kind, **options))
    assert close(image, over_white(rgba()), 4)


def test_grey_with_alpha_is_over_white():
    values = np.dstack([ROWS * 2, np.where(COLUMNS < 30, 255, 0)]).astype(np.uint8)
    image = read(file_of(Image.fromarray(values, "LA"), "PNG"))
    assert close(image, np.repeat(over_white(values), 3, 2))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_palette_with_transparency_is_over_white(kind):
    image = Image.fromarray(RGB).quantize(64)
    hidden = image.getpixel((0, 0))
    expected = np.array(image.convert("RGB"))
    expected[np.asarray(image) == hidden] = 255
    assert close(read(file_of(image, kind, transparency=hidden)), expected)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I;16"])
def test_a_transparent_colour_is_white(mode):
    """The chunk tRNS of PNG: one colour is transparent."""
    grey = np.where(ROWS < 45, 40, 200).astype(np.uint8)
    image = Image.fromarray(grey)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    image = image.convert(mode, dither=Image.Dither.NONE) if mode != "I;16" else image
    colour = {"1": 0, "L": 40, "RGB": (40, 40, 40), "I;16": 40 * 257}[mode]
    values = read(file_of(image, "PNG", transparency=colour))
    assert values[:45].min() == 255 and values[45:, :].max() == (255 if mode == "1" else 200)


RANGES = {
    "16 bits": (np.uint16, 65535, 255),
    "16 bits, dark": (np.uint16, 16384, 64),
    "32 bits of 8": (np.int32, 255, 255),
    "32 bits of 16": (np.int32, 65535, 255),
    "32 bits": (np.int32, 2**30, 255),
    "float to 1": (np.float32, 1, 255),
    "float to a half": (np.float32, 0.5, 128),
    "float to 255": (np.float32, 255, 255),
    "float to 65535": (np.float32, 65535, 255),
    "float to 1e6": (np.float32, 1e6, 255),
}


@pytest.mark.parametrize("name", RANGES)
def test_grey_of_more_bits_is_shown_by_its_range(name):
    kind, highest, shown = RANGES[name]
    values = np.linspace(0, highest, HEIGHT)[:, None] * np.ones(WIDTH)
    image = read(file_of(Image.fromarray(values.astype(kind)), "TIFF"))
    expected = np.linspace(0, shown, HEIGHT)[:, None, None] * np.ones((1, WIDTH, 3))
    assert np.abs(image - expected).max() <= 1.5


def test_negative_values_are_black_and_infinite_ones_refused():
    values = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None] * np.ones(WIDTH, np.float32)
    assert read(file_of(Image.fromarray(values), "TIFF"))[:40].max() == 0
    for value in (np.inf, -np.inf, np.nan):
        values[0, 0] = value
        with pytest.raises(Failure, match="not_image: values that are not finite"):
            read(file_of(Image.fromarray(values), "TIFF"))


def tiff(values: np.ndarray, photometric: int) -> bytes:
    """An uncompressed grey TIFF, little-endian. photometric: 0 if white is 0, 1 if black is."""
    data, sample = values.tobytes(), {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    tags = {256: WIDTH, 257: HEIGHT, 258: 8 * values.itemsize, 259: 1, 262: photometric, 273: 8,
            277: 1, 278: HEIGHT, 279: len(data), 339: sample}  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(
    ("kind", "highest", "white_is_zero"),
    [
        *[(*each, white) for each in (("u1", 255), ("<u2", 65535), ("<f4", 1))
          for white in (False, True)],
        *[("<u4", 65535, False), ("<u4", 2**32 - 1, False), ("<i4", 2**31 - 1, False)],
    ],
)  # fmt: skip
def test_a_tiff_of_every_kind_of_numbers_is_a_ramp(kind, highest, white_is_zero):
    values = (np.linspace(0, highest, HEIGHT)[:, None] * np.ones(WIDTH)).astype(kind)
    column = read(tiff(values, 1 - white_is_zero))[:, 0, 0]
    expected = np.linspace(0, 255, HEIGHT)
    assert np.abs(column - (expected[::-1] if white_is_zero else expected)).max() <= 1.5


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted(kind):
    image = Image.fromarray(RGB).convert("CMYK")
    options = {"quality": 95} if kind == "JPEG" else {}
    assert close(read(file_of(image, kind, **options)), RGB, 4)


def test_lab_is_converted():
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    image = ImageCms.profileToProfile(Image.fromarray(RGB), srgb, lab, outputMode="LAB")
    assert close(read(file_of(image, "TIFF")), RGB, 4)


def swapped_profile() -> bytes:
    """The profile of sRGB with red and green exchanged, under another name."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = (data.index(tag, 128) + 4 for tag in (b"rXYZ", b"gXYZ"))
    data[red : red + 8], data[green : green + 8] = data[green : green + 8], data[red : red + 8]
    return bytes(data).replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_colours_follow_the_icc_profile(kind):
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    data = file_of(Image.fromarray(RGB), kind, icc_profile=swapped_profile(), **options)
    assert close(read(data), RGB[..., [1, 0, 2]], 4)
    with_alpha = Image.fromarray(np.dstack([RGB, np.full((HEIGHT, WIDTH), 255, np.uint8)]))
    if kind != "JPEG":
        data = file_of(with_alpha, kind, icc_profile=swapped_profile(), **options)
        assert close(read(data), RGB[..., [1, 0, 2]], 4)


@pytest.mark.parametrize("profile", [b"garbage", swapped_profile()[:200]])
def test_a_damaged_profile_is_ignored(profile):
    assert close(read(file_of(Image.fromarray(RGB), "PNG", icc_profile=profile)), RGB)
    grey = Image.fromarray(RGB[..., 1])
    data = file_of(grey, "PNG", icc_profile=swapped_profile())  # of another mode
    assert close(read(data), np.repeat(RGB[..., 1:2], 3, 2))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_shown(kind):
    frames = [Image.fromarray(np.full((HEIGHT, WIDTH, 3), level, np.uint8)) for level in (60, 200)]
    data = file_of(frames[0], kind, save_all=True, append_images=frames[1:])
    assert close(read(data), np.full((HEIGHT, WIDTH, 3), 60), 3)


@pytest.mark.parametrize("kind", ["EPS", "AVIF", "JPEG2000", "ICO", "TGA", "PDF", "PPM"])
def test_other_formats_are_refused(kind):
    """Pillow gives EPS to Ghostscript, if the machine has it."""
    with pytest.raises(Failure, match="not_image: none of JPEG, PNG"):
        read_image(file_of(Image.fromarray(RGB), kind))


def test_a_file_of_a_camera_with_several_pictures_is_read():
    """A stereo camera's MPO, and the JPEG of a phone with a picture of the depth behind it."""
    frames = [Image.fromarray(RGB), Image.fromarray(RGB // 2)]
    data = file_of(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert Image.open(BytesIO(data)).format == "MPO"
    assert close(read(data), RGB, 4)
    assert close(read(file_of(frames[0], "JPEG") + file_of(frames[1], "JPEG")), RGB, 4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_limit_of_pixels_is_exact(kind):
    data = file_of(Image.new("RGB", (100, 50)), kind)
    assert read_image(data, 0.005).size == (100, 50)
    with pytest.raises(Failure, match=r"too_large: 0.0 megapixels; posters.max_megapixels allows"):
        read_image(data, 0.0049)


@cache
def broken_files() -> dict[str, bytes]:
    noise = np.random.default_rng(0).integers(0, 255, (400, 300, 3), np.uint8)
    whole = {kind: file_of(Image.fromarray(noise), kind) for kind in ("JPEG", "PNG", "TIFF", "GIF")}
    return {
        "nothing": b"",
        "text": b"<html></html>",
        **{f"half of {kind}": data[: len(data) // 2] for kind, data in whole.items()},
        "bomb": file_of(Image.new("1", (20_000, 20_000)), "PNG"),
    }


@pytest.mark.parametrize("name", broken_files())
def test_reasons_have_no_addresses_and_no_paths(name, tmp_path):
    path = tmp_path / "broken.jpg"
    path.write_bytes(broken_files()[name])
    with pytest.raises(Failure) as caught:
        read_image(path.read_bytes())
    assert caught.value.reason == "not_image" and caught.value.detail
    assert "0x" not in caught.value.detail
    with pytest.raises(Failure) as caught:
        extraction.extract_poster(lambda pixels: pixels, path)
    assert caught.value.reason == "decode_failed"
    assert "0x" not in caught.value.detail and str(tmp_path) not in caught.value.detail


def test_features_read_what_the_download_stored(tmp_path):
    """The same function reads both; a poster that was put there by hand is turned as well."""
    path = POSTERS / "exif6.jpg"
    pixels = extraction.extract_poster(lambda values: values, path)
    assert np.array_equal(pixels[0, 0], np.asarray(read_image(path.read_bytes())))
