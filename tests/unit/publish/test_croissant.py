"""croissant.json says what the run counted and the authors stated; any text stays valid."""

import json
from dataclasses import replace
from datetime import date

from tests.readers import tools
from trailers12k.publish.facts import Creator, Licence, Loss, Statements
from trailers12k.publish.texts import citation, croissant, rai

from . import examples

ON = date(2026, 11, 27)
FIELDS = (
    *("dataCollection", "dataCollectionType", "dataCollectionMissingData"),
    *("dataCollectionRawData", "dataCollectionTimeframe", "dataImputationProtocol"),
    *("dataManipulationProtocol", "dataPreprocessingProtocol", "dataAnnotationProtocol"),
    *("dataAnnotationPlatform", "dataAnnotationAnalysis", "annotationsPerItem"),
    *("annotatorDemographics", "machineAnnotationTools", "dataReleaseMaintenancePlan"),
    *("personalSensitiveInformation", "dataSocialImpact", "dataBiases", "dataLimitations"),
    "dataUseCases",
)
"""Of the vocabulary for responsible AI."""
OF_AUTHORS = {
    "annotatorDemographics": "annotators",
    "dataReleaseMaintenancePlan": "maintenance",
    "personalSensitiveInformation": "personal_data",
    "dataSocialImpact": "social_impact",
    "dataUseCases": "use_cases",
}
HOSTILE = f'{examples.HOSTILE} @id "\\ \u2028\x85 ]}}, '
FILES = examples.files(
    *("movies.csv.gz", "clips.csv.gz", "mtgc.csv", "splits.csv", "ledger.csv.gz"),
    *(f"features/{examples.STORE}/{name}-00000-of-00001.parquet" for name in ("train", "test")),
    f"{examples.STORE}.zarr.tar.gz",
)


def hostile():
    """Facts of which each text tries to be markup."""
    texts = {name: f"{HOSTILE}\n---\n- {HOSTILE}" for name in OF_AUTHORS.values()}
    own = replace(
        examples.STATED,
        **texts,
        title=HOSTILE,
        description=f"{HOSTILE}\n---\n# {HOSTILE}",
        limitations=HOSTILE,
        creators=(
            Creator(f"{HOSTILE}, {HOSTILE}", HOSTILE, "0000-0002-1825-0097"),
            *map(Creator, (HOSTILE.replace(",", ""), ", ", "null", "2026-01-01", "Ada,")),
        ),
        license="https://example.org/?a='b'&{c}",
        keywords=(HOSTILE, "no", "1.0", "- a: b"),
        doi="10.1234/a'b<c>",
    )
    return examples.facts(
        statements=own,
        losses=[Loss("trailers", "failed", HOSTILE, 1, HOSTILE)],
        sources=[HOSTILE],
        credits=[HOSTILE],
        notes=[HOSTILE],
        stores=[examples.store(model=HOSTILE, licence=Licence(HOSTILE, True))],
    )


def test_every_file_has_its_sum_size_and_type():
    found = croissant.document(examples.facts(), FILES, ON)
    objects = {
        each["@id"]: each for each in found["distribution"] if each["@type"] == "cr:FileObject"
    }
    assert {*objects} == {file.path for file in FILES}
    for file in FILES:
        node = objects[file.path]
        assert node["contentUrl"] == file.path and node["sha256"] == file.sha256
        assert node["contentSize"] == f"{file.bytes} B"
    assert objects["mtgc.csv"]["encodingFormat"] == "text/csv"
    assert objects[f"{examples.STORE}.zarr.tar.gz"]["encodingFormat"] == "application/gzip"


def test_the_records_are_those_of_files_that_exist():
    found = croissant.document(examples.facts(), FILES, ON)
    names = [each["@id"] for each in found["recordSet"]]
    tables = ["movies", "labels", "clips", "ledger", "assignments", "splits"]
    assert names == [*tables, f"features/{examples.STORE}"]
    features = {each["@id"].split("/")[-1]: each for each in found["recordSet"][-1]["field"]}
    assert features["features"]["arrayShape"] == "4" and features["features"]["isArray"]
    of_splits = found["recordSet"][5]
    assert of_splits["dataType"] == "cr:Split"
    assert [row["splits/url"] for row in of_splits["data"]] == [
        "cr:TrainingSplit",
        "cr:ValidationSplit",
        "cr:TestSplit",
    ]
    few = croissant.document(examples.facts(), FILES[:1], ON)
    assert [each["@id"] for each in few["recordSet"]] == ["movies", "splits"]


def test_what_the_authors_stated_is_in_the_fields_of_schema_org():
    found = croissant.document(examples.facts(), FILES, ON)
    assert found["license"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert found["datePublished"] == "2026-11-27" and found["isLiveDataset"] is False
    ada, group = found["creator"]
    assert ada["@type"] == "sc:Person" and ada["name"] == "Ada Lovelace"
    assert ada["affiliation"]["name"] == "Somewhere"
    assert group == {"@type": "sc:Organization", "name": "A & B Group"}


def test_every_field_of_responsible_ai_is_filled():
    found = rai.fields(examples.facts())
    assert list(found) == [f"rai:{name}" for name in FIELDS]
    assert all(found.values())
    missing = found["rai:dataCollectionMissingData"]
    assert (
        "1 failed in trailers: removed (The video was deleted)" in missing and "3 movies" in missing
    )
    assert found["rai:dataCollectionTimeframe"] == ["2026-11-01", "2026-11-03"]
    assert found["rai:machineAnnotationTools"] == "not stated"
    assert found["rai:dataBiases"] == ["Genres are uneven."]
    assert found["rai:annotationsPerItem"].startswith("One decision of a person for 2 of 3 movies")
    assert found["rai:dataCollectionType"][0] == "Secondary Data analysis"
    for name, key in OF_AUTHORS.items():
        assert found[f"rai:{name}"] == getattr(examples.STATED, key)


def test_movies_that_several_stages_lost_for_one_reason_are_named_once():
    lost = [Loss(each, "skipped", "no_trailer", 3, "It has none.") for each in ("clips", "a", "b")]
    found = rai.fields(examples.facts(losses=lost))["rai:dataCollectionMissingData"]
    assert "Movies lost: 3 skipped in clips, a, b: no_trailer (It has none). The" in found


def test_stages_that_lost_other_movies_are_named_apart():
    one, other = frozenset({"tt0000001"}), frozenset({"tt0000002"})
    lost = [
        Loss("trailers", "failed", "unavailable", 1, "It is gone.", one),
        Loss("posters", "failed", "unavailable", 1, "It is gone.", other),
        Loss("clips", "failed", "unavailable", 1, "It is gone.", one),
    ]
    found = rai.fields(examples.facts(losses=lost))["rai:dataCollectionMissingData"]
    assert "1 failed in trailers, clips:" in found and "1 failed in posters:" in found


def test_only_what_detects_is_a_tool_of_annotation():
    stores = [examples.store(name, attributes={"detector_version": "Finder 1"}) for name in "ab"]
    found = rai.fields(examples.facts(stores=stores))
    assert found["rai:machineAnnotationTools"] == ["Finder 1"]


def test_addresses_are_named_only_where_the_dataset_has_some():
    online, offline = (
        json.dumps(croissant.document(examples.facts(addresses=number), FILES, ON))
        for number in (2, 0)
    )
    for words in ("genres and addresses", "their public addresses", "fetched from these"):
        assert words in online and words not in offline


def test_every_column_of_every_table_has_a_meaning():
    files = examples.files(*(file.path for file in FILES), "balance.csv", "sound.csv.gz")
    found = croissant.document(examples.facts(), files, ON)
    described = [(each["@id"], each["description"]) for own in found["recordSet"] for each in
            own["field"]]  # fmt: skip
    assert all(about and not about.startswith("Column ") for _, about in described)
    assert {"balance", "sound"} <= {own["@id"] for own in found["recordSet"]}


def test_weights_that_limit_the_use_are_limitations():
    bound = Licence("CC-BY-NC-4.0", True)
    stores = [
        *(examples.store(name, licence=bound) for name in ("a", "b")),
        examples.store("c", attributes={"pretrained": False}),
    ]
    assert rai.fields(examples.facts(stores=stores))["rai:dataLimitations"] == [
        "It is small.",
        "Made with random weights, for tests only: c.",
        "Made with weights that forbid commercial use (CC-BY-NC-4.0): a, b.",
    ]


def test_what_nobody_stated_is_not_stated():
    unknown = examples.facts(
        statements=Statements(), losses=[], decisions={}, began=None, ended=None, versions={},
        notes=[], stores=[],
    )  # fmt: skip
    found = rai.fields(unknown)
    assert list(found) == [f"rai:{name}" for name in FIELDS] and all(found.values())
    for name in (*OF_AUTHORS, "dataCollectionTimeframe", "machineAnnotationTools", "dataBiases"):
        assert found[f"rai:{name}"] == "not stated"
    assert found["rai:dataLimitations"] == ["not stated"]
    bare = croissant.document(unknown, [], ON)
    assert not {"license", "url", "creator", "keywords", "dateCreated"} & bare.keys()


def test_the_tools_of_the_field_accept_any_text(tmp_path):
    facts = hostile()
    text = croissant.text(facts, FILES, ON)
    assert json.loads(text) == croissant.document(facts, FILES, ON)
    (tmp_path / "croissant.json").write_text(text, encoding="utf-8")
    found = tools.read("croissant", tmp_path, cache=tmp_path)
    assert found["errors"] == found["warnings"] == []
    assert found["name"] == facts.statements.title
    assert found["biases"] == facts.notes
    cited = tmp_path / "CITATION.cff"
    cited.write_text(citation.text(facts, ON), encoding="utf-8")
    assert "are valid" in tools.validate_citation(cited, tmp_path)
