import pytest

from trailers12k.publish.local_paths import LOCAL, without_paths


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("path:/home/jane/x", "path:x"),
        ("a:/home/jane/x", "x"),
        ("gcc -I/home/jane/include", "gcc -Iinclude"),
        ("--weights=/home/jane/x.pth", "--weights=x.pth"),
        (r"no file C:\Users\jane\x there", "no file x there"),
        ("no file C:/Users/jane/x there", "no file x there"),
        (r"in \\nas\share\x.csv", "in x.csv"),
        (r"\\nas\share\x.csv", "x.csv"),
        (r"%USERPROFILE%\x", "x"),
        ("see $HOME/films/x.csv", "see x.csv"),
        ("${HOME}/x", "x"),
        ("at /home/jane doe/my films/x.csv was none", "at x.csv was none"),
    ],
)
def test_paths_of_every_system_become_names_and_are_found_by_a_check(text, public):
    assert without_paths(text) == public
    assert LOCAL.search(text)
    assert not LOCAL.search(public)


@pytest.mark.parametrize(
    "text",
    [
        "see https://films.org/home/x.csv.",
        "https://films.org/a?id=5",
        "results/tmp/x",
        "timm/resnet50.a1_in1k",
        "</b> 1/2, m/s",
        "copied with yt-dlp 2026.10.26",
    ],
)
def test_addresses_and_names_stay(text):
    assert without_paths(text) == text
    assert not LOCAL.search(text)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("https://ann:secret@films.org/w.pth", "https://films.org/w.pth"),
        ("of https://films.org/w.pth?X-Amz-Signature=1, read", "of https://films.org/w.pth, read"),
        ("https://films.org/w.pth#access_token=1", "https://films.org/w.pth"),
        ("https://films.org/w.pth;token=1", "https://films.org/w.pth"),
        ("http://nas.local/w/w.pth", "w.pth"),
        ("s3://key:secret@bucket/w.pth", "s3://bucket/w.pth"),
    ],
)
def test_addresses_lose_what_may_be_a_secret(text, public):
    assert without_paths(text) == public


def test_names_of_columns_are_cleaned_too():
    assert without_paths({"/home/jane/x": "1"}) == {"x": "1"}
