import json

import numpy as np
import pandas as pd
import pytest

from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation import scores


@pytest.fixture
def scored(tmp_path):
    """tst.csv of two runs on 100 movies: "ResNet" ranks all labels correctly, "mine" at random."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (100, 10))
    mids = [f"tt{i:07d}" for i in range(100)]
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    for split in range(3):
        mtgc[f"split{split}"] = random.permutation(np.repeat([0, 1, 2], [70, 10, 20]))
    trained = []
    for run, skill in (("ResNet", 1.0), ("mine", 0.0)):
        for split in range(3):
            folder = tmp_path / run / f"split{split}"
            folder.mkdir(parents=True)
            test = mtgc[mtgc[f"split{split}"] == 2]
            guess = skill * test[list(GENRES)] + random.random((len(test), 10)) * 0.5
            guess.to_csv(folder / "tst.csv")
            (folder / "run.json").write_text(json.dumps({"best_epoch": 7}))
            trained.append(scores.TrainedSplit(run, split, folder))
    stores = scores.RunStores("untrained (random, seed 1)", False, frozenset(mids))
    rows = scores.score_runs(mtgc, trained, {"ResNet": stores, "mine": stores}, "test", seed=0)
    scores.write_scores(tmp_path / "tst.csv", rows)
    return pd.read_csv(tmp_path / "tst.csv")


@pytest.fixture
def options(tmp_path):
    """options.csv of two splits in which only the masked predictions rank all labels correctly."""
    mids = [f"tt{i:07d}" for i in range(40)]
    random = np.random.default_rng(0)
    labels = (random.random((40, 10)) < 0.3).astype(int)
    mtgc = pd.DataFrame(labels, index=pd.Index(mids, name="mid"), columns=list(GENRES))
    mtgc["split0"] = mtgc["split1"] = 2
    trained = []
    for split in range(2):
        folder = tmp_path / f"split{split}"
        folder.mkdir()
        for name, noise in (("tst", 3.0), ("tst_masked", 0.0)):
            guess = mtgc[list(GENRES)] + noise * random.random((40, 10))
            guess[1:].to_csv(folder / f"{name}.csv")
        trained.append(scores.TrainedSplit("ResNet", split, folder))
    rows = scores.score_options(mtgc, trained, ["masked", "sklearn"])
    scores.write_options(tmp_path / "options.csv", rows)
    return pd.read_csv(tmp_path / "options.csv")
