"""The page and the card say the facts; no text from data is markup in them."""

import ast
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from trailers12k.publish.facts import Creator, Licence, Loss, Statements
from trailers12k.publish.texts import bibtex, card, contents, datasheet, document, markdown, page

from . import examples
from .examples import HOSTILE

FILES = examples.files("mtgc.csv", f"{examples.STORE}.zarr.tar.gz", "metadata.tar.gz")


class Elements(HTMLParser):
    """The elements of a page and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.words = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        own = dict(attrs)
        assert not any(name.startswith("on") for name in own)
        self.addresses += [own[name] for name in ("src", "href") if name in own]

    def handle_data(self, data):
        self.words.append(data)


def hostile():
    own = examples.STATED
    texts = dict.fromkeys(
        ("title", "description", "license", "contact", "use_cases", "limitations"), HOSTILE
    )
    stated = replace(own, **texts, creators=(Creator(HOSTILE, HOSTILE),))
    store = examples.store(
        model=HOSTILE, weights=HOSTILE, licence=Licence(HOSTILE, non_commercial=True)
    )
    loss = Loss("trailers", "failed", HOSTILE, 1, HOSTILE)
    return examples.facts(
        statements=stated,
        stores=[store],
        losses=[loss],
        results=[{"run": HOSTILE, "uap": HOSTILE, "weights": HOSTILE}],
        sources=[HOSTILE],
        credits=[HOSTILE],
        notes=[HOSTILE],
        versions={HOSTILE: "1"},
    )


@pytest.mark.parametrize("facts", [examples.facts(), hostile()], ids=["plain", "hostile"])
def test_the_page_loads_nothing_and_runs_nothing(facts):
    elements = Elements(page.html(facts, FILES, b"jpeg"))
    assert not elements.tags & {"script", "img", "iframe", "form", "object"}
    for address in elements.addresses:
        assert address.startswith(("#", "https://", "mailto:")), address


def test_the_collage_is_within_the_page():
    files = [*FILES, *examples.files("collage.jpg")]
    elements = Elements(page.html(examples.facts(), files, b"jpeg"))
    assert [each for each in elements.addresses if each.startswith("data:")] == [
        "data:image/jpeg;base64,anBlZw=="
    ]
    assert "![" in page.markdown(examples.facts(), files)


@pytest.mark.parametrize("write", [card.text, page.markdown])
def test_markdown_of_hostile_texts_has_no_markup_of_theirs(write):
    text = write(hostile(), FILES)
    # Code of ours has braces and angles; theirs are in no code.
    words = re.sub(r"```.*?```", "", text, flags=re.S)
    assert "<script" not in words and "<img" not in words and "*b*" not in words
    assert not re.search(r"{{|{%|{#", text)
    for line in words.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) >= 3
    assert {*re.findall(r"</?\w+", words)} <= {"<br", "<code", "</code"}


def test_tables_keep_their_columns():
    row = ["a|b", document.Cell("c|d", "e|f"), document.Cell("x`|y", code=True)]
    text = markdown.text(
        [document.Section("s", "S", [document.Grid("g", "G.", ["1", "2", "3"], [row])])]
    )
    assert text.splitlines()[-1].count("|") == 4


@pytest.mark.parametrize(
    "text", ["# a", "- a", "1. a", "> a", "=== a", "!!! note", "    code", ": a"]
)
def test_a_paragraph_begins_no_block(text):
    from mkdocs.structure.pages import markdown as library

    written = markdown.text([document.Section("s", "S", [document.Paragraph(text)])])
    html = library.markdown(written, extensions=["extra", "admonition", "sane_lists"])
    assert re.findall("<(\\w+)", html) == ["h2", "p"]


def test_the_page_and_its_markdown_have_the_same_sections_and_tables():
    html, text = (write(examples.facts(), FILES) for write in (page.html, page.markdown))
    heads = re.findall(r"<h2[^>]*>([^<]+)</h2>", html)
    assert heads == re.findall(r"^## (.+)$", text, re.M)
    captions = re.findall(r"<caption[^>]*><span>([^<]+)</span>", html)
    tables = len(re.findall(r"^\| -", text, re.M))
    assert tables == len(captions) + 1  # the large numbers


def test_what_nobody_knows_is_not_stated():
    empty = examples.facts(
        statements=Statements(), began=None, ended=None, settings={}, versions={}, credits=[]
    )
    text = card.text(empty, [])
    asked = [
        "Who created it?",
        "What is it meant for, and what not?",
        "Over what time was it collected?",
        "Under which licence?",
        "How can the maintainers be reached?",
        "How were trailers cut into clips?",
    ]
    for question in asked:
        assert f"**{question}** not stated" in text, question


def test_the_datasheet_has_the_seven_parts():
    heads = [section.heading for section in datasheet.datasheet(examples.facts())]
    assert len(heads) == 8
    text = card.text(examples.facts(), FILES, "---\nlicense: cc-by-4.0\n---\n")
    assert text.startswith("---\nlicense: cc-by-4.0\n---\n\n# Trailers of three movies\n")
    assert "downloaded from 2026-11-01 to 2026-11-03" in text and "2 accepted as they are" in text


def test_weights_without_commercial_use_are_warned_of():
    licence = Licence("CC-BY-NC-4.0", non_commercial=True)
    facts = examples.facts(stores=[examples.store(licence=licence)])
    for text in (card.text(facts, FILES), page.html(facts, FILES)):
        assert text.count("No commercial use.") == 2 and "CC-BY-NC-4.0" in text


def test_untrained_weights_are_warned_of():
    facts = examples.facts(stores=[examples.store(attributes={"pretrained": False})])
    assert "Untrained weights." in page.markdown(facts, FILES)


@pytest.mark.parametrize("contact", ["javascript:alert(1)", "data:text/html,x", HOSTILE, "a@b"])
def test_an_odd_contact_is_no_link(contact):
    assert document.safe_address(contact) == ""


def test_snippets_are_python():
    for block in contents.loading(examples.facts()).blocks:
        if getattr(block, "language", "") == "python":
            ast.parse(block.text)


def test_local_files_have_no_addresses_that_others_could_open():
    text = card.text(examples.facts(addresses=0), FILES)
    assert "address of" not in text and "from these addresses" not in text
    assert "address of a trailer" in card.text(examples.facts(), FILES)


def test_posters_are_named_only_where_a_store_has_them():
    assert "per clip or poster" in card.text(examples.facts(), FILES)
    assert "of its poster" not in card.text(examples.facts(stores=[examples.store()]), FILES)


def test_losses_of_other_movies_have_rows_of_their_own():
    one, other = frozenset({"tt0000001"}), frozenset({"tt0000002"})
    lost = [
        Loss("trailers", "failed", "unavailable", 1, "Gone.", one),
        Loss("posters", "failed", "unavailable", 1, "Gone.", other),
        *(Loss(each, "skipped", "no_trailer", 1, "None.", one) for each in ("clips", "a", "b")),
    ]
    text = card.text(examples.facts(losses=lost), FILES)
    rows = [line for line in text.splitlines() if "`unavailable`" in line]
    assert [row.split(" | ")[0] for row in rows] == ["| trailers", "| posters"]
    assert "1 in clips and 2 other stages (no trailer)" in text


def test_a_control_and_few_test_movies_are_explained():
    runs = [{"run": "mine", "uap": "40", "movies": "27", "splits": "3"}]
    settings = {"runs": {"mine": {"video": "a", "shuffle_labels": True}, "b": {"video": "a"}}}
    text = card.text(examples.facts(results=runs, settings=settings), FILES)
    assert "- mine: a control, trained on shuffled labels" in text and "- b:" not in text
    assert "With 9 test movies per split" in text and "`results/summary.md`" in text
    many = [runs[0] | {"movies": "3000"}]
    assert "Few test movies" not in card.text(examples.facts(results=many), FILES)


def test_the_way_of_splitting_is_named():
    by_year = card.text(examples.facts(settings={"splits": "by_year"}), FILES)
    assert "The splits are by year: the oldest movies are training movies" in by_year
    splits = {"training": 0.7, "validation": 0.1, "test": 0.2, "tries": 5, "groups": "auto"}
    assert "duplicates that the review found" in card.text(
        examples.facts(settings={"splits": splits}), FILES
    )


def test_representations_name_frames_and_pixels():
    made = "Compose( Resize(size=124) CenterCrop(size=(112, 96)) )"
    one = examples.store("a", input="frames", attributes={"image_frames": 1, "preprocessing": made})
    many = examples.store("b", input="frames", attributes={"image_frames": 24})
    square = examples.store("c", attributes={"preprocessing": "I( crop_size=[112] resize_size=[9]"})
    text = card.text(examples.facts(stores=[one, many, square]), FILES)
    assert "one frame of a clip, 112 × 96 pixels" in text
    assert "one vector per clip, 112 × 112 pixels" in text
    assert "mean over 24 frames of a clip" in text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("R & D, 1 < 2 > 0", "R & D, 1 < 2 > 0"),
        ("a_b 10.1/x", "a_b 10.1/x"),
        ("&amp; <b> _a_ a&", r"&#38;amp; &#60;b> \_a\_ a&#38;"),
    ],
)
def test_only_what_could_be_markup_is_escaped(text, written):
    assert markdown.paragraph(markdown.escape(text)) == written


def test_keys_of_bibtex_have_whole_words_in_plain_letters():
    own = replace(examples.STATED, title="Ælfric's façade: the trailers of a very long afternoon")
    entry = bibtex.entry(examples.facts(statements=own))
    assert entry.startswith("@misc{aelfric-s-facade-the-trailers-of-a-very,")


def test_the_title_is_the_same_everywhere_without_one():
    facts = examples.facts(statements=Statements())
    assert "A dataset of movie trailers" in bibtex.entry(facts)
    assert card.text(facts, []).startswith("# A dataset of movie trailers")


def test_bibtex_escapes_and_doubles_no_brace():
    own = replace(examples.STATED, title="50 % of {x}_y & #1", doi="10.5281/zenodo.1")
    entry = bibtex.entry(examples.facts(statements=own))
    assert r"50 \% of \textbraceleft x\textbraceright \_y \& \#1" in entry
    assert 'author = "Lovelace, Ada and {A \\& B Group}"' in entry and "{{" not in entry


def test_a_store_of_sound_says_what_its_rows_are_of():
    facts = examples.facts(stores=[examples.sound_store()])
    text = card.text(facts, FILES)
    assert "sound of a clip and 0.5 s around it, 16 kHz" in text
    assert "Row i of a store of sound is of the seconds of clip i" in text
    assert 'stores = {"audio": "trailers_a_logmel.zarr"}' in text
    assert "no weights" in text and "pixels" not in text.partition("## Representations")[2][:600]
