"""Text networks of the hub equal the library's own; their tokenizers are bounded data."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from trailers12k.classifier import zero_shot
from trailers12k.common.vocabulary import GENRES
from trailers12k.downloads import http
from trailers12k.features import tokenizer_fetch, weights_fetch
from trailers12k.features.backbones import hub_kinds, hub_text, hub_vision_kinds, sound
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


def features_of(kind: str, weights) -> np.ndarray:
    """Features of noise, float32 (3, features), by the backbone that stores are made with."""
    random = np.random.default_rng(3)
    if kind == "clap":
        net = sound.load(SoundSpec(weights.model, "pretrained"), 0, weights)
        return net([random.normal(0, 0.1, 48_000).astype(np.float32) for _ in range(3)])
    net = load_pictures(
        BackboneSpec(weights.model, "pretrained", "frames", precision="fp32"), 0, weights
    )
    return net(random.integers(0, 256, (3, 1, 64, 64, 3), np.uint8))


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
    features = features_of(kind, weights)
    found = np.stack(
        [zero_shot.scores(row[None], zero_shot.embed_genres(tower, prompts)) for row in features]
    )
    folder = mirror[0] / "someone" / kind
    network, _ = reference(folder, kind)
    texts = tokens_of(folder, kind, [f"a {genre} movie" for genre in GENRES])
    with torch.inference_mode():
        text = network.get_text_features(**texts).pooler_output
        text = torch.nn.functional.normalize(text, dim=-1)
        pictures = torch.nn.functional.normalize(torch.from_numpy(features), dim=-1)
    attributes = tower.attributes
    scale, bias = attributes["logit_scale"], attributes.get("logit_bias", 0)
    own = getattr(network, TEXT_KINDS[kind].scale).exp().item()
    assert scale == pytest.approx(own, rel=1e-6)
    assert ("logit_bias" in attributes) == (kind == "siglip")
    logits = pictures.numpy() @ text.numpy().T * scale + bias
    assert np.abs((2 * found - 1) * scale + bias - logits).max() < PARITY * max(1, scale)
    assert (found.argsort(axis=None) == logits.argsort(axis=None)).all()
    assert (found > 0).all() and (found < 1).all()
