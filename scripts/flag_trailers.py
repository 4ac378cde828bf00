"""Tell which trailers a person should look at first."""

from pathlib import Path

import pandas as pd

from trailers12k import flags
from trailers12k.files import write_csv
from trailers12k.jobs import job


def main() -> None:
    maps = {Path(path).stem: pd.read_csv(path) for path in snakemake.input.maps}
    trailers = pd.read_csv(snakemake.input.trailers, dtype=str, keep_default_na=False)
    found = flags.flag(trailers, maps, Path(snakemake.params.sheets))
    write_csv(snakemake.output.flags, flags.COLUMNS, found.to_dict("records"))


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
