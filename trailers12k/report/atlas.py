"""The map of a store's features, as the page holds it.

Reads embeddings and thumbnails. Must not know the rest of the page.
"""

import html
from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from trailers12k.common.vocabulary import GENRES
from trailers12k.report import charts as figures
from trailers12k.report import drawing, theme
from trailers12k.report.formatting import FIGURES_FOLDER, Table, _count, _json, _relative
from trailers12k.report.thumbnails import PER_PICTURE, Sprites


def unnamed(labels: Table) -> Table:
    """Movies of which no more is known than their genres, of mtgc.csv, with the columns of
    trailers.csv that a map shows: the mid is the title."""
    of = labels[list(GENRES)].to_numpy() == 1
    genres = ["|".join(name for name, has in zip(GENRES, row, strict=True) if has) for row in of]
    told = {"mid": labels["mid"], "title": labels["mid"], "year": "", "genres": genres}
    return pd.DataFrame(told)


def draw_maps(maps: Mapping[str, Table], movies: Table, folder: str | Path) -> None:
    """Write the map of every store into `folder` as map_STORE.svg and .png.

    movies: rows of trailers.csv, or of `unnamed`.
    """
    first = _first_genres(movies)
    for store, places in maps.items():
        drawing.save(figures.feature_map(places, first), Path(folder) / f"map_{store}")


def _first_genres(movies: Table) -> dict[str, str]:
    genres = movies["genres"].fillna("").str.split("|").str[0]
    return dict(zip(movies["mid"], genres, strict=True))


def _atlas(
    maps: Mapping[str, Table],
    movies: Table | None,
    sprites: Sprites | None,
) -> dict | None:
    """The map's data and its first picture."""
    maps = {store: places for store, places in maps.items() if len(places)}
    if not maps or movies is None:
        return None
    known = {mid for places in maps.values() for mid in places["mid"]}
    shown = movies[movies["mid"].isin(known)].fillna({"title": "", "genres": ""})
    index = {mid: place for place, mid in enumerate(shown["mid"])}
    lists: list[str] = []
    stores = {}
    for store, places in maps.items():
        places = places[places["mid"].isin(index)]
        listed = _packed([index[mid] for mid in places["mid"]], "<u4")
        if listed not in lists:
            lists.append(listed)
        nearest = [index.get(mid, 2**32 - 1) for mid in places["nearest"]]
        stores[store] = {
            "movies": lists.index(listed),
            "x": _packed(_spread(places["x"]), "<u2"),
            # A canvas counts downwards.
            "y": _packed(65535 - _spread(places["y"]), "<u2"),
            "nearest": _packed(nearest, "<u4"),
        }
    genres = [text.split("|") if text else [] for text in shown["genres"]]
    years = pd.to_numeric(shown["year"], errors="coerce")
    data = {
        "mids": list(shown["mid"]),
        "titles": list(shown["title"]),
        "years": ["" if pd.isna(year) else f"{year:.0f}" for year in years],
        "genres": [sum(1 << GENRES.index(name) for name in of if name in GENRES) for of in genres],
        "first": [GENRES.index(of[0]) if of and of[0] in GENRES else -1 for of in genres],
        "names": list(GENRES),
        "colours": theme.GENRE_COLOURS,
        "lists": lists,
        "stores": stores,
        "frames": None,
    }
    words = "Titles, genres and the nearest trailer are shown where one points."
    if sprites:
        there = {mid: place for place, mid in enumerate(sprites.mids)}
        data["frames"] = {
            "width": sprites.width,
            "height": sprites.height,
            "count": sprites.count,
            "each": PER_PICTURE,
            "place": [there.get(mid, -1) for mid in shown["mid"]],
        }
        words = "Titles, genres, frames and the nearest trailer are shown where one points."
    first = next(iter(stores))
    image, size = _small_png(Path(FIGURES_FOLDER) / f"map_{first}.png")
    return {
        "data": _json(data),
        "stores": list(stores),
        "paths": {store: _relative(f"results/map/{store}.csv") for store in stores},
        "strips": [Markup(html.escape(text)) for text in (sprites.pictures if sprites else [])],
        "image": image,
        "width": size[0] // 2,
        "height": size[1] // 2,
        "alt": f"A scatter of {_count(len(maps[first]))} trailers in the features of {first}, "
        "coloured by first genre; the table has the places.",
        "words": words,
    }


def _spread(column: pd.Series) -> np.ndarray:
    """Numbers from the least, 0, to the most, 65535."""
    values = column.to_numpy(dtype=float)
    width = values.max() - values.min() or 1
    return np.rint(65535 * (values - values.min()) / width)


def _packed(values: Sequence[int] | np.ndarray, kind: str) -> str:
    return b64encode(np.asarray(values).astype(kind).tobytes()).decode()


def _small_png(path: Path) -> tuple[str, tuple[int, int]]:
    """A picture of few colours as a data URI, and its size."""
    file = BytesIO()
    with Image.open(path) as picture:
        size = picture.size
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
            file, "PNG", optimize=True
        )
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}", size
