"""List what is known of the trailers; tell which a person should look at first."""

from pathlib import Path

import pandas as pd

from trailers12k.common.files import write_csv
from trailers12k.jobs.context import job
from trailers12k.review import flags, trailer_table


def main() -> None:
    given = snakemake.input
    rows = trailer_table.list_trailers(
        snakemake.output.trailers,
        given.movies,
        given.ledger,
        given.downloaded,
        given.cut,
        snakemake.params.stores,
    )
    maps = {Path(path).stem: pd.read_csv(path) for path in given.maps}
    found = flags.flag(
        pd.DataFrame(rows, columns=trailer_table.TRAILERS, dtype=str),
        maps,
        Path(snakemake.params.sheets),
    )
    write_csv(snakemake.output.flags, flags.COLUMNS, found.to_dict("records"))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
