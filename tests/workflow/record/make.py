"""How the record beside this file was made: `python make.py` with zarr 2.18.7, as the authors'.

Six stores of 30 made-up movies, blosc-compressed, several chunks an array, and a table of splits. A
feature is a label of its movie, or the place of its clip: `values` tells, and tests ask it.
"""

import csv
import io
import tarfile
import tempfile
from pathlib import Path

import numpy as np

GENRES = (
    *("action", "adventure", "comedy", "crime", "drama", "fantasy", "horror", "romance"),
    *("sci-fi", "thriller"),
)
STORES = {
    "trailers_i_shufflenet_fpc24": 12,
    "trailers_k_shufflenet_fps24_fpc24": 12,
    "trailers_i_resnet_fpc24": 16,
    "trailers_k_r2plus1d_fps24_fpc24": 11,
    "trailers_i_swin_fpc24": 14,
    "trailers_ik_swin_fps24_fpc24": 14,
}
MOVIES = 30
MIDS = ["tt12345678", *(f"tt{9000000 + number * 7}" for number in range(1, MOVIES))]


def labels():
    """(30, 10) of 0 and 1: each movie has two genres."""
    made = np.zeros((MOVIES, len(GENRES)), int)
    for movie in range(MOVIES):
        made[movie, [movie % 10, (movie % 10 + 1 + movie // 10) % 10]] = 1
    return made


def subsets(split):
    """(30,) of 0, 1, 2: 21, 3 and 6 movies."""
    return np.array([0] * 21 + [1] * 3 + [2] * 6)[np.random.default_rng(split).permutation(MOVIES)]


def clips(movie):
    """How many clips a movie has: 3 to 32."""
    return 3 + movie


def values(movie, features):
    """(clips, features) float32: the labels, and in the further columns the place of the clip."""
    rows = np.zeros((clips(movie), features), np.float32)
    rows[:, :10] = labels()[movie] + 0.5
    rows[:, 10:] = np.arange(clips(movie))[:, None] / 8
    return rows


def main():
    import zarr

    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        for store, features in STORES.items():
            group = zarr.open_group(f"{folder}/{store}.zarr", mode="w")
            group.attrs["num_features"] = features
            for movie, mid in enumerate(MIDS):
                group.create_dataset(mid, data=values(movie, features), chunks=(8, 6))
            with tarfile.open(here / f"{store}.zarr.tar.gz", "w:gz") as archive:
                archive.add(f"{folder}/{store}.zarr", f"{store}.zarr")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["mid", *GENRES, "split0", "split1", "split2"])
    columns = [subsets(split) for split in range(3)]
    for movie, mid in enumerate(MIDS):
        writer.writerow([mid, *labels()[movie], *(column[movie] for column in columns)])
    (here / "mtgc.csv").write_text(text.getvalue())


if __name__ == "__main__":
    main()
