"""Pages that are executed on the finished sample."""

import re
from pathlib import Path

from ..docs import executed_notebook, readme, sample_page

ROOT = Path(__file__).parents[2]


def test_the_notebook_runs_and_prints_what_its_page_shows():
    text, pictures = executed_notebook.page_of(executed_notebook.execute(ROOT))
    page = executed_notebook.PAGE.read_text(encoding="utf-8")
    assert executed_notebook.outputs_of(text) == executed_notebook.outputs_of(page)
    assert len(pictures) == len(re.findall(r"\(notebook-\d\.png\)", page))


def test_the_tutorial_of_the_sample_prints_what_it_shows():
    differences = sample_page.run(ROOT)
    assert not differences, "\n".join(map(str, differences))


def block_of_the_readme(language):
    text = readme.README.read_text(encoding="utf-8")
    [block] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return block


def test_the_readme_shows_what_the_run_prints():
    def without_widths(text):
        return re.sub(r"[ -]+", " ", text)

    shown = readme.excerpt(sample_page.closing_words(ROOT))
    assert without_widths(block_of_the_readme("text")) == without_widths(shown)


def test_the_snippets_of_the_readme_work(monkeypatch):
    monkeypatch.chdir(ROOT)
    code = block_of_the_readme("python")
    names = {}
    exec(code, names)
    store, mid = names["z"], "tt9000001"
    comment = f"# {store.attrs['num_features']}, {store[mid].shape}, {store[mid].dtype}"
    assert comment in code
    movies, labels = names["movies"], names["labels"]
    assert {"tt" + movie["imdb"]["id"] for movie in movies.values()} == {*labels.index}
