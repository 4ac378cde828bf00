"""The sample: reproducible movies and bytes, detectable cuts, and the four broken movies."""

import json
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scenedetect import AdaptiveDetector, FrameTimecode

from trailers12k.common.errors import Failure
from trailers12k.common.files import read_csv, sha256_of
from trailers12k.common.movie import is_mid
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources import sample, sample_looks, sample_rendering, sample_sounds
from trailers12k.video.probe import probe
from trailers12k.video.sound_track import Listening, read_sound

SEED = 0
GOOD = 6


@pytest.fixture(scope="module")
def movies() -> list:
    """Six good movies and the four broken ones."""
    return sample.movies(GOOD, SEED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, movies) -> Path:
    """The ten movies, rendered, and truth.csv."""
    folder = tmp_path_factory.mktemp("sample")
    assert sample_rendering.render_shard(movies, folder, SEED, "code", folder / "truth.csv") == len(
        movies
    )
    return folder


def frames_of(path: Path, width: int, height: int, layout: str) -> list:
    with av.open(str(path)) as container:
        return [f.reformat(width, height, layout).to_ndarray() for f in container.decode(video=0)]


def test_every_movie_is_complete_and_sorted():
    made = sample.movies(40, SEED, "some/where")
    assert len(made) == 44
    assert [m.mid for m in made] == sorted({m.mid for m in made})
    assert [m.mid for m in made[40:]] == sorted(sample.BROKEN.values())
    assert len({m.title for m in sample.movies(500, SEED)}) == 504
    for movie in made:
        assert is_mid(movie.mid)
        assert 1990 <= int(movie.year) <= 2024
        assert movie.genres == tuple(g for g in GENRES if g in movie.genres) != ()
        assert movie.trailer_url == f"some/where/trailers/{movie.mid}.mp4"
        assert movie.poster_url == f"some/where/posters/{movie.mid}.jpg"
        assert movie.youtube_id == ""


def test_a_larger_sample_changes_no_movie():
    small, large = sample.movies(13, SEED), sample.movies(600, SEED)
    assert small[:13] == large[:13]
    assert small[13:] == large[600:] == sample.movies(0, SEED)
    assert sample.movies(13, SEED + 1) != small


def test_the_number_of_movies_has_a_limit():
    with pytest.raises(ValueError, match=r"sample\.movies"):
        sample.movies(900_000, SEED)


@pytest.mark.parametrize("seed", [0, 1, 2, 12, 42, 2024])
def test_forty_movies_have_the_published_shares_of_genres(seed):
    counts = Counter(genre for movie in sample.movies(40, seed)[:40] for genre in movie.genres)
    for genre in GENRES:
        assert counts[genre] >= 3
        assert counts[genre] / 40 == pytest.approx(sample.SHARES[genre], abs=0.08)


def test_the_movie_list_imports_neither_numpy_nor_a_video_library():
    code = (
        "import sys; from trailers12k.movies.sources import sample; sample.movies(40, 0);"
        "print([m for m in ('numpy', 'av', 'PIL', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_script_shows_every_genre_in_shots_without_gaps():
    clips = 0
    for movie in sample.movies(40, SEED):
        shots = sample_rendering.script_of(movie, SEED)
        assert shots[0].start == 0
        assert [s.end for s in shots[:-1]] == [s.start for s in shots[1:]]
        assert [s.transition == "start" for s in shots] == [True] + [False] * (len(shots) - 1)
        assert {take.genre for take in sample_rendering._takes(movie, SEED)} == set(movie.genres)
        if movie.mid == sample.SHORT:
            assert len(shots) == max(2, len(movie.genres))
        else:
            assert 3 <= len(shots) <= 6
            assert 3 < shots[-1].end < 6
        for shot in shots:
            frames = round((shot.end - shot.start) * 24)
            assert frames >= sample_rendering.SHORTEST
            clips += max(1, (frames + 12) // 24)
    assert 3.7 <= clips / 44 <= 4.3  # determines the duration of the sample's run


@pytest.mark.parametrize("genre", [*GENRES, sample.PLAIN])
def test_every_look_moves_and_varies(genre):
    x, y = sample_looks.grid(160, 90)
    one, later, other = (
        sample_looks.paint(genre, x, y, t, p)
        for t, p in ((0.0, (0.1, 0.2, 0.3, 0.4)), (0.5, (0.1, 0.2, 0.3, 0.4)), (0.0, (0.8,) * 4))
    )
    assert one.shape == (3, 90, 160)
    assert one.dtype == "float32"  # float64 takes twice as long
    assert -0.3 < one.min() < one.max() < 3
    assert abs(later - one).mean() > 0.001  # drama hardly moves
    assert abs(other - one).mean() > 0.01


@pytest.mark.parametrize("sound", [*GENRES, sample.PLAIN])
def test_every_sound_varies_and_is_as_loud_as_the_others(sound):
    one, again, other = (
        sample_sounds.play(sound, 22_050, p)
        for p in ((0.1, 0.2, 0.3, 0.4), (0.1, 0.2, 0.3, 0.4), (0.8,) * 4)
    )
    assert one.shape == (22_050,)
    assert one.dtype == "float32"
    assert (one == again).all()
    assert 0.06 < np.sqrt((one**2).mean()) < 0.12
    assert np.abs(one).max() < sample_sounds.PEAK
    assert np.abs(one[[0, -1]]).max() < 0.01
    assert abs(other - one).mean() > 0.01


def test_some_movies_tell_their_genres_only_in_the_picture_or_only_in_the_sound():
    movies = sample.movies(40, SEED)
    parts = Counter(sample.plain_parts(movie.mid) for movie in movies)
    assert parts == {(True, False): 4, (False, True): 4, (False, False): 36}
    for movie in movies:
        look, sound = sample.plain_parts(movie.mid)
        assert not (look or sound) or movie.mid not in {*sample.NO_SOUND, *sample.BROKEN.values()}
        for take in sample_rendering._takes(movie, SEED):
            assert take.look == (sample.PLAIN if look else take.genre)
            assert take.sound == (sample.PLAIN if sound else take.genre)


def test_the_sound_of_a_trailer_is_as_long_as_its_pictures(movies, folder):
    movie = movies[0]
    end = sample_rendering.script_of(movie, SEED)[-1].end
    track = sample_rendering._sound(movie, SEED)
    assert len(track) == pytest.approx(end * sample_sounds.RATE, abs=1)
    spans = {"whole": Listening(sample_sounds.RATE, ((0.0, end),))}
    ((_, heard),) = read_sound(folder / "trailers" / f"{movie.mid}.mp4", spans, end)
    # AAC keeps the waves but for some noise.
    assert np.corrcoef(track, heard[: len(track)])[0, 1] > 0.9


def test_movies_without_sound_have_one_of_three_faults(tmp_path):
    movies = {movie.mid: movie for movie in sample.movies(40, SEED)}
    assert {*sample.NO_SOUND.values()} == {"silent", "no_track", "damaged"}
    for mid, fault in [*sample.NO_SOUND.items()][:3]:
        sample_rendering.render(movies[mid], tmp_path, SEED)
        path = tmp_path / "trailers" / f"{mid}.mp4"
        with pytest.raises(Failure, match=f"no_sound: {fault}"):
            list(read_sound(path, {"it": Listening(16_000, ((0.0, 1.0),))}, 1.0))
        assert frames_of(path, 48, 27, "rgb24")
        # What the ledger of trailers says, which knows nothing of damaged sound.
        measured = probe(path).sound
        assert (measured is None, bool(measured and measured.silent)) == (
            fault == "no_track",
            fault == "silent",
        )


def test_a_trailer_follows_its_script(movies, folder):
    with av.open(str(folder / "trailers" / f"{movies[0].mid}.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (640, 360, 24)
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert [track.type for track in container.streams] == ["video", "audio"]
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([i / 24 for i in range(len(times))])
    assert len(times) == round(sample_rendering.script_of(movies[0], SEED)[-1].end * 24)


def test_the_same_seed_gives_the_same_bytes(movies, folder, tmp_path):
    sample_rendering.render(movies[1], tmp_path, SEED)
    for file in (f"trailers/{movies[1].mid}.mp4", f"posters/{movies[1].mid}.jpg"):
        assert sha256_of(tmp_path / file) == sha256_of(folder / file)
    assert not list(tmp_path.rglob("*.partial"))


def test_a_poster_is_an_image(movies, folder):
    with Image.open(folder / "posters" / f"{movies[0].mid}.jpg") as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (400, 600))
        assert len(set(image.resize((20, 30)).get_flattened_data())) > 20


def test_hard_cuts_are_detectable_without_false_positives(movies, folder):
    true = found = hits = 0
    for movie in movies[:GOOD]:
        detector, cuts = AdaptiveDetector(min_scene_len=6), []
        frames = frames_of(folder / "trailers" / f"{movie.mid}.mp4", 48, 27, "bgr24")
        for i, frame in enumerate(frames):
            cuts += detector.process_frame(FrameTimecode(i, 24.0), frame)
        shots = sample_rendering.script_of(movie, SEED)
        near = {
            kind: [round(s.start * 24) for s in shots if s.transition == kind]
            for kind in ("cut", "dissolve")
        }
        # Dissolves may or may not be detected.
        cuts = [c.frame_num for c in cuts]
        cuts = [c for c in cuts if not any(abs(c - d) <= 4 for d in near["dissolve"])]
        true += len(near["cut"])
        found += len(cuts)
        hits += sum(any(abs(c - cut) <= 1 for c in cuts) for cut in near["cut"])
    assert true > 10
    assert hits / true >= 0.9
    assert hits / found >= 0.9


def test_the_truncated_trailer_opens_claims_its_length_and_ends_early(movies, folder):
    mid = sample.BROKEN["truncated_trailer"]
    movie = next(m for m in movies if m.mid == mid)
    with av.open(str(folder / "trailers" / f"{mid}.mp4")) as container:
        frames = round(sample_rendering.script_of(movie, SEED)[-1].end * 24)
        assert container.streams.video[0].frames == frames
        decoded = 0
        with suppress(av.error.InvalidDataError):
            for _ in container.decode(video=0):
                decoded += 1
    assert 0 < decoded < frames
    with pytest.raises(Failure, match="truncated"):
        probe(folder / "trailers" / f"{mid}.mp4")


def test_the_other_broken_movies(folder):
    trailers, posters = folder / "trailers", folder / "posters"
    assert not (trailers / f"{sample.BROKEN['missing_trailer']}.mp4").exists()
    assert (trailers / f"{sample.BROKEN['text_trailer']}.mp4").read_text().startswith("<!DOCTYPE")
    assert frames_of(trailers / f"{sample.BROKEN['missing_poster']}.mp4", 48, 27, "rgb24")
    for kind, mid in sample.BROKEN.items():
        assert (posters / f"{mid}.jpg").exists() == (kind != "missing_poster")


def test_the_truth_lists_the_shots_of_decodable_trailers(movies, folder):
    rows = read_csv(folder / "truth.csv")
    assert list(rows[0]) == ["mid", "shot", "start", "end", "transition"]
    unwatchable = {mid for kind, mid in sample.BROKEN.items() if kind != "missing_poster"}
    assert [tuple(row.values()) for row in rows] == [
        (movie.mid, str(i), str(shot.start), str(shot.end), shot.transition)
        for movie in movies
        if movie.mid not in unwatchable
        for i, shot in enumerate(sample_rendering.script_of(movie, SEED))
    ]


def test_only_missing_and_changed_movies_are_rendered(movies, folder, tmp_path):
    """In a copy of the folder, made of hard links."""
    for kind in ("trailers", "posters", "truth"):
        (tmp_path / kind).mkdir()
        for file in (folder / kind).iterdir():
            (tmp_path / kind / file.name).hardlink_to(file)
    truth, some = tmp_path / "truth.csv", movies[:2] + movies[GOOD:]
    assert sample_rendering.render_shard(some, tmp_path, SEED, "code", truth) == 0
    before = truth.read_bytes()

    (tmp_path / "posters" / f"{movies[0].mid}.jpg").unlink()
    assert sample_rendering.render_shard(some[::-1], tmp_path, SEED, "code", truth) == 1
    assert truth.read_bytes() == before

    changed = replace(movies[0], genres=("comedy",))
    assert sample_rendering.render_shard([changed, *some[1:]], tmp_path, SEED, "code", truth) == 1
    record = json.loads((tmp_path / "truth" / f"{changed.mid}.json").read_text())
    assert len(record["shots"]) == len(sample_rendering.script_of(changed, SEED))

    for seed, code in ((SEED + 1, "code"), (SEED + 1, "other code")):
        assert sample_rendering.render_shard([changed], tmp_path, seed, code, truth) == 1
        assert sample_rendering.render_shard([changed], tmp_path, seed, code, truth) == 0
