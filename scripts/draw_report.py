"""Sums the costs of the run, draws the remaining pictures, and writes the report page."""

from trailers12k.jobs.context import job
from trailers12k.report.page import TABLES, ReportInputs, draw_report


def main() -> None:
    inputs, params = snakemake.input, snakemake.params
    # An optional input is a list of no file or of one file.
    files = {name: inputs.get(name) or [] for name in TABLES}
    draw_report(
        ReportInputs(
            tables={
                name: path if isinstance(path, str) else path[0]
                for name, path in files.items()
                if path
            },
            config=inputs.config,
            embeddings=inputs.maps,
            labels=inputs.labels or None,
            contact_sheets="build/sheets" if params.frames else None,
            current=params.names,
            credits=params.credits,
            existing=["splits"],
        ),
        snakemake.output.page,
        snakemake.output.costs,
    )


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
