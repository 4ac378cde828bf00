"""Fetch one of the authors' stores."""

from functools import partial
from pathlib import Path

from trailers12k.downloads import published
from trailers12k.features import published_store
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    # No param: it determines no result.
    keep = load(snakemake.config).published.keep_archives
    archive = published.fetch_archive(
        **snakemake.params.file,
        folder=Path("build/published"),
        keep=keep,
        check_beginning=partial(
            published_store.check_beginning, name=f"{snakemake.wildcards.store}.zarr.tar.gz"
        ),
    )
    published_store.install(
        archive.path,
        archive.md5,
        store=Path(snakemake.output.group).parent,
        manifest=Path(snakemake.output.manifest),
    )
    if archive.is_temporary:
        archive.path.unlink()


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
