"""Say what the authors' stores need of disk and time."""

import logging
import shutil

from trailers12k.common.files import read_csv, write_csv
from trailers12k.downloads import published
from trailers12k.jobs.context import job
from trailers12k.workflow.plan import Plan


def main() -> None:
    plan = Plan(snakemake.config)
    addresses = {store: plan.published_store(store)["address"] for store in plan.stores}
    sizes = published.sizes(addresses)
    keep = plan.config["published"]["keep_archives"]
    published.check_room(sizes, keep, shutil.disk_usage(".").free)
    movies = len(read_csv(snakemake.input.table))
    streams = sum(len(plan.streams(run)) for run in plan.runs)
    hours = published.training_hours(movies, streams, plan.config["training"]["epochs"])
    logging.info("training: at most %.1f CPU hours, which all cores share", hours)
    rows = [{"store": store, "bytes": size} for store, size in sizes.items()]
    write_csv(snakemake.output.sizes, ("store", "bytes"), rows)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
