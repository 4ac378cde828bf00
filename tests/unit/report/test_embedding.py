"""Embeddings keep groups apart, find near-duplicates, and do not depend on the number of cores."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from trailers12k.features import store as stores
from trailers12k.report import embedding


def store_of(folder, arrays):
    """A store and its manifest."""
    store = folder / "of.zarr"
    stores.create(store, {"num_features": 6})
    for mid, values in arrays.items():
        stores.write(store, mid, values.astype(np.float32), {})
    rows = {"mid": list(arrays), "clips": [len(a) for a in arrays.values()], "fingerprint": "x"}
    pd.DataFrame(rows).to_csv(folder / "of.csv", index=False)
    return store, folder / "of.csv"


@pytest.fixture
def two_groups():
    """Forty movies around two points, of two to six clips, and a near-duplicate of the first."""
    draw = np.random.default_rng(3)
    arrays = {}
    for number in range(40):
        centre = np.full(6, 10.0 * (number % 2))
        arrays[f"tt{number:07d}"] = centre + draw.normal(size=(2 + number % 5, 6))
    arrays["tt0000040"] = arrays["tt0000000"] + 1e-3
    return arrays


def test_groups_are_apart_and_a_near_duplicate_is_the_nearest(tmp_path, two_groups):
    table = embedding.embed(*store_of(tmp_path, two_groups)).set_index("mid")
    assert list(table.index) == sorted(two_groups)
    places = table[["x", "y"]].to_numpy()
    group = np.array([int(mid[2:]) % 2 for mid in table.index])
    centres = [places[group == side].mean(axis=0) for side in (0, 1)]
    apart = np.linalg.norm(centres[0] - centres[1])
    within = max(
        np.linalg.norm(places[group == side] - centres[side], axis=1).mean() for side in (0, 1)
    )
    assert apart > 2 * within
    assert table.loc["tt0000000", "nearest"] == "tt0000040"
    assert table.loc["tt0000040", "nearest"] == "tt0000000"
    assert table.loc["tt0000040", "distance"] < 0.01 * table["distance"].median()
    assert (table.index != table["nearest"]).all()


def test_movies_with_equal_features_have_one_place(tmp_path):
    """Twelve copies of one trailer crashed t-SNE."""
    arrays = {f"tt{number:07d}": np.ones((3, 6)) for number in range(12)}
    table = embedding.embed(*store_of(tmp_path, arrays))
    assert (table[["x", "y", "distance"]] == 0).all(axis=None)


def test_distances_are_between_standardised_means(tmp_path, two_groups):
    table = embedding.embed(*store_of(tmp_path, two_groups)).set_index("mid")
    means = pd.DataFrame({mid: a.mean(axis=0) for mid, a in sorted(two_groups.items())}).T
    scaled = (means - means.mean()) / means.std(ddof=0)
    for mid, row in table.iterrows():
        all_ = np.linalg.norm(scaled - scaled.loc[mid], axis=1)
        all_[scaled.index.get_loc(mid)] = np.inf
        assert row["distance"] == pytest.approx(all_.min(), rel=1e-3)


def test_the_number_of_cores_does_not_change_the_bytes(tmp_path, two_groups):
    files = store_of(tmp_path, two_groups)
    written = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            embedding.write(tmp_path / "map.csv", embedding.embed(*files))
        written.append((tmp_path / "map.csv").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_few_movies_have_an_embedding(tmp_path, two_groups, count):
    some = dict(list(two_groups.items())[:count])
    table = embedding.embed(*store_of(tmp_path, some))
    assert list(table.columns) == ["mid", "x", "y", "nearest", "distance"]
    assert len(table) == count and np.isfinite(table[["x", "y"]].to_numpy(float)).all()
    embedding.write(tmp_path / "map.csv", table)
    assert len((tmp_path / "map.csv").read_text().splitlines()) == 1 + count


def test_a_constant_feature_is_allowed_and_movies_without_clips_are_left_out(tmp_path, two_groups):
    for values in two_groups.values():
        values[:, 2] = 5
    store, manifest = store_of(tmp_path, two_groups)
    with manifest.open("a") as file:
        file.write("tt9999999,0,x\n")
    table = embedding.embed(store, manifest)
    assert "tt9999999" not in set(table["mid"])
    assert np.isfinite(table["distance"]).all()
