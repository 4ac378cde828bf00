"""Random addresses: of YouTube, of other sites, of files, and of hosts with a pause."""

import re
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.hostile.fuzzing import answered, examples, texts
from trailers12k.common.files import file_address, inside
from trailers12k.common.local_files import fault_of, for_table, from_table, local_path
from trailers12k.common.movie import (
    address_of,
    addresses_of,
    check_address,
    check_trailer,
    distinct_trailers,
    is_web_address,
    named_trailer,
)
from trailers12k.common.text import escape_formula, is_printable, one_line, unescape_formula
from trailers12k.common.youtube import (
    DOMAINS,
    NO_ID,
    is_youtube,
    is_youtube_id,
    site_domain,
    video_id,
)
from trailers12k.downloads.pacing import HostRateLimiter
from trailers12k.jobs.reasons import classify

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
ids = st.text(LETTERS, min_size=11, max_size=11).filter(lambda text: text not in NO_ID)
PIECES = (
    *(
        "https://",
        "http:",
        "//",
        "www.",
        "m.",
        *DOMAINS,
        "youtube.com.",
        "i.ytimg.com",
        "google.com",
    ),
    *(
        "/url?q=",
        "/watch?v=",
        "/embed/",
        "/shorts/",
        "/v/",
        "/attribution_link?u=",
        "%2Fwatch%3Fv%3D",
    ),
    *(
        "abcdefghijk",
        "videoseries",
        "&list=PL1",
        "&amp;t=5",
        "#",
        "?",
        "/",
        ":443",
        ":x",
        "@",
        "user:p",
    ),
    *(
        "[",
        "]",
        "[::1]",
        "\u200b",
        "\u201c",
        "<",
        ">",
        " ",
        "\n",
        "%",
        "%zz",
        "\ud800",
        "..",
        "%2e%2e",
    ),
)
addresses = st.one_of(
    texts,
    st.lists(st.one_of(st.sampled_from(PIECES), texts), min_size=1, max_size=7).map("".join),
)
"""Texts like addresses, most of them wrong."""


@given(address=addresses)
@examples(1000)
def test_an_address_names_a_video_or_none(address):
    video, _ = answered(video_id, address)
    assert video == "" or is_youtube_id(video)
    whole, _ = answered(address_of, address)
    assert address_of(whole) == whole
    assert not (video and is_youtube(address)) or video_id(whole) == video
    assert isinstance(is_youtube(address), bool)
    answered(site_domain, address)


FORMS = (
    "{id}",
    "https://youtu.be/{id}",
    "http://www.youtube.com/watch?{more}v={id}",
    "m.youtube.com/watch?v={id}{tail}",
    "https://www.youtube.com/embed/{id}{tail}",
    "//www.youtube-nocookie.com/embed/{id}",
    "https://youtube.com/shorts/{id}{tail}",
    "https://music.youtube.com/watch?v={id}&list=RD{id}",
    "https://www.youtube.com/live/{id}",
    "https://i.ytimg.com/vi/{id}/hqdefault.jpg",
    "https://www.google.com/url?sa=t&url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{id}",
    "https://www.youtube.com/attribution_link?a=b&u=%2Fwatch%3Fv%3D{id}",
)


@given(
    video=ids,
    form=st.sampled_from(FORMS),
    more=st.sampled_from(("", "feature=share&", "t=5&list=PL0&")),
    tail=st.sampled_from(("", "?t=5", "&feature=share", "#t=1")),
    around=st.sampled_from(("{}", "<{}>", "\u200b{}", '"{}"', " {}\n", "\u201c{}\u201d")),
)
@examples(500)
def test_all_addresses_of_a_video_are_the_same(video, form, more, tail, around):
    address = around.format(form.format(id=video, more=more, tail=tail))
    assume(form != "{id}" or around in ("{}", "\u200b{}", " {}\n"))
    assert video_id(address) == video
    assert address_of(address) == address_of(video)
    assert named_trailer(address) == {"id": video}
    assert len(distinct_trailers([{"id": video}, {"url": address}])) == 1


@given(address=addresses, local_files=st.booleans())
@examples(1000)
def test_an_accepted_address_can_be_used(address, local_files):
    _, said = answered(check_trailer, "trailer_url", address, "a table, line 2", local_files)
    answered(check_address, "poster_url", address, "a table, line 2", local_files)
    assert isinstance(is_web_address(address), bool)
    if said or not address:
        return
    assert is_printable(address) or video_id(address)
    path = local_path(address) if not video_id(address) else None
    assert path is None or local_files
    if path is None:
        limiter = HostRateLimiter({"youtube.com": (0, 0), "example.org": (0, 0)}, _NoStop())
        with limiter.turn(address_of(address)):
            pass
    else:
        assert isinstance(fault_of(path), str)


class _NoStop:
    reason = ""


@given(
    hosts=st.dictionaries(addresses, st.just((0, 0)), max_size=3),
    host=st.sampled_from(("www.youtube.com", "a.example.org", "127.0.0.1", "localhost")),
)
@examples(200)
def test_pauses_of_any_host(hosts, host):
    with HostRateLimiter(hosts, _NoStop()).turn(f"https://{host}/a"):
        pass


@given(address=addresses, folder=st.sampled_from((".", "a", "../b", "/srv/table")))
@examples(500)
def test_a_path_survives_in_a_table(address, folder):
    assume(local_path(address) is not None and is_printable(address) and address)
    once = from_table(address, folder)
    again = from_table(for_table(once, folder), folder)
    assert again == once


@given(name=texts)
@examples(500)
def test_a_name_leads_to_a_file_in_the_folder_or_is_refused(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp()
    path, said = answered(inside, folder, name, refused=ValueError)
    assert said or path.parent == Path(folder)


@given(path=texts)
@examples(300)
def test_a_file_address_leads_back_to_the_file(path):
    assume(path and "\0" not in path)
    address, said = answered(file_address, path)
    if not said:
        assert address.isascii() and address.isprintable()
        assert local_path(address) == Path(re.sub("^//+", "/", path))


@given(text=texts)
@examples(500)
def test_a_text_survives_a_spreadsheet_and_becomes_one_line(text):
    assert unescape_formula(escape_formula(text)) == text
    line = one_line(text)
    assert len(line.splitlines()) <= 1 and one_line(line) == line
    assert line == "" or is_printable(line)
    assert isinstance(classify(text), str) and addresses_of({"url": text}) is not None


def test_a_space_beside_what_is_left_out_is_left_out_too():
    assert one_line("0\r\x1b") == "0" and one_line("a \x1b b") == "a b"
