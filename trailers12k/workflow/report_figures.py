"""The figures that draw_report draws, and where Snakemake's own report shows them.

Reads and writes nothing. Must not know how a figure is drawn.
"""

from collections.abc import Iterable

FIGURES = {
    "funnel": ("funnel", "Movies"),
    "genres": ("genres", "Movies"),
    "cooccurrence": ("genres", "Movies"),
    "results": ("results", "Results"),
    "run_genres": ("run_genres", "Results"),
    "precision_recall": ("curves", "Results"),
    "learning": ("curves", "Results"),
    "costs": ("costs", "Costs"),
}
"""Name of a figure -> the file of its caption in captions/, and the category."""

MOVIE_FIGURES = {
    "year": ("lengths", "Movies"),
    "genres_of": ("lengths", "Movies"),
    "duration": ("lengths", "Trailers"),
    "shots": ("lengths", "Trailers"),
    "clips": ("lengths", "Trailers"),
    "loudness": ("sound", "Trailers"),
    "silence": ("sound", "Trailers"),
    "speech": ("sound", "Trailers"),
}
"""The same for figures that need the movies and trailers of the run."""


def report_figures(stores: Iterable[str], is_published: bool) -> dict[str, tuple[str, str]]:
    """All figures of a run: name -> caption and category.

    stores: each has a figure of its own, the map of its movies.
    """
    maps = {f"map_{store}": ("map", "Features") for store in stores}
    return FIGURES | ({} if is_published else MOVIE_FIGURES) | maps
