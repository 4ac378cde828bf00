import pytest

from trailers12k.publish.addresses import public

NAMES = (
    *("pwd", "pass", "jwt", "hmac", "code", "ticket", "sid", "access", "hash", "Policy", "st"),
    "anything",
)
ENDS = (
    *(".intranet", ".corp", ".home", ".test", ".lan", ".fritz.box", ".tail1.ts.net", ".internal"),
    ".LAN.",
)


@pytest.mark.parametrize(
    "address",
    [
        *("https://films.org/a.mp4", "http://films.org:8080/a.mp4?size=large", "abcdefghijk"),
        *("https://www.youtube.com/watch?v=abcdefghijk", "https://пример.рф/трейлер.mp4"),
        "https://image.tmdb.org/t/p/w342/x.jpg?height=342&v=2",
        "https://m.media-amazon.com/images/M/MV5BMTkw@@._V1_FMjpg_UX1000_.jpg",
        "https://films.org/a.mp4?id=12&t=5",
    ],
)
def test_an_address_on_the_web_is_published(address):
    assert public(address) == address


@pytest.mark.parametrize(
    "address",
    [
        *("", "videos/a.mp4", "/home/ann/a.mp4", "~/a.mp4", "file:///a.mp4", r"C:\a.mp4"),
        *("http://localhost/a.mp4", "http://LOCALHOST:8000/a", "http://nas/a.mp4"),
        *("http://127.0.0.1/a", "http://10.0.0.7:80/a", "http://[::1]/a", "http://2130706433/a"),
        *("http://0x7f000001/a", "http://nas.local/a.mp4", "http://films.internal./a"),
        *("https://ann:secret@films.org/a.mp4", "ftp://films.org/a.mp4", "https://"),
        *("https://films.org/a?X-Amz-Signature=1", "https://films.org/a?b=1&access_token=2"),
        *("https://films.org/a?api_key=1", "https://films.org/a?b=1;Key-Pair-Id=2"),
        *(f"https://films.org/a?{name}=1" for name in NAMES),
        *("https://films.org/a#access_token=1", "https://films.org/a?to%6ben=1"),
        *("https://films.org/a;token=1", "https://films.org/a%3Btoken=1"),
        *("https://films.org/a?v=1?token=2", "https://films.org/a?id=ann@films.org"),
        *("https://films.org/a?id=ann%40films.org", "https://films.org/ann@films.org/a"),
        "https://films.org/a?id=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
        *(f"http://media{end}/a.mp4" for end in ENDS),
        *("https://films.org/" + "a" * 3000, "https://films.org/\n/home/ann"),
    ],
)
def test_other_addresses_are_not(address):
    assert public(address) == ""


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://youtu.be/abcdefghijk?si=x", "https://www.youtube.com/watch?v=abcdefghijk"),
        (
            "https://www.youtube.com/watch?v=abcdefghijk&token=1#x",
            "https://www.youtube.com/watch?v=abcdefghijk",
        ),
        (
            "https://i.ytimg.com/vi/abcdefghijk/hq.jpg?sqp=1&rs=2",
            "https://i.ytimg.com/vi/abcdefghijk/hq.jpg",
        ),
    ],
)
def test_of_an_address_of_youtube_the_video_stays(address, kept):
    assert public(address) == kept
