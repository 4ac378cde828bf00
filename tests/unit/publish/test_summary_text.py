"""The table of results for people, as a publication has it."""

from trailers12k.evaluation.differences import TESTS
from trailers12k.evaluation.summary import run_notes
from trailers12k.publish.packing.tables import RENAMED, write_summary


def test_files_have_the_names_that_they_have_in_a_publication(tmp_path):
    (note,) = run_notes({"asked": {"zero_shot": True}})
    text = f"# Results\n\n{TESTS}- {note}\n- weights: /home/ann/w.pth\n"
    source, path = tmp_path / "summary.md", tmp_path / "published.md"
    source.write_text(text)
    assert all(name in text for name in RENAMED)
    write_summary(source, path)
    published = path.read_text()
    assert not any(name in published for name in RENAMED) and "/home/ann" not in published
    for name in ("results/comparisons.csv", "results/validation.csv", "results/zero_shot.json"):
        assert name in published
