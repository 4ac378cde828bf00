"""Have one of the authors' stores."""

from pathlib import Path

from trailers12k.downloads import published
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    published.fetch_store(
        **snakemake.params.file,
        folder=Path("build/published"),
        store=Path(snakemake.output.group).parent,
        manifest=Path(snakemake.output.manifest),
        # No param: it changes no result.
        keep=load(snakemake.config).published.keep_archives,
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
