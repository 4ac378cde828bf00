"""Predict the genres of all splits' movies without training, by texts about each genre."""

from pathlib import Path

from trailers12k.common.vocabulary import SPLITS, STREAMS
from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

RUN = snakemake.params.run
STREAM = next(name for name in STREAMS if name in RUN)
STORE = Path(f"data/{RUN[STREAM]}.zarr")
RECORDS = [*snakemake.input.weights, *snakemake.input.tokenizer]


def main() -> None:
    import torch

    from trailers12k.classifier import labels, zero_shot
    from trailers12k.common.errors import UserError
    from trailers12k.common.files import write_json
    from trailers12k.features import store_index
    from trailers12k.features.backbones import hub_text
    from trailers12k.features.store_attributes import attributes
    from trailers12k.features.tokenizer_record import read_record
    from trailers12k.features.weights_record import read_weights
    from trailers12k.workflow.split_check import require_features

    torch.set_num_threads(snakemake.threads)
    params = snakemake.params
    weights = tokenizer = None
    if RECORDS:
        weights = read_weights(Path(RECORDS[0]))
        tokenizer = read_record(Path(RECORDS[1]), weights).files
        if attributes(STORE).get("weights_sha256") != weights.sha256:
            raise UserError(f"{STORE} is of other weights than {RECORDS[0]}; run features again")
    network = hub_text.load(**params.network, weights=weights, tokenizer=tokenizer)
    prompts = zero_shot.Prompts(**params.prompts)
    embeddings = zero_shot.embed_genres(network, prompts)

    table = labels.read_labels(snakemake.input.mtgc)
    listed = store_index.read_manifest(STORE.with_suffix(".csv"))
    present = [row for row, mid in enumerate(table.mids) if mid in listed]
    mids, splits = [table.mids[row] for row in present], table.splits[present]
    require_features(table.mids, table.splits, mids, [STORE.stem])
    probabilities = zero_shot.score_store(STORE, mids, embeddings)
    folder = Path(snakemake.output.record).parent
    for split in SPLITS:
        zero_shot.write_split(folder / f"split{split}", mids, splits[:, int(split)], probabilities)
    write_json(
        snakemake.output.record,
        {
            "run": snakemake.wildcards.run,
            "stream": STREAM,
            "store": STORE.stem,
            **network.attributes,
            "templates": prompts.templates,
            "prompts": prompts.phrases,
            "embedding": zero_shot.EMBEDDING,
            "score": zero_shot.SCORE,
        },
    )


if __name__ == "__main__":
    # The manifest has the fingerprint of every array; the tokenizer's record has its hashes.
    run_job(snakemake, main, Reuse(implied=[STORE, "build/weights"]))
