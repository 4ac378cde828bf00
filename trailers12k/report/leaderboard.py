"""The leaderboard: a row for each row of the results table, with what it takes to repeat it.

Reads summary.csv, mtgc.csv, the attributes of stores, checkpoints and benchmarks/; writes
leaderboard.csv. Must not know how leaderboards are joined.
"""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailers12k import __version__
from trailers12k.common.files import inside, read_csv, reading, sha256_of, write_csv
from trailers12k.common.sound_models import HUB_FAMILY
from trailers12k.common.vocabulary import GENRES, METRICS, SPLITS, STREAMS
from trailers12k.evaluation.leaderboards import COLUMNS, SPREAD, TESTS
from trailers12k.evaluation.rows import DIVITA, ResultRow
from trailers12k.features.backbones.parameter_counts import parameters_of
from trailers12k.features.backbones.weights_licenses import is_non_commercial, recorded
from trailers12k.features.store_attributes import attributes
from trailers12k.features.store_costs import BENCHMARKS, costs_of

LIBRARIES = ("torch", "torchvision", "timm", "transformers")
TEST = "2"
"""In the columns of splits of mtgc.csv."""
CPU = "CPU"


@dataclass(frozen=True)
class LeaderboardInputs:
    """What `write_leaderboard` reads.

    rows: of the results table, without chance. benchmarks: the folder, see `store_costs`.
    """

    summary: Path
    mtgc: Path
    rows: Sequence[ResultRow]
    benchmarks: Path = BENCHMARKS
    data: Path = Path("data")

    def attributes(self, store: str) -> dict[str, Any]:
        """The attributes of a store."""
        return attributes(inside(self.data, f"{store}.zarr"))


def write_leaderboard(inputs: LeaderboardInputs, path: str | Path) -> None:
    """Write leaderboard.csv, in the order of summary.csv; chance has no streams.

    Raises `UserError` for a damaged table or store.
    """
    summary = read_csv(inputs.summary, ["run", "pretrained", "movies", "of", *METRICS], key=["run"])
    rows = {row.name: row for row in inputs.rows}
    same = hashes(inputs.mtgc)
    write_csv(
        path,
        COLUMNS,
        [_row(inputs, cells, rows.get(cells["run"])) | same for cells in summary],
    )


def hashes(mtgc: Path) -> dict[str, str]:
    """The columns `leaderboards.SAME`: hashes of mtgc.csv, its labels and its test movies."""
    splits = [f"split{split}" for split in SPLITS]
    rows = sorted(read_csv(mtgc, ["mid", *GENRES, *splits], key=["mid"]), key=lambda r: r["mid"])
    labels = [",".join([row["mid"], *(row[genre] for genre in GENRES)]) for row in rows]
    found = {"labels_sha256": _hash(labels), "mtgc_sha256": sha256_of(mtgc)}
    for name, split in zip(TESTS, splits, strict=True):
        found[name] = _hash([row["mid"] for row in rows if row[split] == TEST])
    return found


def _hash(lines: Sequence[str]) -> str:
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _row(
    inputs: LeaderboardInputs, cells: Mapping[str, str], row: ResultRow | None
) -> dict[str, object]:
    """A row without its hashes. cells: of summary.csv. row: None for chance."""
    names = [*METRICS, *(f"{metric}_{end}" for metric in METRICS for end in SPREAD)]
    found: dict[str, object] = dict.fromkeys(COLUMNS, "")
    found |= {name: cells.get(name, "") for name in names}
    found |= {"row": cells["run"], "movies": cells["movies"], "of": cells["of"]}
    found |= {"pretrained": cells["pretrained"], "workflow": __version__}
    if row is None:
        return found
    about = {store: inputs.attributes(store) for store in row.streams.values()}
    licenses = [recorded(each) for each in about.values()]
    found |= {stream: row.streams.get(stream, "") for stream in STREAMS}
    found |= {
        "classifier": row.classifier,
        "fusion": row.fusion,
        "shuffled": str(row.shuffled).lower(),
        "encoders": _joined(str(each.get("backbone", "")) for each in about.values()),
        "weights_license": _joined(licenses),
        "non_commercial": str(
            any(map(is_non_commercial, licenses))
            or any(each.get("weights_non_commercial") is True for each in about.values())
        ).lower(),
        "encoder_parameters": _encoder_parameters([*about.values()]),
        "classifier_parameters": _classifier_parameters(row),
        "code": _joined(_code(each) for each in about.values()),
    }
    for library in LIBRARIES:
        found[library] = _joined(_version(each, library) for each in about.values())
    return found | _seconds(inputs, about)


def _joined(texts: Any) -> str:
    """The texts, each once, without empty ones."""
    return "|".join(dict.fromkeys(filter(None, texts)))


def _version(about: Mapping[str, Any], library: str) -> str:
    versions = about.get("versions")
    recorded = versions.get(library) if isinstance(versions, dict) else None
    # Stores of pictures of the hub record that of transformers beside the others.
    return str(recorded or about.get(library) or "")


def _code(about: Mapping[str, Any]) -> str:
    determined = about.get("determined_by")
    return str(determined.get("code", "")) if isinstance(determined, dict) else ""


def _encoder_parameters(about: Sequence[Mapping[str, Any]]) -> int | str:
    """The parameters of the different encoders together; empty where one is not known.

    Random weights of the hub are those of a small network, not of the encoder that is named.
    """
    counts = {}
    for each in about:
        model = str(each.get("backbone", ""))
        if model.startswith(f"{HUB_FAMILY}/") and each.get("pretrained") is not True:
            return ""
        stated = each.get("parameters")
        count = stated if isinstance(stated, int) else parameters_of(model)
        if count is None:
            return ""
        counts[model] = count
    return sum(counts.values())


def _classifier_parameters(row: ResultRow) -> int | str:
    """The numbers of the first split's checkpoint, all float32; empty for other classifiers.

    Counted from the sizes of the archive's members, without PyTorch.
    """
    if row.classifier != DIVITA:
        return ""
    path = row.folder(SPLITS[0]) / "best.pt"
    with reading(path), zipfile.ZipFile(path) as archive:
        members = [each for each in archive.infolist() if "/data/" in each.filename]
        return sum(each.file_size for each in members) // 4


def _seconds(
    inputs: LeaderboardInputs, about: Mapping[str, Mapping[str, Any]]
) -> dict[str, object]:
    """What the stores of a row took a movie, all together; {} where that of one is not known.

    about: store -> its attributes.
    """
    total, devices, together = 0.0, [], []
    for store, own in about.items():
        costs = costs_of(store, str(own.get("fingerprint", "")), inputs.benchmarks)
        if not costs:
            return {}
        total += sum(cost.seconds for cost in costs) / sum(cost.movies for cost in costs)
        devices += [CPU if cost.device == "cpu" else cost.device for cost in costs]
        together.append(str(max(cost.together for cost in costs)))
    return {
        "seconds_per_movie": f"{total:.3g}",
        "seconds_on": _joined(devices),
        "stores_together": "|".join(together),
    }
