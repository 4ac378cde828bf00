"""The plan of a dry run as a table: per stage how many movies and jobs, and why.

Reads and writes nothing. Must not know Snakemake.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from trailers12k.workflow.run_display.plan import NEW, PlannedJob

MOST_ROWS = 30
"""Rows of the table; further stages are summed up, so that a plan has at most 40 lines."""
MOST_CAUSES = 3

EXPLAINED = "To check: jobs that run only because an earlier job runs; they may find nothing to do."
COLLECTS = "What follows depends on the movies that are collected first, so it is planned then."
VERBOSE = "No product was changed. All jobs with their files: add --verbose."


def summarize(jobs: Sequence[PlannedJob]) -> str:
    """The table of the planned jobs, in at most 40 lines."""
    stages = [list(of_stage) for _, of_stage in groupby(jobs, key=lambda job: job.stage)]
    rows = [(each[0].stage, *_cells(each)) for each in stages[:MOST_ROWS]]
    if rest := [job for each in stages[MOST_ROWS:] for job in each]:
        rows.append((f"{len(stages) - MOST_ROWS} further stages", *_cells(rest)))
    width = max(len(row[0]) for row in rows)
    heads = ("stage", "movies", "to run", "to check", "why")
    lines = [
        f"{stage:<{width}}  {movies:>6}  {own:>6}  {checks:>8}  {why}".rstrip()
        for stage, movies, own, checks, why in (heads, *rows)
    ]
    checks = any(not job.causes for job in jobs)
    notes = [EXPLAINED] * checks + [COLLECTS] * any(job.collects for job in jobs)
    movies = len({mid for job in jobs for mid in job.movies})
    total = "1 job would run" if len(jobs) == 1 else f"{len(jobs)} jobs would run"
    total += f", on {movies} movies:" if movies else ":"
    return "\n".join([total, "", *lines, "", *notes, VERBOSE])


def _cells(jobs: Sequence[PlannedJob]) -> tuple[str, str, str, str]:
    """Movies, jobs with a cause of their own, jobs without, and the causes."""
    movies = {(job.rule, mid) for job in jobs for mid in job.movies}
    rules = {rule for rule, _ in movies}
    own = [job for job in jobs if job.causes]
    causes = Counter(cause for job in own for cause in job.causes)
    named = sorted(causes, key=lambda cause: (-causes[cause], cause))
    named = [*named[:MOST_CAUSES], *["..."] * (len(named) > MOST_CAUSES)]
    new = sum(job.new for job in own)
    named = [f"{NEW}: {new}" if cause == NEW else cause for cause in named]
    why = ", ".join(named) or "an earlier job"
    numbers = len(movies) // max(1, len(rules)), len(own), len(jobs) - len(own)
    cells = [str(number) if number else "" for number in numbers]
    return cells[0], cells[1], cells[2], why
