"""Sum up costs, draw what is left to draw, and put all pictures and numbers into one page."""

from pathlib import Path

import pandas as pd

from trailers12k.common.files import read_csv, write_csv, write_text
from trailers12k.jobs.context import job
from trailers12k.report import atlas, formatting, pictures
from trailers12k.report import costs as costs_
from trailers12k.report import page as pages
from trailers12k.report import thumbnails as sprites


def main() -> None:
    given = snakemake.input
    folder = Path(formatting.FIGURES_FOLDER)
    costs = costs_.costs("benchmarks", snakemake.params.names)
    write_csv(snakemake.output.costs, costs_.COSTS, costs)
    # What may be missing is a list, of none or of one.
    there = {name: given.get(name) or [] for name in pages.TABLES}
    there["costs"] = snakemake.output.costs
    listed = {name: [path] if isinstance(path, str) else path for name, path in there.items()}
    tables = pages.read_tables({name: paths[0] for name, paths in listed.items() if paths})
    maps = {Path(path).stem: pd.read_csv(path) for path in given.maps}
    found = pictures.pictures(tables)
    pictures.draw(found, folder, drawn=["splits"])
    movies = tables.get("trailers")
    if movies is None:
        movies = atlas.unnamed(pd.read_csv(given.labels))
    atlas.draw_maps(maps, movies, folder)
    shown = None
    if given.trailers and snakemake.params.frames:
        shown = sprites.build("build/sheets", sprites.of_rows(read_csv(given.trailers)))
    text = pages.report(
        tables,
        found,
        config=Path(given.config).read_text(encoding="utf-8"),
        paths={"ledger": "data/ledger.csv"} if given.trailers else None,
        maps=maps,
        movies=movies,
        sprites=shown,
        credits=snakemake.params.credits,
    )
    write_text(snakemake.output.page, text)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
