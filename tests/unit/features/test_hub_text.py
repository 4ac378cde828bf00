"""Text networks of the hub equal the library's own; their tokenizers are bounded data."""

import json
import shutil
import time
from base64 import b64encode
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from trailers12k.classifier import zero_shot
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.downloads import http
from trailers12k.features import tokenizer_fetch, tokenizer_record, weights_fetch
from trailers12k.features.backbones import (
    hub_files,
    hub_kinds,
    hub_known,
    hub_text,
    hub_tokenizer,
    hub_vision_kinds,
    hub_vision_known,
    sound,
    tokenizer_bounds,
)
from trailers12k.features.backbones.hub_text_kinds import SMALL_TEXT, TEXT_KINDS
from trailers12k.features.backbones.hub_text_known import WITH_TEXT
from trailers12k.features.backbones.loading import load as load_pictures
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.weights_fetch import WeightsSource
from trailers12k.settings.zero_shot import PHRASES, PICTURES, SOUND

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")

PARITY = 1e-4
WHOLE = {"clip": "CLIPModel", "siglip": "SiglipModel", "clap": "ClapModel"}
TOKENS = 300
POSITIONS = 77


def merges() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level vocabulary with the merges of our own texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    library.train_from_iterator([*PICTURES, *SOUND, *sum(PHRASES.values(), ())], trainer)
    model = json.loads(library.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def save_tokenizer(folder: Path, kind: str) -> None:
    """The library's own tokenizer of a kind, as its repositories have it."""
    vocab, pairs = merges()
    if kind == "clap":
        made = transformers.RobertaTokenizer(vocab=vocab, merges=pairs)
    elif kind == "clip":
        words = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "</s>"}
        ended = {f"{token}</w>": len(vocab) + n for n, token in enumerate(vocab)}
        # An eos_token_id of 2 stands for the highest token, as in CLIP's own files.
        highest = max(ended, key=ended.__getitem__)
        ended[highest], vocab["</s>"] = vocab["</s>"], ended[highest]
        made = transformers.CLIPTokenizer(vocab=vocab | ended, merges=[], **words)
    else:  # of SigLIP 2, since that of SigLIP needs sentencepiece
        spaced = {token.replace("Ġ", "▁"): number for token, number in vocab.items()}
        pairs = [tuple(part.replace("Ġ", "▁") for part in pair) for pair in pairs]
        names = {"bos_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>"}
        made = transformers.Siglip2Tokenizer(
            vocab=spaced, merges=pairs, padding_side="right", add_eos_token=True, **names
        )
    made.save_pretrained(folder)


def save(folder: Path, kind: str) -> Path:
    """Publish a small model of a kind, with random weights, as its library does."""
    sound_or_sight = hub_kinds.KINDS if kind == "clap" else hub_vision_kinds.KINDS
    own = sound_or_sight[kind]
    text = SMALL_TEXT | {"vocab_size": 2 * TOKENS, "projection_dim": 32, "projection_size": 32}
    text |= {"max_position_embeddings": POSITIONS, "bos_token_id": 0, "eos_token_id": 2}
    config = getattr(transformers, own.config)(
        **(dict(own.small) | {"text_config": text | {"pad_token_id": 1}})
    )
    torch.manual_seed(7)
    network = getattr(transformers, WHOLE[kind])(config)
    for parameter in network.parameters():
        if parameter.dim():
            torch.nn.init.normal_(parameter, std=0.2)
    network.save_pretrained(folder)
    processor = own.extractor if kind == "clap" else own.processors[0]
    values = own.small_processor | ({"max_length_s": 2} if kind == "clap" else {})
    getattr(transformers, processor)(**values).save_pretrained(folder)
    save_tokenizer(folder, kind)
    return folder


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirror")
    for kind in TEXT_KINDS:
        save(folder / "someone" / kind, kind)
    return folder, tmp_path_factory.mktemp("fetched")


@pytest.fixture(scope="module")
def fetched(mirror):
    """Kind -> weights and tokenizer, as the jobs fetch them."""

    @cache
    def of_kind(kind: str):
        source = WeightsSource(f"hf/someone/{kind}")
        weights = weights_fetch.fetch(source, mirror[1], str(mirror[0]))
        return weights, tokenizer_fetch.fetch(weights, mirror[1], str(mirror[0]), http.ARCHIVES)

    return of_kind


@cache
def reference(folder: Path, kind: str):
    """The library's own model and tokenizer, loaded by its own means."""
    network = getattr(transformers, WHOLE[kind]).from_pretrained(folder, local_files_only=True)
    classes = {"clap": "RobertaTokenizer", "clip": "CLIPTokenizer", "siglip": "Siglip2Tokenizer"}
    own = getattr(transformers, classes[kind])
    return network.eval(), own.from_pretrained(folder, local_files_only=True)


def tokens_of(folder: Path, kind: str, texts):
    """As the library's documentation calls it: padded, SigLIP to its full length."""
    _, tokenizer = reference(folder, kind)
    full = {"padding": "max_length", "max_length": POSITIONS} if kind == "siglip" else {}
    inputs = dict(tokenizer(list(texts), return_tensors="pt", **({"padding": True} | full)))
    wanted = ("input_ids",) if kind == "siglip" else ("input_ids", "attention_mask")
    return {name: inputs[name] for name in wanted}


def noise_of(kind: str) -> list[np.ndarray]:
    """Three sounds, or three pictures."""
    random = np.random.default_rng(3)
    if kind == "clap":
        return [random.normal(0, 0.1, 48_000).astype(np.float32) for _ in range(3)]
    return list(random.integers(0, 256, (3, 64, 64, 3), np.uint8))


def features_of(kind: str, weights, noise) -> np.ndarray:
    """Features, float32 (3, features), by the backbone that stores are made with."""
    if kind == "clap":
        return sound.load(SoundSpec(weights.model, "pretrained"), 0, weights)(noise)
    spec = BackboneSpec(weights.model, "pretrained", "frames", precision="fp32")
    return load_pictures(spec, 0, weights)(np.stack(noise)[:, None])


@torch.inference_mode()
def logits_of(folder: Path, kind: str, noise, texts) -> np.ndarray:
    """The library's own logits, (3, texts), from its processor to its scale and bias."""
    network, _ = reference(folder, kind)
    tokens = tokens_of(folder, kind, texts)
    if kind == "clap":
        own = transformers.ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
        made = own(noise, sampling_rate=own.sampling_rate, return_tensors="pt")
        made["is_longer"] = torch.zeros(len(noise), 1, dtype=torch.bool)
        return network(**made, **tokens).logits_per_audio.numpy()
    auto = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    made = auto(images=noise, return_tensors="pt")
    return network(**made, **tokens).logits_per_image.numpy()


TEXTS = tuple(
    template.replace("{genre}", phrase)
    for template in PICTURES[:2]
    for phrase in ("an action movie", "a scary movie with ghosts, monsters or Killers", "x")
)


def test_the_kinds_that_are_known_are_those_that_are_built():
    assert sorted(TEXT_KINDS) == sorted(WITH_TEXT)


@pytest.mark.parametrize("kind", TEXT_KINDS)
def test_embeddings_equal_the_librarys_own(kind, mirror, fetched):
    weights, record = fetched(kind)
    tower = hub_text.load(weights.model, 0, weights, record.files)
    own, folder = tower.embed(TEXTS), mirror[0] / "someone" / kind
    network, _ = reference(folder, kind)
    with torch.inference_mode():
        expected = network.get_text_features(**tokens_of(folder, kind, TEXTS)).pooler_output.numpy()
    if kind == "clap":  # normalised by the library
        own = zero_shot.normalized(own)
    assert own.shape == expected.shape and np.abs(own - expected).max() < PARITY
    assert np.ptp(own, axis=0).max() > 50 * PARITY  # otherwise nothing is compared


@pytest.mark.parametrize("kind", TEXT_KINDS)
def test_scores_are_the_librarys_logits_scaled(kind, mirror, fetched):
    weights, record = fetched(kind)
    tower = hub_text.load(weights.model, 0, weights, record.files)
    prompts = zero_shot.Prompts(("{genre}",), {genre: (f"a {genre} movie",) for genre in GENRES})
    noise, genres = noise_of(kind), zero_shot.embed_genres(tower, prompts)
    features = features_of(kind, weights, noise)
    found = np.stack([zero_shot.scores(row[None], genres) for row in features])
    texts = [f"a {genre} movie" for genre in GENRES]
    logits = logits_of(mirror[0] / "someone" / kind, kind, noise, texts)
    scale, bias = tower.attributes["logit_scale"], tower.attributes.get("logit_bias", 0)
    assert ("logit_bias" in tower.attributes) == (kind == "siglip")
    assert np.abs((2 * found - 1) * scale + bias - logits).max() < PARITY * max(1, scale)
    # The order is the library's, but for pairs whose logits are closer than rounding.
    ordered = logits.ravel()[found.argsort(axis=None)]
    assert (np.diff(ordered) > -PARITY * max(1, scale)).all()
    assert np.ptp(logits) > 20 * PARITY * max(1, scale)
    assert (found > 0).all() and (found < 1).all()


def test_siglip_reads_lower_case_without_punctuation_and_others_keep_it(mirror, fetched, tmp_path):
    """By the rule of the library's `SiglipTokenizer.canonicalize_text`."""
    weights, record = fetched("siglip")
    folder = shutil.copytree(Path(weights.file).parent, tmp_path / "siglip")
    path = folder / hub_tokenizer.TOKENIZER_CONFIG
    values = json.loads(path.read_text())

    def read(**changed):
        path.write_text(json.dumps(values | changed))
        return hub_tokenizer.read_tokenizer(
            folder, hub_tokenizer.hashes_of(folder), weights.model, "siglip"
        )

    first, second = "A  Movie, with: ghosts!", "a movie with ghosts"
    siglip = read(tokenizer_class="SiglipTokenizer")
    assert siglip.tokens(first) == siglip.tokens(second)
    assert siglip.tokens(first)[-1] == siglip.ending == 2
    gemma = read(tokenizer_class="GemmaTokenizer", add_eos_token=True)
    assert gemma.tokens(first) != gemma.tokens(second)
    assert gemma.tokens(first) == gemma.tokens(first.upper())


@pytest.mark.parametrize("kind", TEXT_KINDS)
def test_random_weights_read_bytes(kind):
    model = next(
        name
        for name, found in {**hub_known.KNOWN, **hub_vision_known.KNOWN}.items()
        if found.kind == kind
    )
    towers = [hub_text.load(model, seed) for seed in (1, 1, 2)]
    longest = "ü" * 300
    own, same, other = (tower.embed([*TEXTS, longest]) for tower in towers)
    assert own.shape == (len(TEXTS) + 1, 32) and (own == same).all() and (own != other).any()
    assert np.ptp(own, axis=0).max() > 1e-3
    assert towers[0].attributes["pretrained"] is False
    assert towers[0].attributes["tokenizer"] == "UTF-8 bytes"


def broken(fetched, tmp_path, kind, name, content):
    """The weights of a kind, copied, with another file beside them."""
    weights, _ = fetched(kind)
    folder = shutil.copytree(Path(weights.file).parent, tmp_path / "own")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    return replace(weights, file=str(folder / "model.safetensors"))


def with_config(weights, **text):
    """Weights whose config.json has other values of texts. Changes the file, and its hash."""
    path = Path(weights.file).with_name("config.json")
    values = json.loads(path.read_text())
    values["text_config"] |= text
    path.write_text(json.dumps(values))
    return replace(weights, beside=hub_files.hashes_beside(Path(weights.file)))


STRANGE = json.dumps({"pad_token": "<pad>", "padding_side": "up"}).encode()


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        ("clip", "tokenizer.json", None, "there is no file"),
        ("clip", "tokenizer.json", b"{}", "is no tokenizer"),
        ("clip", "tokenizer.json", b"\x00" * 100, "is no tokenizer"),
        ("clip", "tokenizer.json", b"[" * 100_000, "is no tokenizer"),
        ("clip", "tokenizer_config.json", b"[]", "no mapping of names to values"),
        ("siglip", "tokenizer_config.json", b"{}", "names no pad_token"),
        ("siglip", "tokenizer_config.json", STRANGE, "strange padding_side, 'up'"),
    ],
)
def test_a_strange_tokenizer_is_refused_in_one_line(fetched, tmp_path, kind, name, content, said):
    weights = broken(fetched, tmp_path, kind, name, content)
    with pytest.raises(UserError, match=said) as error:
        tokenizer_fetch.fetch(weights, tmp_path / "elsewhere", None, http.ARCHIVES)
    assert "\n" not in str(error.value) and len(str(error.value)) < 600


def test_a_tokenizer_of_another_vocabulary_is_refused(fetched, tmp_path):
    content = json.loads((Path(fetched("clap")[0].file).parent / "tokenizer.json").read_text())
    content["model"]["vocab"]["a"] = 10 * TOKENS
    weights = broken(fetched, tmp_path, "clap", "tokenizer.json", json.dumps(content).encode())
    with pytest.raises(UserError, match="has tokens of other numbers than the network's"):
        tokenizer_fetch.fetch(weights, tmp_path / "elsewhere", None, http.ARCHIVES)


def nested(*types: str) -> dict[str, object]:
    """A normalizer whose steps lie in a sequence within a sequence."""
    inner = {"type": "Sequence", "normalizers": [{"type": each} for each in types]}
    return {"type": "Sequence", "normalizers": [inner]}


HOSTILE = {
    "a repetition of a repetition": ({"normalizer": {"Regex": "(a+)+$"}}, "has a group"),
    "three repetitions": ({"pre_tokenizer": {"Regex": "a*a*a*b"}}, "repeats twice"),
    "a hidden repetition": ({"normalizer": {"Regex": r"\c[a*a*a*b]"}}, "not known here"),
    "doubled forever": ({"normalizer": {"String": ""}}, "replaces an empty text"),
    "a long replacement": ({"normalizer": {"content": "xxx"}}, "is long"),
    "long beginnings": ({"normalizer": {"prepend": "xxx"}}, "is long"),
    "an empty match": ({"normalizer": {"Regex": "x*"}}, "matches an empty text"),
    "an empty alternative": ({"normalizer": {"Regex": "a||b"}}, "matches an empty text"),
    "an optional match": ({"normalizer": {"Regex": "b|^x{0,2}$"}}, "matches an empty text"),
    "bytes of bytes": ({"pre_tokenizer": [{"type": "ByteLevel"}] * 4}, "256 times longer"),
    "Unicode's longest": ({"normalizer": nested("NFKC", "NFKD")}, "324 times longer"),
    "a step without a type": ({"normalizer": {"pattern": {"String": "x"}}}, "without a type"),
    "an unknown step": ({"normalizer": {"type": "Odd"}}, "unknown step, 'Odd'"),
    "many added tokens": ({"added_tokens": [{"content": "x"}] * 2001}, "2001 added_tokens"),
    "a long added token": ({"added_tokens": [{"content": "x" * 201}]}, "up to 201 characters"),
    "added tokens that grow": (
        {"added_tokens": [{"content": "x" * 200}] * 20, "normalizer": {"type": "NFKC"}},
        "its steps make them longer",
    ),
    "many steps": ({"normalizer": nested(*["Lowercase"] * 51)}, "52 steps"),
    "a long map": (
        {"normalizer": {"precompiled_charsmap": b64encode(bytes(4) + b"x" * 65).decode()}},
        "more than 64 bytes",
    ),
    "lots": ({"model": {"dropout": 0.5}}, "has a dropout"),
    "no model": ({"model": None}, "has no model"),
    "a long prefix": ({"model": {"continuing_subword_prefix": "x" * 21}}, "prefix is long"),
    "a long suffix": ({"model": {"end_of_word_suffix": "x" * 21}}, "suffix is long"),
    "long words": ({"model": {"max_input_chars_per_word": 1001}}, "at most 1000"),
    "a long end": ({"post_processor": ["x"] * 5000}, "post_processor has more than"),
}
"""What it is -> the section of a tokenizer.json that holds it, and what is said."""


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_tokenizer_that_could_take_long_is_refused_before_it_is_read(kind):
    section, said = HOSTILE[kind]
    with pytest.raises(ValueError, match=said):
        tokenizer_bounds.bounded({"model": {}, "decoder": None} | section)


def test_nested_steps_are_flattened_in_their_order():
    values = {"model": {}, "normalizer": nested("NFC", "Lowercase")}
    found = tokenizer_bounds.bounded(values)["normalizer"]
    flat = [{"type": "NFC"}, {"type": "Lowercase"}]
    assert found == {"type": "Sequence", "normalizers": flat}


def replaced(content: str) -> dict[str, object]:
    """A step of a tokenizer that replaces each x."""
    return {"type": "Replace", "pattern": {"String": "x"}, "content": content}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([replaced("x") | {"pattern": {"Regex": "(x+x+)+y"}}], "could take long"),
        ([replaced("xx")] * 15, "times longer"),
        ([{"type": "Sequence", "normalizers": [replaced("xx")] * 12}], "times longer"),
    ],
)
def test_a_slow_tokenizer_costs_nothing(fetched, tmp_path, steps, said):
    content = json.loads((Path(fetched("clip")[0].file).parent / "tokenizer.json").read_text())
    content["normalizer"] = {"type": "Sequence", "normalizers": steps}
    weights = broken(fetched, tmp_path, "clip", "tokenizer.json", json.dumps(content).encode())
    began = time.process_time()
    with pytest.raises(UserError, match=said) as error:
        record = tokenizer_fetch.fetch(weights, tmp_path / "elsewhere", None, http.ARCHIVES)
        hub_text.load(weights.model, 0, weights, record.files).embed(["x" * 300])
    assert time.process_time() - began < 5 and len(str(error.value)) < 600


def test_one_of_two_equal_keys_is_checked_and_used(fetched, tmp_path):
    text = (Path(fetched("clip")[0].file).parent / "tokenizer.json").read_text()
    slow = json.dumps(replaced("x") | {"pattern": {"Regex": "(x+x+)+y"}})
    double = text.replace("{", f'{{"normalizer": {slow},', 1)
    assert json.loads(double) == json.loads(text)
    weights = broken(fetched, tmp_path, "clip", "tokenizer.json", double.encode())
    record = tokenizer_fetch.fetch(weights, tmp_path / "elsewhere", None, http.ARCHIVES)
    tower = hub_text.load(weights.model, 0, weights, record.files)
    own, folder = fetched("clip")
    same = hub_text.load(own.model, 0, own, folder.files)
    assert (tower.embed(TEXTS) == same.embed(TEXTS)).all()


@pytest.mark.parametrize("eos", [2, 2 * TOKENS - 1])
def test_a_clip_tokenizer_without_its_end_is_refused(fetched, tmp_path, eos):
    folder = Path(fetched("clip")[0].file).parent
    content = json.loads((folder / "tokenizer.json").read_text()) | {"post_processor": None}
    weights = broken(fetched, tmp_path, "clip", "tokenizer.json", json.dumps(content).encode())
    weights = with_config(weights, eos_token_id=eos)
    with pytest.raises(UserError, match="without the token that the network reads them by"):
        tokenizer_fetch.fetch(weights, tmp_path / "elsewhere", None, http.ARCHIVES)


def test_equal_vectors_of_different_texts_are_refused(fetched, tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer_fetch, "TRIED", ("a movie", "a  Movie"))
    with pytest.raises(UserError, match="different texts have the same vector"):
        tokenizer_fetch.fetch(fetched("clip")[0], tmp_path, None, http.ARCHIVES)


def test_a_projection_of_no_length_is_refused_in_one_line(fetched, tmp_path):
    config = Path(fetched("clip")[0].file).with_name("config.json")
    values = json.loads(config.read_text()) | {"projection_dim": None}
    weights = broken(fetched, tmp_path, "clip", "config.json", json.dumps(values).encode())
    with pytest.raises(UserError) as error:
        tokenizer_fetch.fetch(with_config(weights), tmp_path / "else", None, http.ARCHIVES)
    assert "\n" not in str(error.value)


def test_a_huge_tokenizer_is_not_read(fetched, tmp_path, monkeypatch):
    weights = broken(fetched, tmp_path, "clip", "tokenizer.json", b" " * 2000)
    monkeypatch.setattr(hub_tokenizer, "MOST_BYTES", 1000)
    with pytest.raises(UserError, match=r"1,?000|0\.001"):
        tokenizer_fetch.fetch(weights, tmp_path / "elsewhere", None, http.ARCHIVES)


def test_a_changed_tokenizer_is_refused(fetched, tmp_path):
    _, record = fetched("clip")
    weights = broken(fetched, tmp_path, "clip", "tokenizer_config.json", b"{} ")
    with pytest.raises(UserError, match="is gone or changed; fetch it again"):
        hub_text.load(weights.model, 0, weights, record.files)


def test_a_text_that_is_too_long_is_named(fetched):
    weights, record = fetched("clip")
    with pytest.raises(UserError, match=f"reads at most {POSITIONS}; shorten the template"):
        hub_text.load(weights.model, 0, weights, record.files).embed(["movie " * 60])


def test_a_model_without_a_text_network_is_refused():
    with pytest.raises(UserError, match="'whisper', has no text network"):
        hub_text.load("hf/openai/whisper-tiny", 0)


def test_a_missing_tokenizer_says_what_to_do(mirror, tmp_path):
    folder = shutil.copytree(mirror[0] / "someone" / "clip", tmp_path / "from/someone/clip")
    (folder / "tokenizer.json").unlink()
    to = tmp_path / "to"
    weights = weights_fetch.fetch(WeightsSource("hf/someone/clip"), to, str(tmp_path / "from"))
    with pytest.raises(UserError, match="zero_shot needs its tokenizer.json; set weights_from"):
        tokenizer_fetch.fetch(weights, to, str(tmp_path / "from"), http.ARCHIVES)


def test_a_record_is_of_its_weights(fetched, tmp_path):
    weights, record = fetched("clip")
    path = tmp_path / "record.json"
    tokenizer_record.write_record(path, record)
    assert tokenizer_record.read_record(path, weights) == record
    with pytest.raises(UserError, match="it is of other weights"):
        tokenizer_record.read_record(path, replace(weights, sha256="0" * 64))
