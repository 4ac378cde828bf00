"""Group the movies whose trailers are duplicates."""

from trailers12k.jobs.context import run_job


def main() -> None:
    from trailers12k.splits.duplicate_groups import group_duplicates

    inputs = snakemake.input
    group_duplicates(snakemake.output.groups, inputs.flags, inputs.movies)


if __name__ == "__main__":
    run_job(snakemake, main)
