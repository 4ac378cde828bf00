"""Write the leaderboard: the results table with what it takes to repeat each row."""

from pathlib import Path

from trailers12k.jobs.context import run_job
from trailers12k.jobs.result_cache import Reuse

# The licence of weights changes the attributes of a store, and no input.
ATTRIBUTES = [f"data/{store}.zarr/.zattrs" for store in snakemake.params.stores]


def main() -> None:
    from trailers12k.evaluation.rows import result_rows
    from trailers12k.report.leaderboard import LeaderboardInputs, write_leaderboard

    inputs, params = snakemake.input, snakemake.params
    write_leaderboard(
        LeaderboardInputs(
            Path(inputs.summary),
            Path(inputs.mtgc),
            result_rows(params.runs, params.baselines),
        ),
        snakemake.output.leaderboard,
    )


if __name__ == "__main__":
    # The times of jobs differ in each run; the table has those of the run that it was made in.
    run_job(snakemake, main, Reuse(reads=ATTRIBUTES, implied=["benchmarks", "logs"]))
