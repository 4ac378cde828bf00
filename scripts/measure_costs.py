"""Sum up what the jobs of each rule took, when they last ran."""

from trailers12k import overview
from trailers12k.files import write_csv
from trailers12k.jobs import job


def main() -> None:
    rows = overview.costs("benchmarks", snakemake.params.known)
    write_csv(snakemake.output.costs, overview.COSTS, rows)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
