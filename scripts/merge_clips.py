"""Put the shards' clips into data/clips.csv."""

import logging

from trailers12k import clips
from trailers12k.files import read_csv, write_csv
from trailers12k.jobs import job


def main() -> None:
    rows = [row for path in snakemake.input.clips for row in read_csv(path)]
    rows.sort(key=lambda row: (row["mid"], int(row["clip"])))
    write_csv(snakemake.output.clips, clips.COLUMNS, rows)
    logging.info("%d clips of %d trailers", len(rows), len({row["mid"] for row in rows}))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main()
