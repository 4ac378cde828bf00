"""What each column of a published table means.

Reads and writes nothing. Must not know the formats that say it.
"""

from trailers12k.common.vocabulary import GENRES, SPLITS

BALANCE = (
    *("split", "subset", "movies", "label_deviation", "rare_deviation", "pair_deviation"),
    *GENRES,
)
"""Columns of balance.csv."""
MID = "The movie: its IMDb id, or one of the same form."
MEANINGS = {
    ("movies", "mid"): MID,
    ("movies", "title"): "Its title.",
    ("movies", "year"): "The year of its first release; empty where unknown.",
    ("movies", "genres"): "Its genres as the sources state them, joined by |.",
    ("movies", "youtube_id"): "The id of its trailer on YouTube; empty where it has none.",
    ("movies", "trailer_url"): "The public address of its trailer elsewhere; empty without one.",
    ("movies", "poster_url"): "The public address of its poster; empty without one.",
    ("movies", "other_trailers"): "Ids or public addresses of further trailers, joined by |.",
    ("labels", "mid"): MID,
    **{("labels", genre): f"1 where the movie is labelled {genre}, else 0." for genre in GENRES},
    **{
        ("labels", f"split{number}"): f"Its subset in split{number}: 0 training, 1 validation, "
        "2 test; empty where it has none."
        for number in SPLITS
    },
    ("clips", "mid"): MID,
    ("clips", "clip"): "Number of the clip in its trailer, from 0: the row in a store.",
    ("clips", "shot"): "Number of the shot that the clip is part of, from 0.",
    ("clips", "start"): "Second of the trailer at which the clip begins.",
    ("clips", "end"): "Second of the trailer at which the clip ends.",
    ("ledger", "mid"): MID,
    ("ledger", "stage"): "trailers, posters, clips, a store, a source of movies, or curation, "
    "which is the review by people.",
    ("ledger", "status"): "ok, failed or skipped.",
    ("ledger", "reason"): "Why it failed or was skipped, in one word; the table of missing data "
    "in README.md has its meaning. Empty where the status is ok.",
    ("ledger", "attempts"): "Number of attempts, without those that failed for a full disk.",
    ("ledger", "bytes"): "Size of the file that the stage made.",
    ("ledger", "sha256"): "Hash of that file. Equal trailers have equal hashes.",
    ("ledger", "tool"): "The program that made the file, with its version.",
    ("sound", "mid"): MID,
    ("sound", "sound"): "What can be heard in its trailer: ok, no_track (the file has no sound), "
    "video_only (its site gave the picture alone), silent or damaged.",
    ("sound", "loudness"): "Its integrated loudness in LUFS by ITU-R BS.1770.",
    ("sound", "silence"): "The share of it that stays below -60 dB, 0 to 1.",
    ("sound", "speech"): "The share of it that is speech, 0 to 1; empty where no model listened.",
    ("assignments", "split"): "The split.",
    ("assignments", "mid"): MID,
    ("assignments", "subset"): "Its subset: training, validation or test.",
    ("balance", "split"): "The split.",
    ("balance", "subset"): "training, validation or test.",
    ("balance", "movies"): "Movies of the subset.",
    ("balance", "label_deviation"): "Largest relative deviation of a genre's share in the subset "
    "from its share of all movies.",
    ("balance", "rare_deviation"): "The same for genres of less than ten movies, as a number of "
    "movies.",
    ("balance", "pair_deviation"): "Deviation of the counts of pairs of genres.",
    **{
        ("balance", genre): f"The share of {genre} in the subset by that of all movies."
        for genre in GENRES
    },
}
"""Table as croissant.json names it, and column -> what the column holds."""
