"""Addresses, formats and pauses of YouTube as people paste them and as the site serves them."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import typer
from snakemake.cli import parse_config
from typer.testing import CliRunner

from trailers12k.cli import predict
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.movie import Movie
from trailers12k.common.youtube import is_youtube, video_id
from trailers12k.downloads import pacing, trailers
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.trailers import TrailerFetcher
from trailers12k.downloads.youtube import Clients
from trailers12k.jobs.runner import StopSignal
from trailers12k.movies import curation, metadata
from trailers12k.movies.curation import Decision
from trailers12k.movies.sources import search, trailer_choices
from trailers12k.movies.sources.candidates import candidates_of
from trailers12k.movies.sources.collection import collect, movies_of
from trailers12k.review import page as review
from trailers12k.settings import load, plain
from trailers12k.versions.snapshots import snapshot
from trailers12k.workflow.download_plan import download_settings
from trailers12k.workflow.prediction_request import PredictionRequest

ID = "-bcdefghij_"
PAGE = f"https://www.youtube.com/watch?v={ID}"
FORMS = [
    PAGE,
    f"http://www.youtube.com/watch?v={ID}",
    f"https://youtube.com/watch?v={ID}",
    f"https://m.youtube.com/watch?v={ID}",
    f"https://music.youtube.com/watch?v={ID}&si=x",
    f"https://www.youtube.com/watch?v={ID}&t=5s",
    f"https://www.youtube.com/watch?list=PL123&v={ID}&index=3",
    f"https://www.youtube.com/watch?feature=youtu.be&v={ID}#t=10",
    f"https://www.youtube.com/watch?feature=share&amp;v={ID}",
    f"https://www.youtube.com/watch?v={ID}?t=5",
    f"https://www.youtube.com/watch/?v={ID}",
    f"https://www.youtube.com/watch/{ID}",
    f"https://www.youtube.com/watch_popup?v={ID}",
    f"https://www.youtube.com/?v={ID}",
    f"https://www.youtube.com:443/watch?v={ID}",
    f"https://www.youtube.com./watch?v={ID}",
    f"HTTPS://WWW.YOUTUBE.COM/watch?v={ID}",
    f"https://youtu.be/{ID}",
    f"http://youtu.be/{ID}/",
    f"https://youtu.be/{ID}?t=5",
    f"https://youtu.be/{ID}?si=abc&list=PL1",
    f"https://youtu.be/{ID}&feature=share",
    f"youtu.be/{ID}",
    f"www.youtube.com/watch?v={ID}",
    f"//www.youtube.com/embed/{ID}",
    f"https://www.youtube.com/shorts/{ID}",
    f"https://WWW.YouTube.com/shorts/{ID}/?feature=share",
    f"https://www.youtube.com/live/{ID}?si=x",
    f"https://www.youtube.com/embed/{ID}?autoplay=1",
    f"https://www.youtube.com/v/{ID}&hl=en",
    f"https://www.youtube.com/e/{ID}",
    f"https://www.youtube-nocookie.com/embed/{ID}?rel=0",
    f"https://youtube.googleapis.com/v/{ID}?version=3",
    f"https://www.youtube.com/embed/videoseries?list=PL1&v={ID}",
    f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D{ID}%26feature%3Dshare",
    f"https://www.youtube.com/oembed?url=https%3A//youtu.be/{ID}&format=json",
    f"https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{ID}",
    f"https://m.youtube.com/#/watch?v={ID}",
    f"https://www.youtube.com/watch#!v={ID}",
    f"<{PAGE}>",
    f'"{PAGE}"',
    f"\u201cyoutu.be/{ID}\u201d",
    f"\u00ab\u00a0{PAGE}\u00a0\u00bb",
    f"\u200bhttps://youtu.be/{ID}\u200b",
    f"\u2060\u200d{ID}\u200e",
    f"{ID}\ufe0f",
    f"https://i.ytimg.com/vi/{ID}/hqdefault.jpg",
    f"i9.ytimg.com/vi_webp/{ID}/maxresdefault.webp?v=abc",
    f"https://img.youtube.com/vi/{ID}/0.jpg",
    f"https://www.youtube.com/oembed?url={PAGE}&format=json",
    f"https://www.youtube.com/attribution_link?u=/watch?v={ID}",
    f"https://www.google.com/url?q={PAGE}",
    f"https://www.google.com/url?sa=t&q={quote(PAGE, safe='')}&ved=x",
    f"https://www.google.co.uk/url?url={quote(PAGE, safe='')}",
]
NO_VIDEO = [
    "https://www.youtube.com/playlist?list=PLabcdefghij",
    "https://www.youtube.com/embed/videoseries?list=PLabcdefghij",
    "https://www.youtube.com/embed/live_stream?channel=UCabcdefghij",
    "https://www.youtube.com/watch_videos?video_ids=abcdefghijk,bbcdefghijk",
    "https://www.youtube.com/@abcdefghijk",
    "https://www.youtube.com/channel/UCabcdefghij",
    "https://www.youtube.com/watch?v=abcdefghijkl",
    "https://youtu.be/abcdefghij",
    "www.youtube.com/results?search_query=abcdefghijk",
    "<https://www.youtube.com/playlist?list=PLabcdefghij>",
    "https://i.ytimg.com/an/abcdefghij/0.jpg",
]
OTHER_SITES = [
    "https://vimeo.com/12345678901",
    "https://example.org/watch?v=abcdefghijk",
    "https://example.org/?u=https://youtu.be/abcdefghijk",
    "https://notyoutube.com/watch?v=abcdefghijk",
    "https://youtube.com.example.org/watch?v=abcdefghijk",
    "videos/abcdefghijk",
    "\u200bvideos/abcdefghijk",
    '"abcdefghijk"',
    "https://www.google.com/search?q=https://youtu.be/abcdefghijk",
    "https://www.google.com/url?q=https://example.org/watch?v=abcdefghijk&u=youtube",
    "https://www.google.com.example.org/url?q=https://youtu.be/abcdefghijk",
    "http://[",
]


@pytest.mark.parametrize("form", FORMS)
def test_the_video_of_an_address_is_recognized_in_every_form(form):
    assert video_id(form) == ID


@pytest.mark.parametrize("address", [*NO_VIDEO, *OTHER_SITES])
def test_no_video_is_read_into_other_addresses(address):
    assert video_id(address) == ""


# Formats: id, size of the frame, video codec, audio codec, container; as yt-dlp lists them.
SOUND = "mp4a.40.2"
LADDER = {144: "160", 240: "133", 360: "134", 480: "135", 720: "136", 1080: "137"}


def sides(size: int, aspect: float) -> tuple[int, int]:
    """Width and height in which YouTube keeps a video of an aspect in a size."""
    if aspect >= 16 / 9:
        width = round(size * 16 / 9)
        return width, 2 * round(width / aspect / 2)
    if aspect >= 1:
        return round(size * aspect), size
    return size, round(size / aspect)


def one(name, width, height, video, audio="none", ext="mp4", **more) -> dict:
    url = f"https://rr1.googlevideo.com/{name}"
    said = {"width": width, "height": height, "vcodec": video, "acodec": audio, "ext": ext}
    return {"format_id": name, "url": url, "protocol": "https", "fps": 24} | said | more


def formats(aspect: float = 16 / 9, without=(), only=()) -> list[dict]:
    """The formats of a video of the site: video-only ones, sound, 18 and 22, storyboards."""
    listed = [
        one("sb0", 48, 27, "none", ext="mhtml", protocol="mhtml"),
        one("140", None, None, "none", SOUND, "m4a"),
        one("251", None, None, "none", "opus", "webm"),
        one("18", *sides(360, aspect), "avc1.42001E", SOUND),
        one("22", *sides(720, aspect), "avc1.64001F", SOUND),
        one("616", *sides(1080, aspect), "vp09.00.40.08", ext="mp4", format_note="Premium"),
        one("137-sr", *sides(1080, aspect), "avc1.640028"),
        one("22-sr", *sides(720, aspect), "avc1.64001F", SOUND),
    ]
    for size, name in LADDER.items():
        listed.append(one(name, *sides(size, aspect), "avc1.4d401e"))
        listed.append(one(f"vp9-{size}", *sides(size, aspect), "vp9", ext="webm"))
        listed.append(one(f"av1-{size}", *sides(size, aspect), "av01.0.01M.08"))
    listed = [each for each in listed if each["format_id"] not in without]
    return [each for each in listed if not only or each["format_id"] in only]


def chosen(listed: list[dict], short_side: int = 360, refetch: str | None = None) -> str:
    """The format that yt-dlp's own selection takes with the project's options."""
    settings = DownloadSettings(1000, 0, 5, 0, {}, short_side=short_side, refetch=refetch)
    client = Clients(Path("unused"), settings, lambda: False).client(PAGE)
    said = {"id": ID, "title": "T", "extractor": "youtube", "extractor_key": "Youtube"}
    info = said | {"webpage_url": PAGE, "formats": [dict(each) for each in listed]}
    return str(client.process_video_result(info, download=False)["format_id"])


@pytest.mark.parametrize("aspect", [16 / 9, 1.85, 2.39, 4 / 3, 1, 9 / 16, 9 / 19])
def test_the_progressive_file_of_the_requested_size_comes_first(aspect):
    """In 2.39:1, format 18 is 640 x 268, and the video-only 135 has the short side 358."""
    expected = {144: "160", 240: "133", 360: "18", 480: "135", 720: "22", 1080: "137"}
    assert {size: chosen(formats(aspect), size) for size in expected} == expected


@pytest.mark.parametrize("aspect", [16 / 9, 2.39, 4 / 3, 9 / 16])
def test_the_size_decides_before_the_sound(aspect):
    assert chosen(formats(aspect, without=["22"]), 720) == "136"
    assert chosen(formats(aspect, without=["22", "136"]), 720) == "135"
    assert chosen(formats(aspect, without=["18"])) == "134"


@pytest.mark.parametrize("aspect", [16 / 9, 2.39, 4 / 3, 9 / 16])
def test_the_sound_decides_before_the_size_where_it_is_wanted(aspect):
    expected = {144: "18", 240: "18", 360: "18", 480: "18", 720: "22", 1080: "22"}
    found = {size: chosen(formats(aspect), size, "no_sound") for size in expected}
    assert found == expected
    assert chosen(formats(aspect, without=["18", "22", "22-sr"]), 360, "no_sound") == "134"
    hls = one("95", *sides(720, aspect), "avc1.4d401e", SOUND, protocol="m3u8_native")
    assert chosen([hls, *formats(aspect, only=["134", "137"])], 360, "no_sound") == "95"
    vp9 = one("43", *sides(360, aspect), "vp9", "vorbis", "webm")
    assert chosen([vp9, *formats(aspect, only=["134", "137"])], 360, "no_sound") == "43"


@pytest.mark.parametrize("size", [144, 360, 720, 1080])
def test_format_18_is_used_where_it_is_the_only_one_left(size):
    sabr = one("sabr-137", 1920, 1080, "avc1.640028", protocol="sabr")
    assert chosen([*formats(only=["18", "140", "sb0"]), sabr], size) == "18"


def test_whatever_there_is_is_used_when_no_h264_file_is_offered():
    assert chosen(formats(only=["vp9-360", "vp9-720", "140"])) == "vp9-360"
    assert chosen(formats(only=["137-sr", "140"])) == "137-sr"
    hls = one("95", 640, 360, "avc1.4d401e", SOUND, protocol="m3u8_native")
    assert chosen([hls, *formats(only=["vp9-360"])]) == "95"
    assert chosen([{"format_id": "0", "url": "https://h/a.mp4", "ext": "mp4"}]) == "0"


def test_of_several_languages_the_original_is_used():
    dubbed = one("18-0", 640, 360, "avc1.42001E", SOUND, language="de", language_preference=-1)
    original = one("18-1", 640, 360, "avc1.42001E", SOUND, language="en", language_preference=10)
    assert chosen([original, dubbed]) == "18-1"


# Settings.
TOKEN = "c2VjcmV0LXRva2Vu="
SECRET = {"movies": "trailers12k", "trailers": {"po_token": f"mweb.gvs+{TOKEN}"}}


def arguments(settings: DownloadSettings) -> dict:
    client = Clients(Path("unused"), settings, lambda: False).client(PAGE)
    return client.params["extractor_args"]["youtube"]


def test_clients_and_tokens_reach_yt_dlp(monkeypatch):
    from yt_dlp.extractor.youtube import YoutubeIE

    monkeypatch.delenv("YOUTUBE_PO_TOKEN", raising=False)
    two = f"mweb.gvs+{TOKEN}, web.player+x"
    config = {"trailers": {"player_clients": ["default", "mweb"], "po_token": two}}
    settings = download_settings(load(config), "trailers")
    client = Clients(Path("unused"), settings, lambda: False).client(PAGE)
    extractor = client.get_info_extractor("Youtube")
    assert isinstance(extractor, YoutubeIE)
    assert extractor._configuration_arg("player_client") == ["default", "mweb"]
    tokens = extractor._configuration_arg("po_token", casesense=True)
    assert tokens == [f"mweb.gvs+{TOKEN}", "web.player+x"]
    assert arguments(download_settings(load({}), "trailers")) == {}
    monkeypatch.setenv("YOUTUBE_PO_TOKEN", "web.gvs+fromtheenvironment")
    of_environment = download_settings(load({}), "trailers")
    assert arguments(of_environment) == {"po_token": ["web.gvs+fromtheenvironment"]}


def test_the_token_is_in_no_params_products_or_messages(capsys):
    settings = load(SECRET)
    for text in (plain(settings), settings.for_results(), download_settings(settings, "trailers")):
        assert TOKEN not in repr(text)
    with pytest.raises(UserError) as fault:
        load({"trailers": {"po_token": f"{TOKEN} without a client"}})
    assert "trailers.po_token: the value, a secret" in str(fault.value)
    assert TOKEN not in str(fault.value) and "CLIENT.CONTEXT+TOKEN" in str(fault.value)


def test_the_token_is_in_no_failure_and_no_version(tmp_path, monkeypatch):
    settings = download_settings(load(SECRET), "trailers")
    fetcher = TrailerFetcher(tmp_path, settings, StopSignal())
    said = fetcher._without_tokens(
        f"https://rr1.googlevideo.com/v?pot={quote(TOKEN)}&x={TOKEN}: no"
    )
    assert said == "https://rr1.googlevideo.com/v?pot=...&x=...: no"
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(json.dumps(SECRET))
    with pytest.raises(UserError, match="trailers.po_token is a secret.*YOUTUBE_PO_TOKEN"):
        snapshot()


def test_all_names_of_the_site_are_one_host_to_the_pauses():
    names = ["youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be", "YOUTU.BE"]
    names += ["www.youtube-nocookie.com", "youtube.googleapis.com", "rr1---sn-x.googlevideo.com"]
    for key in ("youtube.com", "youtu.be", "YouTube.com", "www.youtube-nocookie.com"):
        limiter = pacing.HostRateLimiter({key: [0.05, 0.05]}, StopSignal())
        began = time.monotonic()
        for name in names:
            with limiter.turn(f"https://{name}/x"):
                pass
        assert time.monotonic() - began >= 0.05 * len(names), key
    began = time.monotonic()
    for host in ("i.ytimg.com", "storage.googleapis.com", "notyoutube.com"):
        with limiter.turn(f"https://{host}/x"):
            pass
    assert time.monotonic() - began < 0.05, "other hosts have no pause"


def test_two_names_of_the_site_serve_one_file_at_a_time_with_the_longer_pause():
    pauses = {"youtube.com": [0, 0], "youtu.be": [0.1, 0.1]}
    limiter = pacing.HostRateLimiter(pauses, StopSignal())
    began = time.monotonic()
    with limiter.turn("https://www.youtube.com/watch?v=x"):
        assert len(limiter._hosts) == 1
    assert time.monotonic() - began >= 0.1


SCRIPT = Path(review.__file__).parent / "templates" / "review.js"


def test_the_review_page_recognizes_the_same_videos(tmp_path):
    """The part of the page's script about addresses runs in deno, which yt-dlp needs anyway."""
    text = SCRIPT.read_text()
    part = text[text.index("  // Addresses.") : text.index("  /** The http(s) link to a trailer")]
    addresses = [*FORMS, *NO_VIDEO, *OTHER_SITES, ID, "-1234567890", "./abcdefghijk", "", "a b"]
    script = tmp_path / "addresses.js"
    script.write_text(
        f"{part}\nconst found = {json.dumps(addresses)}.map((each) => [plainAddress(each), "
        "namesNoVideo(each)]);\nconsole.log(JSON.stringify(found));\n"
    )
    deno = Path(sys.executable).with_name("deno")
    done = subprocess.run([deno, "run", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = dict(zip(addresses, json.loads(done.stdout), strict=True))
    assert found == {
        each: [video_id(each) or each, is_youtube(each) and not video_id(each)]
        for each in addresses
    }


# Tables, sources, decisions.
MID = "tt0000001"
HEAD = "mid,title,year,genres,youtube_id,trailer_url,poster_url,other_trailers\n"


def table_of(folder: Path, trailer="", named="", others="") -> str:
    path = folder / "movies.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(HEAD)
        csv.writer(file).writerow([MID, "A", "2000", "drama", named, trailer, "", others])
    return str(path)


def movie_of(path: str, decisions=None) -> Movie:
    (movie,) = movies_of(collect([path], {}, decisions))
    return movie


@pytest.mark.parametrize("form", FORMS)
def test_a_table_names_a_video_in_every_form(tmp_path, form):
    for columns in ({"trailer": form}, {"named": form}, {"trailer": form, "named": ID}):
        movie = movie_of(table_of(tmp_path, **columns))
        assert (movie.youtube_id, movie.trailer_url) == (ID, ""), columns
        assert movie.trailer_addresses == (PAGE,)
    others = movie_of(table_of(tmp_path, "https://h/t.mp4", others=f"{form}|{ID}|aaaaaaaaaaa"))
    assert others.other_trailers == (ID, "aaaaaaaaaaa"), "each video once"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("named", ["id", "form"])
def test_a_decision_is_about_the_video_in_whatever_form_it_is_written(tmp_path, form, named):
    """`wrong` = the id had no effect on six of eight forms in the table."""
    table = table_of(tmp_path, ID if named == "form" else form, others="https://h/other.mp4")
    wrong = form if named == "form" else ID
    decisions = {MID: Decision(MID, "wrong_trailer", (wrong,))}
    assert movie_of(table, decisions).trailer_addresses == ("https://h/other.mp4",)
    replaced = {MID: Decision(MID, "wrong_trailer", ("https://h/other.mp4",), wrong)}
    movie = movie_of(table, replaced)
    assert (movie.youtube_id, movie.other_trailers) == (ID, ())


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_decisions_and_one_of_choices_accept_every_form(tmp_path, form):
    path = tmp_path / "curation.csv"
    with path.open("w", newline="") as file:
        file.write("mid,decision,wrong,replacement\n")
        csv.writer(file).writerow([MID, "wrong_trailer", form, "aaaaaaaaaaa"])
    assert curation.read(path)[MID].wrong == (form,)
    with path.open("w", newline="") as file:
        file.write("mid,decision,wrong,replacement\n")
        csv.writer(file).writerow([MID, "wrong_trailer", ID, form])
    with pytest.raises(UserError, match="is also in the column wrong"):
        curation.read(path)
    row = dict.fromkeys(trailer_choices.COLUMNS, "") | {"mid": MID, "correction": form}
    assert trailer_choices.corrections_in([(2, row)], path) == {MID: form}
    assert search._trailers([], 0.5, form) == ({"id": ID},)


def test_a_feed_that_lists_a_video_twice_gives_one_candidate():
    entries = [{"url": form, "title": "T"} for form in FORMS if form.startswith("http")]
    assert [candidate["id"] for candidate in candidates_of(entries)] == [ID]


@pytest.mark.parametrize("address", NO_VIDEO)
def test_a_playlist_or_channel_is_refused_everywhere_in_one_line(tmp_path, address):
    with pytest.raises(UserError, match=r"line 2: trailer_url: .* names no video of YouTube"):
        movie_of(table_of(tmp_path, address))
    with pytest.raises(UserError, match=r"line 2: trailer_url: .* names no video of YouTube"):
        movie_of(table_of(tmp_path, "https://h/t.mp4", others=address))
    path = tmp_path / "curation.csv"
    path.write_text(f'mid,decision,wrong,replacement\n{MID},wrong_trailer,,"{address}"\n')
    with pytest.raises(UserError, match=r"line 2: replacement: .* names no video of YouTube") as e:
        curation.read(path, local_files=True)
    assert str(e.value).endswith("or its id (no playlist, channel or search)")
    row = dict.fromkeys(trailer_choices.COLUMNS, "") | {"mid": MID, "correction": address}
    with pytest.raises(UserError, match="correction: .* is not allowed"):
        trailer_choices.corrections_in([(2, row)], path)


@pytest.mark.parametrize("host", ["img.youtube.com", "www.youtube.com", "img.org"])
def test_a_poster_of_the_site_is_a_file_like_others(tmp_path, host):
    path = tmp_path / "movies.csv"
    poster = f"https://{host}/vi/{ID}/hqdefault.jpg"
    path.write_text(f"mid,title,year,genres,poster_url\n{MID},A,2000,drama,{poster}\n")
    assert movie_of(str(path)).poster_url == poster
    path.write_text(path.read_text().replace(f"vi/{ID}/hqdefault", "img/logo"))
    assert movie_of(str(path)).poster_url.endswith("/img/logo.jpg")


@pytest.mark.parametrize("address", [a for a in OTHER_SITES if a.startswith("https")])
def test_other_sites_keep_their_addresses(tmp_path, address):
    assert movie_of(table_of(tmp_path, address)).trailer_addresses == (address,)


@pytest.mark.parametrize("form", FORMS)
def test_another_video_than_requested_is_refused_for_every_form(tmp_path, form):
    path = tmp_path / "18.mp4"
    path.write_bytes(b"1")
    trailers._check({"id": ID}, {}, path, tmp_path, form)
    with pytest.raises(Failure) as failure:
        trailers._check({"id": "aaaaaaaaaaa"}, {}, path, tmp_path, form)
    assert failure.value.reason == "wrong_video"


def test_metadata_marks_the_downloaded_trailer_by_its_video(tmp_path):
    """The ledger of an earlier version holds the address as the table had it."""
    row = {"address": f"https://youtu.be/{ID}?t=5", "trailer": "0"}
    assert metadata._position(row, [{"id": "aaaaaaaaaaa"}, {"id": ID}]) == 1


# Predictions.
@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A folder in which a run is trained."""
    monkeypatch.chdir(tmp_path)
    table = Path("results/transfer/val.csv")
    table.parent.mkdir(parents=True)
    table.write_text("run,split,subset,uap\nSwin-2D,0,validation,50\n")
    checkpoint = Path("results/runs/Swin-2D/split0/best.pt")
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    return load({"movies": "movies.csv"})


@pytest.mark.parametrize("form", [ID, *FORMS])
def test_a_prediction_is_of_the_video(trained, form):
    typed = predict._address(form, [])
    for address in (form, typed):
        request = PredictionRequest(address, trained, None)
        assert (request.address, request.files(None)) == (PAGE, [])
        assert request.name == PredictionRequest(PAGE, trained, None).name
        assert request.name.startswith("bcdefghij_-")


@pytest.mark.parametrize("address", [*NO_VIDEO, "ftp://h/a.mp4", "https://me:secret@h/a.mp4"])
def test_what_cannot_be_a_trailer_is_refused_in_one_line(trained, address):
    with pytest.raises(UserError, match="config: trailer: ") as fault:
        PredictionRequest(address, trained, None)
    assert "\n" not in str(fault.value) and "secret" not in str(fault.value)


@pytest.mark.parametrize("name", [ID, "_bcdefghijk", "a b#c?d.mp4"])
def test_the_command_takes_what_begins_with_a_dash(trained, name, monkeypatch):
    called = []
    monkeypatch.setattr(predict.snakemake, "check_folder", lambda _: None)
    monkeypatch.setattr(predict.snakemake, "run", called.append)
    app = typer.Typer()
    app.callback()(lambda: None)
    predict.register(app)
    done = CliRunner().invoke(app, ["predict", "--", name, "--cores", "1"])
    assert done.exit_code == 0, done.output
    (arguments,) = called
    value = next(word for word in arguments if word.startswith("trailer="))
    assert parse_config([value]) == {"trailer": predict._address(name, [])}
