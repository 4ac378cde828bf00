"""How a page is executed and compared."""

import pytest

from .executed_page import Place, run_page

PAGE = """
```sh
mkdir inner
cd inner
```

```csv title="table.csv"
a,b
https://site.example.org/1,2
```

```sh
cat table.csv
echo "done in 3.2 s"
```

```text
a,b
https://site.example.org/1,2
done in 12 s
```
"""


@pytest.fixture
def run(tmp_path):
    def run(text, update=False):
        page, folder = tmp_path / "page.md", tmp_path / "home"
        folder.mkdir()
        page.write_text(text)
        place = Place(folder, {"https://site.example.org": "http://127.0.0.1:80"})
        return run_page(page, place, update), page.read_text()

    return run


def test_files_are_written_and_addresses_and_times_do_not_matter(run, tmp_path):
    differences, _ = run(PAGE)
    assert differences == []
    assert "http://127.0.0.1:80/1" in (tmp_path / "home" / "inner" / "table.csv").read_text()


def test_another_output_is_a_difference_and_an_update_writes_it(run):
    [difference], text = run(PAGE.replace("a,b\nhttps://site.example.org/1,2\nd", "d"), update=True)
    assert difference.shown == "done in 12 s\n"
    assert text == PAGE.replace("12 s", "3.2 s")


@pytest.mark.parametrize(
    ("shown", "same"), [("...\n4\n", True), ("1\n...\n", True), ("4\n", False)]
)
def test_an_ellipsis_stands_for_any_lines_and_stays(run, shown, same):
    differences, text = run(f"```sh\nseq 4\n```\n\n```text\n{shown}```\n", update=same)
    assert (differences == []) is same
    assert f"```text\n{shown}```" in text


def test_a_command_that_fails_is_an_error(run):
    with pytest.raises(AssertionError, match="no such thing"):
        run("```sh\necho no such thing\nfalse\necho more\n```\n")


def test_stages_side_by_side_come_in_any_order_and_the_last_line_of_each_counts(run):
    stages = ["clips: 9 of 10 movies, 1 failed", "posters: 2 of 10 movies", "done"]
    printed = "clips: 1 of 10 movies, 5 s left\\n" + "\\n".join(stages)
    shown = "\n".join([stages[1], stages[0], stages[2]])
    differences, _ = run(f"```sh\nprintf '{printed}'\n```\n\n```text\n{shown}\n```\n")
    assert differences == []
