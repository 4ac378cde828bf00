"""Snippets that read a publication, with the names of its own stores and movies.

Reads and writes nothing. Tests execute them in a publication. Must not know pages.
"""

from collections.abc import Iterator

from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.publish.facts import Facts, StoreFacts
from trailers12k.publish.texts.document import Source


def snippets(facts: Facts) -> list[Source]:
    """How to check, unpack and read the files, in the folder that holds them."""
    return list(_snippets(facts))


def main_store(facts: Facts) -> StoreFacts | None:
    """The store that snippets read: the last one of clips, as on the page of Trailers12k."""
    for input in ("clips", "frames", "audio", "posters"):
        if stores := [store for store in facts.stores if store.input == input]:
            return stores[-1]
    return next(iter(facts.stores), None)


def _snippets(facts: Facts) -> Iterator[Source]:
    store = main_store(facts)
    if store is None:
        return
    yield Source(
        f"sha256sum --check --ignore-missing SHA256SUMS\ntar -xzf {store.name}.zarr.tar.gz",
        "sh",
        "Check the files, and unpack a store:",
    )
    yield Source(
        "import zarr\n\n"
        f'z = zarr.open("{store.name}.zarr", mode="r")\n'
        'num_features = z.attrs["num_features"]\n'
        f'arr = z["{facts.example}"]\n'
        f"arr.shape, arr.dtype  # (clips, {store.features}), float32",
        "python",
        "Read the features of a trailer with zarr 2 or 3:",
    )
    yield Source(
        "import pandas as pd\n\n"
        'df = pd.read_csv("mtgc.csv")\n'
        'df = df[df["split2"] == 1]\n'
        "df = df.iloc[:, 0:11]",
        "python",
        "List the validation movies of the third split, with their genres:",
    )
    yield Source(
        "from pathlib import Path\n\n"
        "from datasets import load_dataset\n\n"
        "folder = str(Path.cwd())  # or the name of the dataset on a hub\n"
        f'clips = load_dataset(folder, "{store.name}", split="train")\n'
        "row = clips[0]\n"
        'row["mid"], row["clip"], row["start"], row["end"], len(row["features"])',
        "python",
        "Read the clips of the training movies of split 0 from Parquet, without unpacking. The "
        "library copies them into its cache; with streaming=True it reads them in place:",
    )
    stream = next((name for name, input in STREAM_INPUTS.items() if input == store.input), "image")
    yield Source(
        "from trailers12k.classifier.dataset import TrailerDataset\n\n"
        f'stores = {{"{stream}": "{store.name}.zarr"}}\n'
        'training = TrailerDataset(stores, "mtgc.csv", split=0, subset="training")\n'
        "snippets, labels, mid = training[0]\n"
        f'snippets["{stream}"].shape, labels.shape  # (30, {store.features}), (10,)',
        "python",
        "Draw snippets of 30 clips for PyTorch, with the package trailers12k:",
    )
    yield Source(
        "import json\nimport tarfile\n\n"
        'with tarfile.open("metadata.tar.gz") as archive:\n'
        '    metadata = json.load(archive.extractfile("metadata.json"))\n'
        'movies = metadata["trailers12k"]\n'
        'movies["1"]["imdb"]["title"]',
        "python",
        f"Read titles{', years and addresses of trailers' if facts.addresses else ' and years'}:",
    )
