"""Every picture is the one that a player shows: orientation, colours, transparency, stream."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc
from PIL import ExifTags, Image

from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.video import tone_mapping
from trailers12k.video.picture import Bars
from trailers12k.video.probe import probe
from trailers12k.video.reader import read_frames
from trailers12k.video.shots import detect_shots

DATA = Path(__file__).parent / "data"
HEIGHT, WIDTH = 72, 128


def shown(path: Path, at: float = 0.1, size: int | None = None) -> np.ndarray:
    """The picture at a time, by the decoder that the probe chooses."""
    return next(read_frames(path, probe(path).decoder, [at], size))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(np.subtract(a, b, dtype=np.float64)).mean())


def picture() -> np.ndarray:
    """Smooth, with four different corners."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([2 * columns, 3 * rows, 255 - columns], -1).astype(np.uint8)


def write(path: Path, frame: av.VideoFrame, codec: str, frames: int = 10, **options: str) -> Path:
    """A video that repeats one frame, with its pixel format and colours."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
        context = stream.codec_context
        for tag in ("colorspace", "color_range", "color_trc", "color_primaries"):
            setattr(context, tag, getattr(frame, tag))
        for i in range(frames):
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def packed(values: np.ndarray, pixels: str) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(values), format=pixels)


EXIF = [
    (1, lambda p: p),
    (2, np.fliplr),
    (5, lambda p: np.swapaxes(p, 0, 1)),
    (6, lambda p: np.rot90(p, -1)),
]
"""Orientations in EXIF's numbers."""

# a, b, c, d of the display matrix: x' = a x + c y, y' = b x + d y.
ORIENTATIONS = {
    "upright": ((1, 0, 0, 1), lambda p: p),
    "hflip": ((-1, 0, 0, 1), np.fliplr),
    "vflip": ((1, 0, 0, -1), np.flipud),
    "turned-180": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "anticlockwise": ((0, -1, 1, 0), np.rot90),
    "transposed": ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1)),
    "transposed-180": ((0, -1, -1, 0), lambda p: np.rot90(p, 2).swapaxes(0, 1)),
    "by-3-degrees": ((0.9986, 0.0523, -0.0523, 0.9986), lambda p: p),
    "by-45-degrees": ((0.7071, 0.7071, -0.7071, 0.7071), lambda p: p),
    "by-93-degrees": ((-0.0523, 0.9986, -0.9986, -0.0523), lambda p: np.rot90(p, -1)),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_a_display_matrix_turns_and_mirrors(name, tmp_path):
    matrix, turn = ORIENTATIONS[name]
    frame = packed(picture(), "rgb24").reformat(format="yuv420p")
    path = write(tmp_path / "turned.mp4", frame, "libx264", crf="1")
    plain = shown(path)
    assert difference(plain, picture()) < 4
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = (round(65536 * value) for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    video = probe(path)
    assert video.decoder == "pyav" or name == "upright"
    expected = turn(plain)
    assert (video.height, video.width) == expected.shape[:2]
    assert np.array_equal(shown(path), expected)
    half = shown(path, size=36)
    assert half.shape == (expected.shape[0] // 2, expected.shape[1] // 2, 3)


@pytest.mark.parametrize("ending", ["avi", "mkv", "mov"])
@pytest.mark.parametrize(("number", "turned"), EXIF)
def test_motion_jpeg_is_shown_as_its_exif_says(number, turned, ending, tmp_path):
    """EXIF is a newer type of side data than PyAV knows."""
    exif, data = Image.Exif(), io.BytesIO()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Orientation] = "A", number
    Image.fromarray(picture()).save(data, "JPEG", exif=exif.tobytes(), quality=95)
    path = tmp_path / f"a.{ending}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for i in range(10):
            packet = av.Packet(data.getvalue())
            packet.pts = packet.dts = i
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 30), stream, True
            output.mux(packet)
    expected = turned(picture())
    video = probe(path)
    assert (video.frames, video.height, video.width) == (10, *expected.shape[:2])
    assert difference(shown(path), expected) < 3


def test_one_bit_is_not_inverted(tmp_path):
    """decord shows 255 for 0."""
    squares = np.kron(np.indices((6, 8)).sum(0) % 2, np.ones((12, 16))).astype(np.uint8)
    squares[:12] = 1
    frame = packed(255 * squares, "gray").reformat(format="monob")
    path = write(tmp_path / "mono.avi", frame, "rawvideo")
    assert probe(path).decoder == "pyav"
    assert np.array_equal(shown(path), np.repeat(255 * squares[..., None], 3, 2))


def grey(span: ColorRange, low: int, high: int) -> av.VideoFrame:
    frame = packed(np.tile(np.linspace(low, high, WIDTH).astype(np.uint8), (HEIGHT, 1)), "gray")
    frame.color_range = span
    return frame


@pytest.mark.parametrize(
    ("span", "low", "high"), [(ColorRange.MPEG, 16, 235), (ColorRange.JPEG, 0, 255)]
)
def test_grey_has_the_range_that_the_file_says(span, low, high, tmp_path):
    path = write(tmp_path / "grey.mp4", grey(span, low, high), "libx264", crf="1")
    row = shown(path)[36, :, 0].astype(int)
    assert row[0] < 4 and row[-1] > 251 and abs(row[64] - 128) < 4


@pytest.mark.parametrize("codec", ["png", "qtrle", "prores_ks", "ffv1"])
def test_transparent_pixels_are_black(codec, tmp_path):
    """Below them is red, which no player shows."""
    rgba = np.dstack([picture(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    rgba[:, :32] = 255, 0, 0, 0
    rgba[:, 96:, 3] = 128
    pixels = {"png": "rgba", "qtrle": "argb", "prores_ks": "yuva444p10le", "ffv1": "bgra"}[codec]
    ending = "mkv" if codec == "ffv1" else "mov"
    frame = packed(rgba, "rgba").reformat(format=pixels)
    image = shown(write(tmp_path / f"alpha.{ending}", frame, codec)).astype(int)
    assert image[:, :28].max() < 8
    assert difference(image[:, 36:92], picture()[:, 36:92]) < 4
    assert difference(image[:, 100:], picture()[:, 100:] * (128 / 255)) < 4


def test_uncompressed_32_bit_rgb_without_alpha_is_not_black(tmp_path):
    bgra = np.dstack([picture()[..., ::-1], np.zeros((HEIGHT, WIDTH), np.uint8)])
    path = write(tmp_path / "raw.avi", packed(bgra, "bgra"), "rawvideo")
    assert difference(shown(path), picture()) < 1


@pytest.mark.parametrize("span", [ColorRange.MPEG, ColorRange.JPEG])
def test_ycgco_is_converted(span, tmp_path):
    """FFmpeg's scaler refuses this matrix."""
    red, green, blue = np.moveaxis(picture() / 255, -1, 0)
    y = red / 4 + green / 2 + blue / 4
    chroma = -red / 4 + green / 2 - blue / 4, red / 2 - blue / 2
    if span == ColorRange.MPEG:
        values = np.stack([16 + 219 * y, *(128 + 224 * part for part in chroma)])
    else:
        values = np.stack([255 * y, *(128 + 255 * part for part in chroma)])
    frame = packed(np.clip(np.round(values), 0, 255).astype(np.uint8), "yuv444p")
    frame.colorspace, frame.color_range = 8, span
    path = write(tmp_path / "ycgco.mp4", frame, "libx264", crf="1")
    assert difference(shown(path), picture()) < 3


@pytest.mark.parametrize("matrix", [10, 14])
def test_a_matrix_that_cannot_be_converted_is_no_failure(matrix, tmp_path):
    frame = packed(picture(), "rgb24").reformat(format="yuv420p", dst_colorspace=9)
    frame.colorspace = matrix
    path = write(tmp_path / "odd.mkv", frame, "libx264", crf="1")
    assert probe(path).decoder == "pyav"
    assert difference(shown(path), picture()) < 12


@pytest.mark.parametrize(
    "pixels", ["yuv420p10le", "yuv422p", "yuv444p12le", "bgr0", "gbrp10le", "rgb48le", "gray16le"]
)
def test_other_pixel_formats_are_shown_alike(pixels, tmp_path):
    frame = packed(picture(), "rgb24").reformat(format=pixels)
    path = write(tmp_path / "odd.mkv", frame, "ffv1")
    expected = picture()
    if pixels == "gray16le":
        expected = np.repeat((expected @ [0.299, 0.587, 0.114])[..., None], 3, 2)
    assert probe(path).decoder == "pyav"
    assert difference(shown(path), expected) < 3


def test_a_palette_is_shown(tmp_path):
    from PIL import Image

    image = Image.fromarray(picture()).quantize(64)
    frame = av.VideoFrame(WIDTH, HEIGHT, "pal8")
    indices = np.zeros((HEIGHT, frame.planes[0].line_size), np.uint8)
    indices[:, :WIDTH] = np.asarray(image)
    frame.planes[0].update(indices.tobytes())
    colours = np.zeros((256, 4), np.uint8)
    used = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    colours[: len(used), :3], colours[:, 3] = used[:, ::-1], 255
    frame.planes[1].update(colours.tobytes())
    path = write(tmp_path / "palette.mov", frame, "png")
    assert np.array_equal(shown(path), np.asarray(image.convert("RGB")))


def streams(path: Path, *kinds: tuple[str, tuple[int, int], int, bool]) -> Path:
    """A file of several streams: codec, (width, height), grey level, whether it is the default."""
    with av.open(str(path), "w") as output:
        made = []
        for codec, size, level, default in kinds:
            stream = output.add_stream(codec, rate=30)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.disposition = av.stream.Disposition.default if default else 0
            made.append((stream, np.full((size[1], size[0], 3), level, np.uint8)))
        for i in range(30):
            for stream, image in made:
                if stream.codec_context.name != "mjpeg" or i == 0:
                    frame = packed(image, "rgb24").reformat(format=stream.pix_fmt)
                    frame.pts = i
                    output.mux(stream.encode(frame))
        for stream, _ in made:
            output.mux(stream.encode(None))
    return path


SMALL, LARGE = (64, 36), (256, 144)


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
@pytest.mark.parametrize(
    ("kinds", "size"),
    [
        ([("libx264", SMALL, 80, True), ("libx264", LARGE, 160, True)], LARGE),
        ([("libx264", LARGE, 80, True), ("libx264", SMALL, 160, True)], LARGE),
        ([("libx264", LARGE, 80, False), ("libx264", SMALL, 160, True)], SMALL),
        ([("mjpeg", (512, 512), 80, True), ("libx264", SMALL, 160, False)], SMALL),
    ],
    ids=["larger-second", "larger-first", "default-second", "picture-first"],
)
def test_of_several_streams_players_choose_one(kinds, size, ending, tmp_path):
    path = streams(tmp_path / f"several.{ending}", *kinds)
    video = probe(path)
    assert (video.width, video.height, video.decoder) == (*size, "pyav")
    level = next(level for _, own, level, _ in kinds if own == size)
    assert abs(shown(path).mean() - level) < 4


def interlaced(path: Path, codec: str, frames: int = 12, **options: str) -> tuple[Path, np.ndarray]:
    """A white bar that moves by eight columns per field; the pictures of the first fields."""

    def progressive(field: int) -> np.ndarray:
        image = np.full((144, 256), 40, np.uint8)
        image[:, 8 * field : 8 * field + 24] = 220
        return image

    pictures = []
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options={"flags": "+ilme+ildct", **options})
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv420p"
        stream.bit_rate = 4_000_000
        for i in range(frames):
            woven = progressive(2 * i)
            pictures.append(np.repeat(woven[..., None].copy(), 3, 2))
            woven[1::2] = progressive(2 * i + 1)[1::2]
            frame = packed(np.repeat(woven[..., None], 3, 2), "rgb24").reformat(format="yuv420p")
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path, np.array(pictures)


def combing(image: np.ndarray) -> float:
    """Mean difference between neighbouring rows."""
    return float(np.abs(np.diff(image[..., 0].astype(int), axis=0)).mean())


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"x264-params": "tff=1"}),
        ("a.ts", "mpeg2video", {"g": "1"}),
        ("a.mkv", "mpeg2video", {"g": "6"}),
    ],
)
def test_interlaced_frames_are_deinterlaced_and_flagged(name, codec, options, tmp_path):
    path, pictures = interlaced(tmp_path / name, codec, **options)
    video = probe(path)
    assert video.flags == ("interlaced",) and video.decoder == "pyav" and video.frames == 12
    images = list(read_frames(path, video.decoder, np.arange(12) / 25))
    with av.open(str(path)) as container:
        woven = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.mean([combing(frame) for frame in woven]) > 5
    assert np.mean([combing(image) for image in images]) < 2
    # Each picture is that of its own time, the last one included.
    for i in range(1, 12):
        nearest = min(range(12), key=lambda j: difference(images[i], pictures[j]))
        assert nearest == i


def test_a_progressive_video_is_not_flagged(tmp_path):
    frame = packed(picture(), "rgb24").reformat(format="yuv420p")
    assert probe(write(tmp_path / "plain.mp4", frame, "libx264")).flags == ()


def inverse_pq(light: np.ndarray) -> np.ndarray:
    """cd/m2 -> code from 0 to 1 (SMPTE ST 2084)."""
    power = (light / 10000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def inverse_hlg(light: np.ndarray) -> np.ndarray:
    """cd/m2 of a display of 1000 cd/m2 -> code from 0 to 1 (BT.2100)."""
    display = light / 1000
    luminance = np.maximum(display @ tone_mapping.LUMINANCE, 1e-9)[..., None]
    scene = np.clip(display * luminance ** (1 / 1.2 - 1), 0, 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def photograph(name: str) -> np.ndarray:
    from sklearn.datasets import load_sample_image

    return np.ascontiguousarray(load_sample_image(name)[:426])


HDR = {
    "pq": (ColorTrc.SMPTE2084, inverse_pq),
    "hlg": (ColorTrc.ARIB_STD_B67, inverse_hlg),
}


def write_hdr(path: Path, rgb: np.ndarray, kind: str) -> Path:
    """The photograph as HDR in BT.2020, its white at 203 cd/m2."""
    transfer, inverse = HDR[kind]
    wide = np.linalg.inv(tone_mapping.COLOURS[ColorPrimaries.BT2020])
    light = tone_mapping.WHITE * ((rgb / 255) ** 2.4 @ wide.T)
    codes = np.round(65535 * inverse(light)).astype(np.uint16)
    frame = packed(codes, "rgb48le").reformat(format="yuv420p10le", dst_colorspace=9)
    frame.colorspace, frame.color_range, frame.color_trc = 9, ColorRange.MPEG, transfer
    frame.color_primaries = ColorPrimaries.BT2020
    return write(path, frame, "libx265", 3, **{"x265-params": "log-level=none:crf=10"})


def write_sdr(path: Path, rgb: np.ndarray) -> Path:
    frame = packed(rgb, "rgb24").reformat(format="yuv420p", dst_colorspace=1)
    frame.colorspace, frame.color_range = 1, ColorRange.MPEG
    return write(path, frame, "libx264", 3, crf="10")


@pytest.fixture(scope="module")
def lite0():
    """EfficientNet-Lite0 with its ImageNet weights: an image -> its features, of length 1."""
    spec = BackboneSpec("timm/tf_efficientnet_lite0", "package", "frames", precision="fp32")
    net = load(spec, 0)

    def features(image: np.ndarray) -> np.ndarray:
        centre = net.transform(torch.from_numpy(image[None])).numpy()
        values = net(centre[None])[0]
        return values / np.linalg.norm(values)

    return features


@pytest.mark.parametrize("kind", HDR)
def test_hdr_is_shown_as_the_same_picture_in_sdr(kind, lite0, tmp_path):
    """Untouched, the cosine is 0.93 (PQ) and 0.97 (HLG). White bends to 0.945 of the code."""
    for name in ("china.jpg", "flower.jpg"):
        rgb = photograph(name)
        sdr = shown(write_sdr(tmp_path / "sdr.mp4", rgb), 0.0)
        path = write_hdr(tmp_path / "hdr.mp4", rgb, kind)
        video = probe(path)
        assert video.flags == ("hdr",) and video.decoder == "pyav"
        image = shown(path, 0.0)
        assert difference(image, sdr) < 5
        assert lite0(image) @ lite0(sdr) > 0.99


def test_the_case_of_pq_has_the_spread_and_colours_of_sdr(lite0):
    """Its compression limits the cosine: JPEG at quality 75 of sdr.mp4 has 0.957; untouched it is
    0.86."""
    sdr, pq = DATA / "sdr.mp4", DATA / "pq.mp4"
    assert probe(pq).flags == ("hdr",) and probe(sdr).flags == ()
    for at in (0.0, 1.0):
        a, b = shown(pq, at), shown(sdr, at)
        assert abs(float(a.std()) - float(b.std())) < 6 and abs(a.mean() - b.mean()) < 3
        assert difference(a, b) < 8
        assert lite0(a) @ lite0(b) > 0.9


def test_wide_gamuts_in_sdr_are_converted(tmp_path):
    wide = np.linalg.inv(tone_mapping.COLOURS[ColorPrimaries.BT2020])
    codes = np.round(65535 * ((picture() / 255) ** 2.4 @ wide.T) ** (1 / 2.4)).astype(np.uint16)
    frame = packed(codes, "rgb48le").reformat(format="yuv444p10le", dst_colorspace=9)
    frame.colorspace, frame.color_primaries = 9, ColorPrimaries.BT2020
    frame.color_range = ColorRange.MPEG
    path = write(tmp_path / "wide.mp4", frame, "libx264", crf="1")
    assert difference(shown(path), picture()) < 3 and probe(path).flags == ()


def film(path: Path, bars: tuple[int, int, int, int], cards: int = 0) -> Path:
    """Four seconds of photographs that move, between bars of these pixels (top, bottom, left,
    right), after `cards` white frames without bars and a second of black."""
    top, bottom, left, right = bars
    photographs = [photograph(name)[33:393] for name in ("china.jpg", "flower.jpg")]
    height, width = 360 + top + bottom, 560 + left + right
    canvas = [np.full((height, width, 3), 255, np.uint8)] * cards
    canvas += [np.zeros((height, width, 3), np.uint8)] * 24
    for image in photographs:
        for i in range(48):
            frame = np.zeros((height, width, 3), np.uint8)
            frame[top : top + 360, left : left + 560] = image[:, i : i + 560]
            canvas.append(frame)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=24, options={"crf": "15"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i, image in enumerate(canvas):
            frame = packed(image, "rgb24")
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def bars_of(path: Path) -> Bars:
    video = probe(path)
    return detect_shots(path, video.decoder, video.duration, "adaptive", 6, 24).bars


BARS = {
    "none": (0, 0, 0, 0),
    "letterbox": (60, 60, 0, 0),
    "pillarbox": (0, 0, 80, 80),
    "vertical": (0, 0, 600, 600),
    "windowbox": (60, 60, 80, 80),
    "unequal": (20, 100, 0, 0),
}


@pytest.mark.parametrize("name", BARS)
def test_bars_are_measured(name, tmp_path):
    """To two pixels, with a white card of 6 % of the time that fill the frame."""
    top, bottom, left, right = BARS[name]
    bars = bars_of(film(tmp_path / "film.mp4", BARS[name], cards=6))
    height, width = 360 + top + bottom, 560 + left + right
    assert (bars.top * height, bars.bottom * height) == pytest.approx((top, bottom), abs=2)
    # The frames are measured at 90 pixels of the shorter side.
    tolerance = max(2, 0.25 * min(height, width) / 90)
    assert (bars.left * width, bars.right * width) == pytest.approx((left, right), abs=tolerance)


def test_a_video_that_fills_the_frame_for_a_while_has_no_bars(tmp_path):
    assert bars_of(film(tmp_path / "film.mp4", (60, 60, 0, 0), cards=30)) == Bars()


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> tuple[Path, Path, Bars]:
    """The same film with and without a letterbox, and the bars that are measured."""
    folder = tmp_path_factory.mktemp("films")
    with_bars = film(folder / "bars.mp4", BARS["letterbox"])
    return with_bars, film(folder / "film.mp4", BARS["none"]), bars_of(with_bars)


@pytest.mark.parametrize("decoder", ["decord", "pyav"])
def test_without_bars_the_features_are_those_of_the_film(decoder, lite0, films):
    """With them, the cosine is 0.87."""
    with_bars, without, bars = films
    times = [4.0]

    def features(path: Path, bars: Bars | None) -> np.ndarray:
        frames = list(read_frames(path, decoder, times, 256, bars))
        assert min(frames[0].shape[:2]) in (255, 256)
        return np.array([lite0(frame) for frame in frames])

    expected = features(without, None)
    assert (features(with_bars, bars) * expected).sum(1).mean() > 0.98
    assert (features(with_bars, None) * expected).sum(1).mean() < 0.95


def test_bars_are_those_of_the_picture_as_shown(tmp_path):
    """Of a film that is turned, the bars at the top of the file are shown on the right."""
    path = film(tmp_path / "film.mp4", (100, 20, 0, 0))
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    bars = bars_of(path)
    assert (bars.left, bars.right) == pytest.approx((20 / 480, 100 / 480), abs=0.01)
    for size in (None, 120):
        frame = next(read_frames(path, "pyav", [3.0], size, bars))
        assert frame.shape[1] / frame.shape[0] == pytest.approx(360 / 560, abs=0.02)
        assert frame[:, [0, -1]].mean() > 30
