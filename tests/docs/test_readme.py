"""The figures in README.md."""

from . import readme


def test_the_readme_has_the_figures_that_were_measured_last():
    text = readme.README.read_text(encoding="utf-8")
    assert len(readme.FILLED.findall(text)) == 1
    assert readme.filled(text) == text, "make docs-figures writes them"
