"""Lists all trailers and their flags.

Reads movies.csv, ledgers, embeddings and contact sheets; writes trailers.csv and flags.csv. Must
not know pages.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from trailers12k.common.files import write_csv
from trailers12k.evaluation.frames import read_embedding
from trailers12k.review.flags import COLUMNS, flag
from trailers12k.review.trailer_table import TRAILERS, TrailerFiles, list_trailers


def flag_trailers(
    trailers: str | Path,
    flags: str | Path,
    files: TrailerFiles,
    embeddings: Iterable[str | Path],
    contact_sheets: Path,
) -> None:
    """Writes trailers.csv and flags.csv.

    embeddings: map/STORE.csv of every store of frames or clips. contact_sheets: folder of MID.jpg.
    """
    rows = pd.DataFrame(list_trailers(trailers, files), columns=TRAILERS, dtype=str)
    tables = {Path(path).stem: read_embedding(path) for path in embeddings}
    write_csv(flags, COLUMNS, flag(rows, tables, contact_sheets).to_dict("records"))
