"""Write the publication of a finished run, and stamp it."""

from trailers12k.jobs.context import job


def main() -> None:
    from trailers12k.publish import publication, stamp
    from trailers12k.settings import load

    publication.write(load(snakemake.config), stamp.FOLDER)
    stamp.write(snakemake.params.attempts)


if __name__ == "__main__":
    # Without the look-up of earlier results: a copy of all archives would be kept for it.
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
