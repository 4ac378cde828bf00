"""Each flag is raised by its own reason, and never by missing values."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trailers12k.review import flags, near_duplicates
from trailers12k.video import contact_sheets

GOOD = {
    **{"status": "ok", "stage": "", "reason": "", "year": "2010", "genres": "drama"},
    **{"trailer": "aaaaaaaaaaa", "duration": "140.5", "height": "360", "width": "640"},
    **{"fps": "24.000", "frames": "3372", "corrupt": "0", "shots": "60", "clips": "150"},
    **{"repeated": "0", "black": "0.080", "still": "0.050", "frozen": "3.50", "file_flags": ""},
    **{"sound": "ok", "loudness": "-14.2", "silence": "0.020", "speech": "0.410"},
}


def collection(**odd) -> pd.DataFrame:
    """Nine ordinary trailers, and tt0000009 with the values of `odd`."""
    rows = [
        GOOD
        | {"mid": f"tt000000{i}", "title": f"Film {i} of Many", "sha256": f"{i:064x}"}
        | {"video_title": f"Film {i} of Many (2010) Official Trailer"}
        for i in range(10)
    ]
    rows[9] |= odd
    return pd.DataFrame(rows)


def raised(trailers, embeddings=None, sheets=None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    table = flags.flag(trailers, embeddings or {}, sheets)
    for mid, flag, words, _ in table.itertuples(index=False):
        found.setdefault(mid, {})[flag] = words
    return found


def test_ordinary_trailers_have_no_flag():
    assert raised(collection()) == {}


@pytest.mark.parametrize(
    "odd, flag, words",
    [
        ({"duration": "31", "shots": "14"}, "duration", "31 s; the median is 140 s"),
        ({"duration": "400", "shots": "160"}, "duration", "400 s; the median is 140 s"),
        ({"video_title": "Other Thing - Trailer"}, "title", "“Other Thing - Trailer”"),
        (
            {"video_title": "Film 9 of Many (1968) Trailer"},
            "title",
            "“Film 9 of Many (1968) Trailer” names 1968",
        ),
        ({"black": "0.412"}, "black", "41% of the frames are black"),
        ({"frozen": "12.25"}, "frozen", "12.2 s of 140 s without any change"),
        ({"still": "0.930"}, "slideshow", "93% of the frames repeat an earlier one"),
        ({"frames": "140"}, "slideshow", "1.0 frames per second"),
        ({"height": "640", "width": "360"}, "aspect", "360x640"),
        ({"shots": "5"}, "few_shots", "5 shots in 140 s; 60 would be usual"),
        ({"shots": "1"}, "few_shots", "1 shot in 140 s; 60 would be usual"),
        ({"corrupt": "7"}, "corrupt", "7 of 3372 frames are damaged"),
        (
            {"file_flags": "picture_ends_early"},
            "unusual_file",
            "The sound or the subtitles outlast the picture.",
        ),
        (
            {"status": "failed", "stage": "trailers", "reason": "rate_limit", "sha256": ""},
            "lost",
            "trailers: rate limit",
        ),
        ({"sound": "no_track", "silence": ""}, "no_sound", "the file has no sound track"),
        ({"sound": "silent", "silence": ""}, "no_sound", "the sound track is silent"),
        ({"sound": "damaged", "silence": ""}, "no_sound", "the sound track is damaged"),
        ({"sound": "video_only", "silence": ""}, "no_sound", flags.NO_SOUND["video_only"]),
        ({"silence": "0.620"}, "mostly_silent", "62% is silent"),
        ({"sha256": f"{8:064x}"}, "duplicate", "the same file as tt0000008 Film 8 of Many"),
    ],
)
def test_a_flag_is_raised_with_words(odd, flag, words):
    found = raised(collection(**odd))
    found.pop("tt0000008", None)  # the other of two that are the same
    assert found == {"tt0000009": {flag: words}}


def test_missing_values_raise_no_flag():
    kept = ("mid", "title", "status", "stage", "reason")
    columns = [name for name in collection().columns if name not in kept]
    assert raised(collection(**dict.fromkeys(columns, ""))) == {}
    assert raised(collection().iloc[:0]) == {}


def test_a_collection_of_short_trailers_is_compared_with_itself():
    short = collection()
    short[["duration", "frames", "shots", "frozen"]] = ["4.1", "98", "4", "0.4"]
    assert raised(short) == {}
    short.loc[9, "frozen"] = "1.5"
    short.loc[8, "shots"] = "1"
    assert {mid: [*words] for mid, words in raised(short).items()} == {
        "tt0000008": ["few_shots"],
        "tt0000009": ["frozen"],
    }


def test_words_around_a_title_raise_no_flag():
    for video in (
        "FILM 9 OF MANY - Trailer",
        "Film Nine of Many: The Beginning of All Things (Official Trailer) HD",
        "Film 9 Of Many | Teaser [4K] 2010",
    ):
        assert raised(collection(video_title=video)) == {}, video
    assert "title" in raised(collection(title="The Fly", video_title="The Matrix"))["tt0000009"]
    assert raised(collection(title="!!!")) == {}


def picture(seed: int, size=(160, 90)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (5, 8, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def write_sheet(path, pictures) -> None:
    contact_sheets.write(path, [np.asarray(each) for each in pictures])


def nearest(pairs: dict[int, int], distance=1.0) -> pd.DataFrame:
    mids = [f"tt000000{i}" for i in range(10)]
    near = [f"tt000000{pairs.get(i, (i + 1) % 10)}" for i in range(10)]
    far = [distance if i in pairs else 10.0 for i in range(10)]
    return pd.DataFrame({"mid": mids, "nearest": near, "distance": far})


@pytest.fixture
def pictures(tmp_path):
    """Contact sheets of ten trailers with twelve different shots each."""
    for i in range(10):
        write_sheet(tmp_path / f"tt000000{i}.jpg", [picture(100 * i + j) for j in range(12)])
    return tmp_path


def twelve(**odd):
    return collection(**{"duration": "30", "shots": "12"} | odd).assign(
        duration="30", frames="720", shots=["12"] * 9 + [odd.get("shots", "12")], frozen="1"
    )


def test_a_copy_of_another_size_quality_and_start_is_found_by_its_shots(pictures):
    own = [picture(300 + j, (120, 90)) for j in range(3, 12)]
    write_sheet(pictures / "tt0000009.jpg", [*(picture(i, (120, 90)) for i in (1, 2)), *own])
    # It is the nearest in one store only, and close in none.
    embeddings = {"a": nearest({9: 3}, 11.0), "b": nearest({})}
    found = raised(twelve(shots="11"), embeddings, pictures)
    assert found == {
        "tt0000003": {
            "near_duplicate": "like tt0000009 Film 9 of Many: 9 of 11 shots are the same"
        },
        "tt0000009": {
            "near_duplicate": "like tt0000003 Film 3 of Many: 9 of 11 shots are the same"
        },
    }


def test_a_letterboxed_copy_is_found(pictures):
    boxed = []
    for j in range(12):
        cell = Image.new("RGB", (160, 90))
        cell.paste(picture(300 + j).resize((160, 68)), (0, 11))
        boxed.append(cell)
    write_sheet(pictures / "tt0000009.jpg", boxed)
    assert set(raised(twelve(), {"a": nearest({9: 3})}, pictures)) == {"tt0000003", "tt0000009"}


def test_trailers_with_different_shots_are_no_copies_however_close_their_features(pictures):
    assert raised(twelve(), {"a": nearest({9: 3, 3: 9}, 0.1)}, pictures) == {}


def test_common_black_frames_make_no_copy(pictures):
    black = [Image.new("RGB", (160, 90), (3, 3, 3))] * 8
    for i in (3, 9):
        write_sheet(pictures / f"tt000000{i}.jpg", black + [picture(100 * i + j) for j in range(4)])
    assert raised(twelve(), {"a": nearest({9: 3})}, pictures) == {}


def test_without_contact_sheets_the_distances_in_most_stores_decide(tmp_path):
    trailers = collection()
    close, far = nearest({9: 3}, 1.0), nearest({9: 3}, 9.0)
    assert raised(trailers, {"a": close, "b": far}, tmp_path) == {}
    found = raised(trailers, {"a": close, "b": close, "c": far}, None)
    words = "like tt0000003 Film 3 of Many: their feature distance is 10% of the median"
    assert found["tt0000009"] == {"near_duplicate": words} and set(found) == {
        "tt0000003",
        "tt0000009",
    }


def test_the_same_file_is_flagged_once(pictures):
    write_sheet(pictures / "tt0000009.jpg", [picture(300 + j) for j in range(12)])
    trailers = twelve(sha256=f"{3:064x}")
    found = raised(trailers, {"a": nearest({9: 3})}, pictures)
    assert {mid: [*words] for mid, words in found.items()} == {
        "tt0000003": ["duplicate"],
        "tt0000009": ["duplicate"],
    }


def test_a_flag_about_other_trailers_names_them_in_a_column(pictures):
    write_sheet(pictures / "tt0000009.jpg", [picture(300 + j) for j in range(12)])
    trailers = twelve()
    trailers["sha256"] = [f"{i % 8:064x}" for i in range(10)]
    table = flags.flag(trailers, {"a": nearest({9: 3})}, pictures)
    assert {(row.mid, row.flag): row.others for row in table.itertuples()} == {
        ("tt0000000", "duplicate"): "tt0000008",
        ("tt0000001", "duplicate"): "tt0000009",
        ("tt0000003", "near_duplicate"): "tt0000009",
        ("tt0000008", "duplicate"): "tt0000000",
        ("tt0000009", "duplicate"): "tt0000001",
        ("tt0000009", "near_duplicate"): "tt0000003",
    }


def test_a_damaged_sheet_counts_as_missing(tmp_path):
    (tmp_path / "tt0000003.jpg").write_bytes(b"no picture")
    assert near_duplicates.frames_of(tmp_path / "tt0000003.jpg", 3) is None
    assert near_duplicates.frames_of(tmp_path / "none.jpg", 3) is None


def test_a_collection_without_sound_flags_no_trailer_for_it_but_a_silent_one():
    trailers = collection(sound="silent").assign(silence="")
    trailers.loc[:8, "sound"] = "video_only"
    assert raised(trailers) == {"tt0000009": {"no_sound": "the sound track is silent"}}
