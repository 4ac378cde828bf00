"""Which md5 the files of `published.files` must have."""

import pytest

from trailers12k.common.errors import UserError
from trailers12k.settings import load
from trailers12k.settings.paper import RECORD_MD5
from trailers12k.settings.published_files import is_on_web, md5_of_files, md5_of_record

MD5 = "0" * 32
STORE = "a_store"
RUN = {
    "backbones": {STORE: {"model": "timm/resnet50.a1_in1k", "input": "frames"}},
    "runs": {"run": {"image": STORE}},
    "movies": "published",
    "splits": "published",
}


def published(**keys):
    return load({"published": keys}).published


def publication(folder, *names):
    folder.mkdir()
    (folder / "MD5SUMS").write_text("".join(f"{MD5}  {name}\n" for name in names))
    return str(folder)


def test_the_authors_record_has_its_built_in_md5(tmp_path):
    assert md5_of_files(published()) == RECORD_MD5
    assert md5_of_files(published(files=str(tmp_path))) == RECORD_MD5


def test_the_configured_md5_counts_first(tmp_path):
    folder = publication(tmp_path / "p", "mtgc.csv")
    own = {"mtgc.csv": None}
    assert md5_of_files(published(files=folder, md5=own)) == own
    assert not is_on_web(published(files="https://example.org/files", md5=own))


def test_a_publication_has_the_md5_of_its_sums(tmp_path):
    names = "mtgc.csv", f"{STORE}.zarr.tar.gz", "README.md", "features/a/b.zarr.tar.gz"
    own = published(files=publication(tmp_path / "p", *names))
    assert md5_of_record(own) is None
    assert md5_of_files(own) == dict.fromkeys(names[:2], MD5)


def test_a_publication_on_the_web_is_known_once_its_sums_are_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = published(files="https://example.org/files")
    assert is_on_web(own) and md5_of_files(own) == {}
    (tmp_path / "build").mkdir()
    publication(tmp_path / "build" / "published", "mtgc.csv")
    assert md5_of_files(own) == {"mtgc.csv": MD5}


def test_runs_name_stores_of_the_publication(tmp_path):
    whole = publication(tmp_path / "p", "mtgc.csv", f"{STORE}.zarr.tar.gz")
    assert load(RUN | {"published": {"files": whole}}).is_published
    lacks = publication(tmp_path / "q", "mtgc.csv", "another.zarr.tar.gz")
    with pytest.raises(UserError, match=r"a_store is not among .*allowed: another$"):
        load(RUN | {"published": {"files": lacks}})


def test_a_folder_of_something_else_is_refused(tmp_path):
    folder = publication(tmp_path / "p", "other.csv")
    with pytest.raises(UserError, match=r"lists no mtgc\.csv"):
        load(RUN | {"published": {"files": folder}})
