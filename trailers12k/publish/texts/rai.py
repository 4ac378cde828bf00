"""The fields of Croissant's vocabulary for responsible AI, version 1.0.

Reads and writes nothing. Must not know the rest of croissant.json. What neither the run nor the
authors know is `not stated`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from trailers12k.publish.facts import Facts, StoreFacts
from trailers12k.publish.texts import losses, words
from trailers12k.publish.texts.words import NOT_STATED
from trailers12k.report.numbers import count, counted

CONFORMS_TO = "http://mlcommons.org/croissant/RAI/1.0"
KINDS = {
    "trailers12k": "Secondary Data analysis",
    "imdb": "Secondary Data analysis",
    "tmdb": "Web API",
    "search": "Web Scraping",
}
"""Source of movies -> how the vocabulary calls such a collection."""
TEXTS = "; ".join
Value = str | list[str]


def fields(facts: Facts) -> dict[str, Value]:
    """All fields of the vocabulary, in the order of its specification."""
    own = facts.statements
    values: dict[str, Value] = {
        "dataCollection": _collection(facts),
        "dataCollectionType": _kinds(facts),
        "dataCollectionMissingData": _missing(facts),
        "dataCollectionRawData": _raw(facts),
        "dataCollectionTimeframe": _time_frame(facts),
        "dataImputationProtocol": (
            "Nothing is imputed. Missing years and genres stay empty; a genre that no source names "
            "is 0 in the labels; a movie without a trailer or poster has no rows in its stores."
        ),
        "dataManipulationProtocol": _manipulation(facts),
        "dataPreprocessingProtocol": list(_preprocessing(facts)),
        "dataAnnotationProtocol": _annotation(facts),
        "dataAnnotationPlatform": (
            "The review pages of the trailers12k workflow." if facts.decisions else "None was used."
        ),
        "dataAnnotationAnalysis": (
            "Genres are taken over as the sources state them. Each decision about a trailer was "
            "made once, so agreement between people was not measured."
            if facts.decisions
            else "Genres are taken over as the sources state them; nobody annotated the trailers."
        ),
        "annotationsPerItem": _per_item(facts),
        "annotatorDemographics": own.annotators or NOT_STATED,
        "machineAnnotationTools": _detectors(facts) or NOT_STATED,
        "dataReleaseMaintenancePlan": own.maintenance or NOT_STATED,
        "personalSensitiveInformation": own.personal_data or NOT_STATED,
        "dataSocialImpact": own.social_impact or NOT_STATED,
        "dataBiases": [*facts.notes] or NOT_STATED,
        "dataLimitations": [own.limitations or NOT_STATED, *_limits(facts)],
        "dataUseCases": own.use_cases or NOT_STATED,
    }
    return {f"rai:{name}": value for name, value in values.items()}


def _collection(facts: Facts) -> str:
    return " ".join([words.origin(facts), *facts.credits])


def _kinds(facts: Facts) -> list[str]:
    by_person = ["Manual Human Curator"] if facts.decisions else []
    own = [KINDS[name] for name in facts.sources if name in KINDS]
    return list(dict.fromkeys([*own, "Software Collection", *by_person]))


def _missing(facts: Facts) -> str:
    """The movies that each stage lost, with reasons and counts."""
    if not facts.losses:
        return f"Nothing is missing: all {counted(facts.movies, 'movie')} passed every stage."
    lost = [
        f"{count(loss.movies)} {loss.status} in {', '.join(names)}: {loss.reason} "
        f"({loss.meaning.strip().rstrip('.')})"
        for loss, names in losses.alike(facts.losses)
    ]
    return (
        f"Of {counted(facts.movies, 'movie')}, {count(facts.trailers)} have a trailer and "
        f"{count(facts.complete)} have features in every store. Movies lost: {TEXTS(lost)}. The "
        "ledger has a row for each movie and stage."
    )


def _raw(facts: Facts) -> str:
    return (
        f"{counted(facts.trailers, 'trailer')} and the posters of the movies, which stay with "
        "their owners and are not part of this dataset. The ledger has the sha256 of each file"
        + (", and the table of movies their public addresses." if facts.addresses else ".")
    )


def _time_frame(facts: Facts) -> Value:
    if not facts.began or not facts.ended:
        return NOT_STATED
    return [facts.began.isoformat(), facts.ended.isoformat()]


def _manipulation(facts: Facts) -> str:
    return f"No value was changed by hand. {_decided(facts)}"


def _decided(facts: Facts) -> str:
    if not facts.decisions:
        return "No decision of a person about a trailer was recorded."
    named = [
        f"{count(movies)} {words.DECISIONS.get(kind, kind.replace('_', ' '))}"
        for kind, movies in facts.decisions.items()
    ]
    return f"People decided about movies: {TEXTS(named)}."


def _preprocessing(facts: Facts) -> Iterator[str]:
    """How trailers became clips, and clips features."""
    clips = facts.settings.get("clips")
    if isinstance(clips, Mapping):
        shown = ", ".join(f"{name} {value}" for name, value in clips.items())
        yield f"Trailers were divided into shots, and these into clips, with: {shown}."
    yield from map(_store, facts.stores)


def _store(store: StoreFacts) -> str:
    made: Mapping[str, Any] = store.attributes
    how = [
        f"weights {store.weights or NOT_STATED}",
        *(f"{name} {made[name]}" for name in ("preprocessing", "precision") if made.get(name)),
    ]
    what = words.row_of(store)
    return (
        f"{store.name}: {what}, {store.features} numbers, of {store.model or NOT_STATED} "
        f"({TEXTS(how)})."
    )


def _detectors(facts: Facts) -> list[str]:
    """What found the shots of the trailers."""
    found = (store.attributes.get("detector_version") for store in facts.stores)
    return list(dict.fromkeys(str(each) for each in found if each))


def _annotation(facts: Facts) -> str:
    return (
        f"{counted(facts.labelled, 'movie')} are labelled with {len(facts.genres)} genres, taken "
        f"from {words.sources(facts)}; a movie may have several. {_decided(facts)}"
    )


def _per_item(facts: Facts) -> str:
    if not facts.decided:
        return "None. Labels come from the sources."
    movies = f"{count(facts.decided)} of {counted(facts.movies, 'movie')}"
    return (
        f"One decision of a person for {movies}, none for the others. Labels come from the sources."
    )


def _limits(facts: Facts) -> Iterator[str]:
    """What the weights make useless, or forbid."""
    untrained = [store.name for store in facts.stores if words.is_untrained(store)]
    if untrained:
        yield f"Made with random weights, for tests only: {', '.join(untrained)}."
    bound = [store for store in facts.stores if store.licence.non_commercial]
    for text in dict.fromkeys(store.licence.text for store in bound):
        names = ", ".join(store.name for store in bound if store.licence.text == text)
        yield f"Made with weights that forbid commercial use ({text}): {names}."
