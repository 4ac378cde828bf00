"""Licences of the weights behind published features."""

from dataclasses import replace

from trailers12k.publish.facts import Licence, StoreFacts
from trailers12k.publish.licences import of_store, source_warnings, warnings

from . import examples

STORE = StoreFacts("a", "frames", 4, 1, 2, "timm/x", "x", "", Licence("mit"), {}, {})


def test_the_attributes_of_a_store_say_its_licence():
    assert of_store({"weights_license": "cc-by-nc-4.0"}) == Licence("cc-by-nc-4.0", True)
    marked = {"weights_license": "see the paper", "weights_non_commercial": True}
    assert of_store(marked) == Licence("see the paper", True)
    assert of_store({"pretrained": False}) == Licence("none")


def test_a_licence_that_forbids_commercial_use_is_warned_of_once():
    own = Licence("cc-by-nc-4.0", True)
    stores = [STORE, replace(STORE, name="b", licence=own), replace(STORE, name="c", licence=own)]
    (sentence,) = warnings(stores)
    assert "b, c" in sentence and "(cc-by-nc-4.0)" in sentence
    assert warnings([STORE]) == []


def test_terms_of_the_sources_are_warned_of():
    assert source_warnings(examples.facts(sources=("mine.csv",), settings={})) == []
    (imdb,) = source_warnings(examples.facts(sources=("imdb", "tmdb"), settings={}))
    assert imdb.startswith("movies: imdb: IMDb forbids")
    for changes in ({"sources": ("trailers12k",)}, {"settings": {"splits": "published"}}):
        (shared,) = source_warnings(examples.facts(**{"sources": ("a.csv",), **changes}))
        assert "CC-BY-NC-SA-4.0" in shared and shared.endswith("publish.license is CC-BY-4.0")
