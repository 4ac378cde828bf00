"""The counts of Trailers12k itself, with which a publication compares its own, and its paper.

Reads and writes nothing. Counted in mtgc.csv of its record (Zenodo 5716410, Montalvo-Lezama et al.,
2023); its rows are not here.
"""

MOVIES = 12_000
GENRES = {
    "action": 3_115,
    "adventure": 1_951,
    "comedy": 4_194,
    "crime": 2_484,
    "drama": 5_968,
    "fantasy": 1_568,
    "horror": 2_573,
    "romance": 2_193,
    "sci-fi": 1_535,
    "thriller": 4_447,
}
"""Genre -> movies that have it."""
STORES = 7
"""Six of trailers and one of posters."""
SUBSETS = {
    "split0": (8_384, 1_228, 2_388),
    "split1": (8_397, 1_189, 2_414),
    "split2": (8_412, 1_204, 2_384),
}
"""Split -> training, validation and test movies."""
AUTHORS = [
    {"family-names": "Montalvo-Lezama", "given-names": "Ricardo"},
    {"family-names": "Montalvo-Lezama", "given-names": "Berenice"},
    {"family-names": "Fuentes-Pineda", "given-names": "Gibran"},
]
PAPER_TITLE = (
    "Improving transfer learning for movie trailer genre classification using a dual image and "
    "video transformer"
)
JOURNAL = "Information Processing & Management"
YEAR = 2023
PAPER = (
    "R. Montalvo-Lezama, B. Montalvo-Lezama and G. Fuentes-Pineda, "
    f"{PAPER_TITLE}, {JOURNAL}, {YEAR}"
)
WORKFLOW = "The Trailers12k workflow"
WORKFLOW_AUTHORS = "The Trailers12k workflow's authors"
"""As CITATION.cff of the workflow has them."""
PAGE = "https://doi.org/10.5281/zenodo.5716409"
"""The dataset's record, in its newest version."""
