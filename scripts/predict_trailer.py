"""Predict the genres of one trailer with the best run's checkpoint."""

import json
import logging
from pathlib import Path

from trailers12k.classifier import checkpoint
from trailers12k.classifier import prediction as predictions
from trailers12k.common.files import write_json, write_text
from trailers12k.features import extraction as features
from trailers12k.features import store as stores
from trailers12k.features.backbones.names import read_weights, words_on
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    params, configured = snakemake.params, load(snakemake.config)
    trailer = json.loads(Path(snakemake.input.facts).read_text(encoding="utf-8"))
    clips = predictions.clips_of(trailer, params.clips)
    logging.info("%d clips", len(clips))
    rows, paths = {}, []
    for stream, store in params.streams.items():
        paths.append(Path(f"data/{store['name']}.zarr"))
        weights = read_weights(store["weights"]) if store["weights"] else None
        determined = features.determined_by(
            store["backbone"], params.clips, store["code"], params.seed, weights
        )
        predictions.check_store(paths[-1], determined)
        batch = configured.backbones[store["name"]].batch
        rows[stream] = predictions.features_of(
            trailer,
            clips,
            store["backbone"] | {"batch": batch},
            params.clips,
            params.seed,
            weights,
            configured.device,
        )
        logging.info("%s: %d vectors", store["name"], len(rows[stream]))
    model, settings = checkpoint.load(params.checkpoint["checkpoint"])
    probabilities, added = predictions.explain(model, rows, settings.snippet)
    words = words_on(map(stores.attributes, paths))
    told = predictions.report(params.address, params.checkpoint, words, clips, probabilities, added)
    write_json(snakemake.output.json, told)
    write_text(snakemake.output.table, predictions.table(told))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
