import pytest

from trailers12k.common import fingerprint as module
from trailers12k.common.fingerprint import code_version, fingerprint


def test_a_fingerprint_depends_on_names_and_values_but_not_on_order():
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1)
    assert fingerprint(a=1, b=2) != fingerprint(a=2, b=1)


@pytest.fixture
def version_of(tmp_path, monkeypatch):
    """The version of a module with this text."""
    monkeypatch.setattr(module, "PACKAGE", tmp_path)

    def version(text):
        (tmp_path / "m.py").write_text(text)
        code_version.cache_clear()
        return code_version("m")

    yield version
    code_version.cache_clear()


def test_comments_docstrings_and_format_do_not_change_the_version(version_of):
    assert version_of("def f(x):\n    return x + 1\n") == version_of(
        '"""Module."""\n\n\ndef f(\n    x,\n):\n    """Adds."""\n    # more\n    return x + 1\n'
    )


def test_the_docstring_of_a_constant_does_not_change_the_version(version_of):
    assert version_of("A = 1\nB = 2\n") == version_of('A = 1\n"""The first."""\n\nB = 2\n')


def test_another_number_changes_the_version(version_of):
    assert version_of("def f(x):\n    return x + 1\n") != version_of(
        "def f(x):\n    return x + 2\n"
    )


def test_a_class_of_docstrings_equals_an_empty_one(version_of):
    assert version_of('class A:\n    """Nothing."""\n') == version_of("class A:\n    pass\n")
