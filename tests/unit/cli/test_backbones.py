"""`trailers12k backbones`."""


def test_the_papers_models_are_shown_with_size_and_licence(call):
    code, out, err = call("backbones")
    assert (code, err) == (0, "")
    row = next(line for line in out.splitlines() if line.startswith("timm/swin_tiny"))
    assert row.split()[-4:] == ["768", "mit", "global", "average"]


def test_a_filter_selects_models(call):
    code, out, _ = call("backbones", "r2plus1d")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "model",
        "torchvision/r2plus1d_18.KINETICS400_V1",
    ]


def test_too_many_models_are_listed_without_sizes(call):
    code, out, _ = call("backbones", "timm/*")
    assert code == 0 and len(out.splitlines()) > 1000
    assert out.splitlines()[-1].endswith("narrow the filter.")


def test_a_filter_without_a_match_is_an_error_in_one_line(call):
    code, out, err = call("backbones", "nosuchmodel")
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_models_are_found_by_their_input_and_others_of_the_family_are_named(call):
    code, out, _ = call("backbones", "audio")
    rows = out.splitlines()[1:]
    assert code == 0 and {"logmel/64", "silero/vad"} <= {row.split()[0] for row in rows}
    assert all(" audio " in row for row in rows[:-2])
    assert rows[-2].startswith("Also: hf/OWNER/NAME") and rows[-1].startswith("Also: logmel/BANDS")
    assert "Also" not in call("backbones", "resnet50")[1]


def test_a_filter_for_a_model_that_is_not_listed_says_what_can_be_named(call):
    for pattern, words in (("hf/me/mine", "hf/OWNER/NAME"), ("logmel/80", "8 to 256 mel bands")):
        code, out, err = call("backbones", pattern)
        assert (code, out, len(err.splitlines())) == (2, "", 1) and words in err
        assert f"'{pattern}'" in err
