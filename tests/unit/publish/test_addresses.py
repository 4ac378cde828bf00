import pytest

from trailers12k.publish.addresses import public


@pytest.mark.parametrize(
    "address",
    [
        *("https://films.org/a.mp4", "http://films.org:8080/a.mp4?size=large", "abcdefghijk"),
        *("https://www.youtube.com/watch?v=abcdefghijk", "https://пример.рф/трейлер.mp4"),
        "https://image.tmdb.org/t/p/w342/x.jpg?height=342&v=2",
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
        *("https://films.org/" + "a" * 3000, "https://films.org/\n/home/ann"),
    ],
)
def test_other_addresses_are_not(address):
    assert public(address) == ""
