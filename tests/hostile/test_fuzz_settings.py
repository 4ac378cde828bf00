"""Random configurations: YAML, and values as Snakemake hands them over."""

import datetime
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.fuzzing import answered, changed, damaged, examples, texts, values
from trailers12k.settings import load, plain
from trailers12k.settings.files import check_keys, override, read_config, read_file

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config.yaml"
DEFAULT = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
PRESET = yaml.safe_load((ROOT / "presets" / "trailers12k.yaml").read_text(encoding="utf-8"))
odd = st.one_of(
    values,
    st.sampled_from(
        (
            *(
                b"bytes",
                datetime.date(2026, 11, 26),
                {1, 2},
                (1, 2),
                {None: 1},
                {1: {2: 3}},
                {True: 1},
            ),
            *({"a\n": 1}, {"a" * 300: {}}, float("nan"), float("-inf"), 2.0, 1.5, True, 10**30),
            *(
                "{movie}",
                "a{b}c",
                "x\n",
                "../x",
                "/dev/zero",
                "CLIENT.CONTEXT+TOKEN",
                "web.gvs+a b",
            ),
        )
    ),
)


@given(config=st.sampled_from((DEFAULT, PRESET)).flatmap(lambda each: changed(each, odd)))
@examples(250)
def test_settings(config):
    if not isinstance(config, dict):
        return
    settings, _ = answered(load, config)
    if settings is not None:
        again = plain(settings)
        assert plain(load(again)) == again
        assert "NaN" not in repr(again) and "inf" not in re.findall(r"[a-z]+", repr(again))


@given(
    text=st.one_of(
        damaged(CONFIG.read_bytes()[:3000]),
        values.map(lambda value: yaml.dump(value).encode("utf-8", "surrogatepass")),
        st.lists(
            st.one_of(
                texts,
                st.sampled_from(
                    (
                        "a: ",
                        "- ",
                        "&a ",
                        "*a",
                        "<<: ",
                        "!!python/object:os.system ",
                        "? ",
                        "{",
                        "[",
                        "\n",
                    )
                ),
            ),
            max_size=12,
        ).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    )
)
@examples(300)
def test_configuration_files(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_bytes(text)
    content, _ = answered(read_file, "config.yaml")
    config, _ = answered(read_config)
    assert (content is None) == (config is None)
    answered(check_keys, ["config.yaml"])
    if config is not None:
        assert override(config, {}) == config or _has_nan(config)
        answered(load, config)


def _has_nan(value):
    return "nan" in repr(value)


@pytest.mark.parametrize("key", ["po_token"])
@given(token=texts)
@examples(60)
def test_a_secret_is_in_no_message(key, token):
    secret = f"s3cret{token}"
    _, said = answered(load, {"trailers": {key: secret}})
    assert "s3cret" not in said
