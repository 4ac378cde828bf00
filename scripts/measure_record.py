"""Report what disk space and time the authors' stores need; record the kind of collection."""

import logging
import shutil

from trailers12k.common.files import read_csv, write_csv
from trailers12k.downloads import published
from trailers12k.jobs.context import job
from trailers12k.settings import load
from trailers12k.workflow import folder
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.source_plan import SourcePlan


def main() -> None:
    settings = load(snakemake.config)
    record, features = SourcePlan(settings), FeaturePlan(settings)
    addresses = {store: record.store_archive(store)["address"] for store in features.stores}
    movies = len(read_csv(snakemake.input.table, ["mid"], key=["mid"]))
    sizes = published.sizes(addresses, features.inputs, movies)
    keep = settings.published.keep_archives
    published.check_room(sizes, keep, shutil.disk_usage(".").free)
    streams = sum(len(run.streams) for run in settings.runs.values())
    hours = published.training_hours(movies, streams, settings.training.epochs)
    logging.info("training: at most %.1f CPU hours, which all cores share", hours)
    rows = [{"store": store, "bytes": size} for store, size in sizes.items()]
    folder.write_collection(settings.collection)
    write_csv(snakemake.output.sizes, ("store", "bytes"), rows)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
