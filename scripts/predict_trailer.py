"""Predict the genres of one trailer with the best run's checkpoint."""

import logging
from pathlib import Path

from trailers12k.classifier import prediction
from trailers12k.common import product_records
from trailers12k.common.files import read_json, reading, write_json, write_text
from trailers12k.features import store as stores
from trailers12k.features.backbones.names import describe_weights
from trailers12k.features.recipes import recipe_of
from trailers12k.features.weights_record import read_weights
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.video.clip_detection import ClipSettings


def main() -> None:
    params, configured = snakemake.params, load(snakemake.config)
    product_records.check(params.checkpoint["checkpoint"])
    with reading(snakemake.input.facts):
        trailer = prediction.FetchedTrailer.from_record(read_json(snakemake.input.facts))
    detection = {key: value for key, value in params.clips.items() if key != "crop_bars"}
    clips, bars = prediction.cut_into_clips(trailer, ClipSettings(**detection))
    logging.info("%d clips", len(clips))
    rows, paths = {}, []
    # Sound first: where a trailer has none, nothing else need be computed.
    for stream, store in sorted(params.streams.items(), key=lambda pair: pair[0] != "audio"):
        paths.append(Path(f"data/{store['name']}.zarr"))
        weights = read_weights(Path(store["weights"])) if store["weights"] else None
        batch = configured.backbones[store["name"]].batch
        recipe = recipe_of(
            store["backbone"] | {"batch": batch},
            params.clips,
            store["code"],
            params.seed,
            weights,
        )
        prediction.check_store(paths[-1], recipe.determined_by)
        rows[stream] = prediction.compute_features(trailer, clips, bars, recipe, configured.device)
        logging.info("%s: %d vectors", store["name"], len(rows[stream]))
    predicted = prediction.predict_trailer(
        params.address,
        prediction.ChosenRun(**params.checkpoint),
        describe_weights(map(stores.attributes, paths)),
        clips,
        rows,
    )
    write_json(snakemake.output.json, predicted.record())
    write_text(snakemake.output.table, predicted.table())


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
