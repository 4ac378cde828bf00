"""A row without training through the real rules: one job, by the texts of the configuration."""

import csv
import json

import pytest

from trailers12k.common.vocabulary import GENRES, SPLITS

from .conftest import Project

pytest.importorskip("transformers")
STORE, RUN = "posters_clip", "asked"
RECORD, SCORES = f"results/runs/{RUN}/zero_shot.json", "results/transfer/tst.csv"


@pytest.fixture(scope="module")
def asked(tmp_path_factory, sample) -> Project:
    """The built sample, with a store of CLIP and the predictions by texts."""
    project = Project.copied(sample.folder, tmp_path_factory.mktemp("asked") / "project")
    model = {"model": "hf/openai/clip-vit-base-patch32", "input": "posters"}
    project.config["backbones"][STORE] = model
    project.config["runs"][RUN] = {"poster": STORE, "zero_shot": True}
    project.config["zero_shot"]["templates"] = ["a poster of {genre}"]
    run = project.build(SCORES)
    assert run.jobs["predict_zero_shot"] == 1
    # Other jobs put their results back: the file of random networks has one more.
    assert RUN not in run.wildcards("train_run", "run") and not run.jobs["fetch_tokenizer"]
    assert STORE not in run.wildcards("pack_store", "store")
    return project


def rows(project: Project, path: str) -> list[dict[str, str]]:
    with (project.folder / path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_split_predicts_exactly_the_movies_with_features(asked):
    stored = {row["mid"] for row in rows(asked, f"data/{STORE}.csv")}
    labels = rows(asked, "data/mtgc.csv")
    for split in SPLITS:
        for subset, name in (("1", "val"), ("2", "tst")):
            predicted = rows(asked, f"results/runs/{RUN}/split{split}/{name}.csv")
            of_subset = {row["mid"] for row in labels if row[f"split{split}"] == subset}
            assert {row["mid"] for row in predicted} == of_subset & stored != set()
            scores = [float(row[genre]) for row in predicted for genre in GENRES]
            assert all(0 < score < 1 for score in scores) and len({*scores}) > len(predicted)


def test_the_record_has_the_texts_and_the_network(asked):
    record = json.loads((asked.folder / RECORD).read_text())
    assert record["templates"] == ["a poster of {genre}"] and {*record["prompts"]} == {*GENRES}
    assert record["model"] == "hf/openai/clip-vit-base-patch32" and record["pretrained"] is False
    assert (record["store"], record["stream"]) == (STORE, "poster")


def test_the_row_is_scored_and_a_new_text_changes_it_alone(asked):
    scored = [row for row in rows(asked, SCORES) if row["run"] == RUN]
    assert [row["split"] for row in scored] == [*SPLITS]
    assert {(row["classifier"], row["pretrained"], row["epoch"]) for row in scored} == {
        ("zero_shot", "false", "0")
    }
    asked.config["zero_shot"]["templates"] = ["another poster of {genre}"]
    dry = asked.build("-n", SCORES)
    assert dry.jobs == {"predict_zero_shot": 1, "score_runs": 1}


def test_a_model_that_reads_no_texts_is_refused_at_once(asked):
    asked.config["backbones"]["words"] = {"model": "hf/openai/whisper-tiny", "input": "audio"}
    asked.config["runs"]["words"] = {"audio": "words", "zero_shot": True}
    run = asked.run("-n")
    assert run.code and "runs.words.audio: hf/openai/whisper-tiny has no text network" in run.text
