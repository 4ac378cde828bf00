"""README.md: its figures, and the links that it must have."""

from . import readme


def test_the_readme_leads_to_what_is_promised_and_to_where_weaknesses_are_reported():
    text = readme.README.read_text(encoding="utf-8")
    assert "](docs/security.md)" in text and "](SECURITY.md)" in text


def test_the_readme_has_the_figures_that_were_measured_last():
    text = readme.README.read_text(encoding="utf-8")
    assert len(readme.FILLED.findall(text)) == 1
    assert readme.filled(text) == text, "make docs-figures writes them"
