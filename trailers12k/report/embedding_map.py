"""The interactive map of the report: the embeddings of all stores as compact data.

Reads embeddings, thumbnails and the table of movies. Must not know the rest of the page.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from trailers12k.common.vocabulary import GENRES
from trailers12k.report import charts, drawing, theme
from trailers12k.report.formatting import FIGURES_FOLDER, json_for_script, relative_link
from trailers12k.report.numbers import counted
from trailers12k.report.pictures import Still
from trailers12k.report.thumbnails import PER_PICTURE, Thumbnails

NO_MOVIE = 2**32 - 1
"""In a list of nearest movies: none."""


def untitled_movies(labels: pd.DataFrame) -> pd.DataFrame:
    """Rows of mtgc.csv with the columns of trailers.csv that a map shows; the mid is the title."""
    matrix = labels[list(GENRES)].to_numpy() == 1
    genres = [
        "|".join(name for name, has in zip(GENRES, row, strict=True) if has) for row in matrix
    ]
    columns = {"mid": labels["mid"], "title": labels["mid"], "year": "", "genres": genres}
    return pd.DataFrame(columns)


def draw_embeddings(
    embeddings: Mapping[str, pd.DataFrame], movies: pd.DataFrame, folder: str | Path
) -> None:
    """Writes the embedding of every store into `folder` as map_STORE.svg and map_STORE.png.

    embeddings: store -> rows of map/STORE.csv. movies: rows of trailers.csv, or of
    `untitled_movies`.
    """
    genres = movies["genres"].fillna("").str.split("|").str[0]
    first = dict(zip(movies["mid"], genres, strict=True))
    for store, places in embeddings.items():
        drawing.save(charts.embedding(places, first), Path(folder) / f"map_{store}")


@dataclass(frozen=True)
class EmbeddingMap:
    """The map for the page's template.

    data: JSON for its script. strips: data URIs of thumbnails. paths: store -> link to its table.
    still: a picture of the first store, for readers without JavaScript; alt describes it.
    """

    data: Markup
    strips: Sequence[str]
    paths: Mapping[str, str]
    still: Still
    alt: str


def map_of(
    embeddings: Mapping[str, pd.DataFrame], movies: pd.DataFrame, thumbnails: Thumbnails | None
) -> EmbeddingMap | None:
    """The map of the stores that have movies; None without any. `draw_embeddings` comes first.

    embeddings, movies: see `draw_embeddings`.
    """
    embeddings = {store: places for store, places in embeddings.items() if len(places)}
    if not embeddings:
        return None
    mids = {mid for places in embeddings.values() for mid in places["mid"]}
    movies = movies[movies["mid"].isin(mids)].fillna({"title": "", "genres": ""})
    data = _movie_data(movies) | _store_data(embeddings, list(movies["mid"]))
    data["frames"] = _frame_data(thumbnails, list(movies["mid"])) if thumbnails else None
    first, places = next(iter(embeddings.items()))
    return EmbeddingMap(
        data=json_for_script(data),
        strips=thumbnails.pictures if thumbnails else [],
        paths={store: relative_link(f"results/map/{store}.csv") for store in embeddings},
        still=_small_png(Path(FIGURES_FOLDER) / f"map_{first}.png"),
        alt=f"A scatter plot of {counted(len(places), 'trailer')} by the features of {first}, "
        "coloured "
        "by first genre; the table holds the positions.",
    )


def _movie_data(movies: pd.DataFrame) -> dict[str, object]:
    genres = [text.split("|") if text else [] for text in movies["genres"]]
    years = pd.to_numeric(movies["year"], errors="coerce")
    return {
        "mids": list(movies["mid"]),
        "titles": list(movies["title"]),
        "years": ["" if pd.isna(year) else f"{year:.0f}" for year in years],
        "genres": [
            sum(1 << GENRES.index(name) for name in names if name in GENRES) for names in genres
        ],
        "first": [
            GENRES.index(names[0]) if names and names[0] in GENRES else -1 for names in genres
        ],
        "names": list(GENRES),
        "colours": theme.GENRE_COLOURS,
    }


def _store_data(embeddings: Mapping[str, pd.DataFrame], mids: Sequence[str]) -> dict[str, object]:
    """Packed positions and nearest movies; stores with the same movies share one list of them."""
    index = {mid: place for place, mid in enumerate(mids)}
    lists: list[str] = []
    stores = {}
    for store, places in embeddings.items():
        places = places[places["mid"].isin(index)]
        movies = _packed([index[mid] for mid in places["mid"]], "<u4")
        if movies not in lists:
            lists.append(movies)
        stores[store] = {
            "movies": lists.index(movies),
            "x": _packed(_scaled(places["x"]), "<u2"),
            # The vertical axis of a canvas points down.
            "y": _packed(65535 - _scaled(places["y"]), "<u2"),
            "nearest": _packed([index.get(mid, NO_MOVIE) for mid in places["nearest"]], "<u4"),
        }
    return {"lists": lists, "stores": stores}


def _frame_data(thumbnails: Thumbnails, mids: Sequence[str]) -> dict[str, object]:
    index = {mid: place for place, mid in enumerate(thumbnails.mids)}
    return {
        "width": thumbnails.width,
        "height": thumbnails.height,
        "count": thumbnails.count,
        "each": PER_PICTURE,
        "place": [index.get(mid, -1) for mid in mids],
    }


def _scaled(column: pd.Series) -> np.ndarray:
    """The values of a column, from the smallest as 0 to the largest as 65535."""
    values = column.to_numpy(dtype=float)
    width = values.max() - values.min() or 1
    return np.rint(65535 * (values - values.min()) / width)


def _packed(values: Sequence[int] | np.ndarray, dtype: str) -> str:
    return b64encode(np.asarray(values).astype(dtype).tobytes()).decode()


def _small_png(path: Path) -> Still:
    """A PNG picture of twice the displayed size, reduced to 64 colours."""
    file = BytesIO()
    with Image.open(path) as picture:
        width, height = picture.size
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
            file, "PNG", optimize=True
        )
    uri = f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
    return Still(uri, width // 2, height // 2)
