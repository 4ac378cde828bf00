"""Fetch one of the authors' stores."""

from functools import partial
from pathlib import Path

from trailers12k.downloads import published
from trailers12k.downloads.http import archives
from trailers12k.features import published_store
from trailers12k.jobs.context import job
from trailers12k.settings import load


def main() -> None:
    # No params: they determine no result.
    settings = load(snakemake.config)
    archive = published.fetch_archive(
        **published.with_md5(snakemake.params.file, snakemake.input.sums),
        folder=Path("build/published"),
        keep=settings.published.keep_archives,
        bounds=archives(settings.downloads.private_addresses),
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
    with job(snakemake.log[0], snakemake.input, snakemake.output):
        main()
