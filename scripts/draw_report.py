"""Sums the costs of the run, draws the remaining pictures, and writes the report page."""

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

SHEETS = ["build/sheets"] if snakemake.params.frames else []


def main() -> None:
    from trailers12k.report.page import TABLES, ReportInputs, draw_report

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
            contact_sheets=SHEETS[0] if SHEETS else None,
            current=params.names,
            credits=params.credits,
            existing=["splits"],
        ),
        snakemake.output.page,
        snakemake.output.costs,
    )


if __name__ == "__main__":
    # The times of jobs differ in each run; the page has those of the run that it was drawn in.
    run_job(
        snakemake,
        main,
        Reuse(ignored_columns=["attempts"], reads=SHEETS, implied=["benchmarks", "logs"]),
    )
