"""The datasheet of a publication: the questions of Gebru et al. (2021), answered from its facts.

Reads and writes nothing. Must not know Markdown. What neither the run nor the authors know is
`not stated`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailers12k.common.reason_words import phrase
from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.publish.facts import Facts
from trailers12k.publish.texts import losses, sections
from trailers12k.publish.texts.document import Code, Line, Pairs, Section
from trailers12k.publish.texts.words import (
    DECISIONS,
    LICENCES,
    NOT_STATED,
    has_posters,
    linked,
    origin,
    sentence,
    sources,
    time_frame,
)
from trailers12k.report.numbers import count, counted


def datasheet(facts: Facts) -> list[Section]:
    """The seven parts, below their heading."""
    parts = (
        ("motivation", "Motivation", _motivation(facts)),
        ("composition", "Composition", _composition(facts)),
        ("collection", "Collection process", _collection(facts)),
        ("preprocessing", "Preprocessing, cleaning and labelling", _preprocessing(facts)),
        ("uses", "Uses", _uses(facts)),
        ("distribution", "Distribution", _distribution(facts)),
        ("maintenance", "Maintenance", _maintenance(facts)),
    )
    head = Section("datasheet", "Datasheet", [])
    return [head, *(Section(name, words, [Pairs(pairs)], 3) for name, words, pairs in parts)]


Answers = list[tuple[str, Line]]


def said(text: str) -> str:
    """A statement of the authors, or that there is none."""
    return text or NOT_STATED


def _motivation(facts: Facts) -> Answers:
    names = "; ".join(
        creator.name + (f" ({creator.affiliation})" if creator.affiliation else "")
        for creator in facts.statements.creators
    )
    return [
        ("For what purpose was the dataset created?", said(facts.statements.description)),
        ("Who created it?", said(names)),
        ("Who funded its creation?", NOT_STATED),
    ]


def _composition(facts: Facts) -> Answers:
    own = facts.statements
    return [
        (
            "What does an instance represent?",
            "A movie: its labels, the features of its trailer, a row per clip"
            + (", and of its poster." if has_posters(facts) else "."),
        ),
        (
            "How many instances are there?",
            f"{counted(facts.movies, 'movie')}, of which {count(facts.trailers)} have a trailer "
            f"with {count(facts.clips)} clips in all, and {count(facts.complete)} have features in "
            "every store.",
        ),
        (
            "Is it a sample of a larger set?",
            f"The movies come from {sources(facts)}. Those without a usable trailer have "
            "no features, so the dataset is no random sample of them.",
        ),
        (
            "What data does an instance consist of?",
            f"{_known(facts)}; the times of its clips; one vector of 32-bit floats per clip"
            f"{' or poster' * has_posters(facts)} in each store. No video"
            + (", and no picture but those of the collage." if own.frames else " and no picture."),
        ),
        (
            "Is there a label?",
            f"{len(facts.genres)} genres as 0 and 1, {_mean_labels(facts)} per movie on average.",
        ),
        ("Is information missing?", _missing(facts)),
        (
            "Are relations between instances explicit?",
            "No. Sequels and other related movies are not marked. Equal trailers have equal "
            "sha256 in the ledger.",
        ),
        (
            "Are there recommended splits?",
            [
                f"{len({subset.split for subset in facts.subsets})} splits into training, "
                "validation and test movies, in ",
                Code("mtgc.csv"),
                ". The table of their balance is above.",
            ],
        ),
        ("Are there errors, noise or biases?", _noise(facts)),
        (
            "Is the dataset self-contained?",
            "Features, labels and splits are. The trailers stay with their owners"
            + (", at addresses that may vanish." if facts.addresses else "."),
        ),
        (
            "Does it hold confidential, offensive, personal or sensitive data?",
            said(own.personal_data),
        ),
    ]


def _mean_labels(facts: Facts) -> str:
    return f"{sum(facts.genres.values()) / max(1, facts.labelled):.2f}"


def _missing(facts: Facts) -> str:
    if not facts.losses:
        return "No movie was lost in any stage."
    reasons = ", ".join(
        f"{count(loss.movies)} in {losses.stages(stages)} ({phrase(loss.reason)})"
        for loss, stages in losses.alike(facts.losses)
    )
    return f"Movies lost, by stage and reason: {reasons}. Each has a row in the ledger."


def _noise(facts: Facts) -> str:
    return " ".join([*facts.notes, facts.statements.limitations]).strip() or NOT_STATED


def _known(facts: Facts) -> str:
    """What is known of a movie beside its features."""
    return f"Title, year, genres{' and the address of a trailer' * bool(facts.addresses)}"


def _collection(facts: Facts) -> Answers:
    frame = time_frame(facts)
    verb = "downloaded" if facts.addresses else "collected"
    return [
        (
            "How was the data acquired?",
            origin(facts),
        ),
        ("With which programs?", said(_programs(facts.versions))),
        (
            "Who was involved, and who checked the trailers?",
            f"{sentence(facts.statements.annotators)} {_decided(facts.decisions)}",
        ),
        (
            "Over what time was it collected?",
            f"Trailers and posters were {verb} {frame}, in UTC." if frame else NOT_STATED,
        ),
        ("Was there an ethical review?", NOT_STATED),
        (
            "Were the people in the trailers asked?",
            "The workflow asks nobody. Whether the authors did is not stated.",
        ),
    ]


def _programs(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def _decided(decisions: Mapping[str, int]) -> str:
    if not decisions:
        return "No decision of a reviewer was recorded."
    named = ", ".join(
        f"{count(number)} {DECISIONS.get(kind, kind.replace('_', ' '))}"
        for kind, number in decisions.items()
    )
    return f"Decisions of reviewers about movies: {named}."


def _preprocessing(facts: Facts) -> Answers:
    trailers = [store for store in facts.stores if store.input != "posters"]
    words = _clips(_section(facts.settings, "clips"), trailers[0].attributes if trailers else {})
    return [
        ("How were trailers cut into clips?", words),
        ("How were features computed?", _features(facts)),
        (
            "How were movies labelled?",
            f"With genres of {sources(facts)}; a genre that is not named there is a 0. "
            "Nothing was imputed.",
        ),
        (
            "Was the raw data saved?",
            "Not in this publication. The ledger holds the sha256 of each trailer that was used.",
        ),
        (
            "Is the software available?",
            [
                "The workflow ",
                Code("trailers12k"),
                f" {facts.versions.get('trailers12k', '')}".rstrip(),
                "; its settings are in ",
                Code("config.yaml"),
                ".",
            ],
        ),
    ]


def _section(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}


def _clips(settings: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
    """The sentence about shots and clips."""
    if not settings:
        return NOT_STATED
    detector = attributes.get("detector_version") or settings.get("detector")
    return (
        f"Shots were found by {detector}. A shot has at least {settings.get('min_shot')} frames at "
        f"{settings.get('fps')} frames per second; a clip has {settings.get('fpc')} frames."
    )


def _features(facts: Facts) -> Line:
    """How stores were made, as far as all of them share it."""
    own = [store.attributes for store in facts.stores]
    words = "Each store holds the last features of one network before its classifier. "
    words += "The table of representations says how much of a clip each network saw or heard. "
    if any(store.input == STREAM_INPUTS["audio"] for store in facts.stores):
        words += (
            "Row i of a store of sound is of the seconds of clip i, with the mean of all channels. "
            "A trailer without sound has no array in it. "
        )
    for name, label in (("decoder", "Decoders"), ("precision", "Precision"), ("device", "Device")):
        values = list(dict.fromkeys(str(each[name]) for each in own if each.get(name)))
        words += f"{label}: {', '.join(values)}. " if values else ""
    return [
        f"{words}The attributes of each store, in its ",
        Code(".zattrs"),
        ", also hold its preprocessing, and the sha256 of its weights.",
    ]


def _uses(facts: Facts) -> Answers:
    own = facts.statements
    return [
        ("Has it been used?", _used(facts)),
        ("What is it meant for, and what not?", said(own.use_cases)),
        ("What limits its use?", said(own.limitations)),
        ("What effects on society may its use have?", said(own.social_impact)),
    ]


def _used(facts: Facts) -> str:
    runs = len(facts.results)
    return "For the results above." if runs else NOT_STATED


def _distribution(facts: Facts) -> Answers:
    own = facts.statements
    where: Line = linked(own.url) if own.url else NOT_STATED
    texts = dict.fromkeys(store.licence.text for store in facts.stores)
    weights = "; ".join(LICENCES.get(text, text) for text in texts)
    return [
        ("Where is it distributed?", where),
        ("Does it have a DOI?", said(own.doi)),
        ("Under which licence?", linked(own.license) if own.license else NOT_STATED),
        ("Under which licences were the weights published?", said(weights)),
        ("Do the sources demand notices?", _sentences(facts.credits) or "No."),
        ("Do export controls apply?", NOT_STATED),
    ]


def _sentences(texts: Sequence[str]) -> str:
    return " ".join(texts)


def _maintenance(facts: Facts) -> Answers:
    own = facts.statements
    return [
        ("Who maintains it, and how are errors corrected?", said(own.maintenance)),
        ("How can the maintainers be reached?", linked(own.contact or NOT_STATED)),
        (
            "How can an owner have a trailer removed?",
            sections.takedown(facts).blocks[0].line,  # type: ignore[union-attr]
        ),
        ("Which version is this?", own.version),
        (
            "Can others extend it?",
            [
                "Yes: ",
                Code("config.yaml"),
                " evaluates these features, and the workflow adds movies, stores and splits.",
            ],
        ),
    ]
