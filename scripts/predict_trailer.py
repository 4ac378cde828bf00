"""Predict the genres of one trailer with the best run's checkpoint."""

import json
import logging
from pathlib import Path

from trailers12k.classifier import checkpoint, prediction
from trailers12k.common.files import write_json, write_text
from trailers12k.features import extraction as features
from trailers12k.features import store as stores
from trailers12k.features.backbones.names import read_weights, words_on
from trailers12k.jobs.context import job
from trailers12k.video.clip_detection import ClipSettings


def main() -> None:
    params = snakemake.params
    record = json.loads(Path(snakemake.input.facts).read_text(encoding="utf-8"))
    trailer = prediction.FetchedTrailer.from_record(record)
    settings = ClipSettings(**params.clips)
    clips = prediction.cut_into_clips(trailer, settings)
    logging.info("%d clips", len(clips))
    rows, paths = {}, []
    for stream, store in params.streams.items():
        paths.append(Path(f"data/{store['name']}.zarr"))
        weights = read_weights(store["weights"]) if store["weights"] else None
        code = store["code"]["package"]
        determined = features.determined_by(
            store["backbone"], params.clips, code, params.seed, weights
        )
        prediction.check_store(paths[-1], determined)
        batch = snakemake.config["backbones"][store["name"]]["batch"]
        rows[stream] = prediction.compute_features(
            trailer,
            clips,
            store["backbone"] | {"batch": batch},
            settings,
            params.seed,
            weights,
            snakemake.config["device"],
        )
        logging.info("%s: %d vectors", store["name"], len(rows[stream]))
    model, trained = checkpoint.load(params.chosen["checkpoint"])
    probabilities, contributions = prediction.attribute_by_occlusion(model, rows, trained.snippet)
    predicted = prediction.TrailerPrediction(
        params.address,
        prediction.ChosenRun(**params.chosen),
        words_on(map(stores.attributes, paths)),
        clips,
        probabilities,
        contributions,
    )
    write_json(snakemake.output.json, predicted.record())
    write_text(snakemake.output.table, predicted.table())


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
