"""Find the shots of one shard's trailers and cut them into clips."""

from pathlib import Path

from trailers12k.common.files import write_csv
from trailers12k.jobs import ledger
from trailers12k.jobs.context import job
from trailers12k.video import clips


def main() -> None:
    output, table = Path(snakemake.output.ledger), Path(snakemake.output.clips)
    rows, clip_rows = clips.detect_shard(
        ledger.read_shard(snakemake.input.trailers),
        snakemake.params.settings,
        snakemake.params.code,
        records=output.with_suffix(""),
        products=table.with_suffix(""),
        pictures=Path("build/sheets"),
    )
    write_csv(table, clips.COLUMNS, clip_rows)
    ledger.write_shard(output, rows, clips.LEDGER_COLUMNS)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
