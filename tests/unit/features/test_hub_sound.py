"""Models of sound of the hub equal the library's own forward pass, and run no code of theirs."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from trailers12k.common.errors import UserError
from trailers12k.features import weights_fetch
from trailers12k.features.backbones import hub
from trailers12k.features.backbones.hub_kinds import KINDS
from trailers12k.features.backbones.hub_known import KNOWN
from trailers12k.features.backbones.sound import SoundBackbone, load
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.sound_recipe import SoundRecipe
from trailers12k.features.weights_fetch import WeightsSource
from trailers12k.features.weights_record import read_weights, write_weights

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")

PARITY = 1e-4
SHORT_AST = {"max_length": 128, "num_mel_bins": 32}
WHOLE = {
    "audio-spectrogram-transformer": "ASTForAudioClassification",
    "clap": "ClapModel",
    "whisper": "WhisperForConditionalGeneration",
    "wav2vec2": "Wav2Vec2ForCTC",
    "hubert": "HubertForCTC",
    "wavlm": "WavLMForCTC",
}
"""Kind -> the class whose files people publish, with parts that give no features."""
MORE = {
    "audio-spectrogram-transformer": SHORT_AST,
    "clap": {
        "text_config": {
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "vocab_size": 50,
            "num_attention_heads": 2,
            "intermediate_size": 16,
        }
    },
    "whisper": {
        "decoder_layers": 1,
        "decoder_attention_heads": 2,
        "decoder_ffn_dim": 16,
        "vocab_size": 100,
        "pad_token_id": 1,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "decoder_start_token_id": 2,
        "max_source_positions": 200,
    },
}
PROCESSOR = {
    "audio-spectrogram-transformer": SHORT_AST,
    "clap": {"truncation": "rand_trunc", "max_length_s": 2},
    "whisper": {"chunk_length": 4},
}
"""Small pictures of sound, so that the tests are quick."""


def save(folder: Path, kind: str, **changed) -> Path:
    """Publish a small network of a kind, with random weights, as its library does."""
    own = KINDS[kind]
    values = dict(own.small) | MORE.get(kind, {}) | changed
    torch.manual_seed(7)
    network = getattr(transformers, WHOLE[kind])(getattr(transformers, own.config)(**values))
    network.save_pretrained(folder)
    extractor = getattr(transformers, own.extractor)(**PROCESSOR.get(kind, {}))
    extractor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """A folder with a model of each kind as OWNER/NAME, and where they are fetched to."""
    folder = tmp_path_factory.mktemp("mirror")
    for kind in KINDS:
        save(folder / "someone" / kind, kind)
    return folder, tmp_path_factory.mktemp("fetched")


@pytest.fixture(scope="module")
def loaded(mirror):
    @cache
    def of_kind(kind: str) -> SoundBackbone:
        model = f"hf/someone/{kind}"
        weights = weights_fetch.fetch(WeightsSource(model), mirror[1], str(mirror[0]))
        return load(SoundSpec(model, "pretrained"), 0, weights)

    return of_kind


def sound(count: int, seed: int = 0) -> np.ndarray:
    time = np.arange(count) / 16_000
    noise = np.random.default_rng(seed).normal(0, 0.05, count)
    return (0.3 * np.sin(2 * np.pi * (200 + 300 * seed) * time) + noise).astype(np.float32)


@cache
def reference_of(folder: Path, kind: str):
    """The library's own network and extractor, loaded by its own means."""
    name = "ClapAudioModelWithProjection" if kind == "clap" else WHOLE[kind]
    network = getattr(transformers, name).from_pretrained(folder, local_files_only=True)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
    return network.eval(), extractor


@torch.inference_mode()
def reference(folder: Path, kind: str, piece: np.ndarray) -> np.ndarray:
    """The library's own forward pass over one piece of sound."""
    network, extractor = reference_of(folder, kind)
    inputs = extractor(piece, sampling_rate=extractor.sampling_rate, return_tensors="pt")
    if kind == "clap":
        return network(**inputs).audio_embeds[0].numpy()
    if kind == "audio-spectrogram-transformer":
        network = network.audio_spectrogram_transformer
        return network(inputs.input_values.float()).pooler_output[0].numpy()
    if kind == "whisper":
        states = network.get_encoder()(inputs.input_features).last_hidden_state[0]
        return states[: -(-len(piece) // 320)].mean(0).numpy()
    return network.base_model(inputs.input_values).last_hidden_state[0].mean(0).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_features_equal_the_librarys_own(kind, mirror, loaded):
    """Short, exact and long windows, alone and in batches of different lengths."""
    net, folder = loaded(kind), mirror[0] / "someone" / kind
    most = KINDS[kind].most(reference_of(folder, kind)[1])
    longer = 2 * most + 777 if kind not in ("wav2vec2", "hubert", "wavlm") else most + 777
    lengths = [net.rate // 5, net.rate, net.rate, net.rate + 3, most, longer]
    windows = [sound(count, seed) for seed, count in enumerate(lengths)]
    found = net(windows)
    assert found.dtype == np.float32 and found.shape == (len(windows), net.num_features)
    for window, features in zip(windows, found, strict=True):
        pieces = np.array_split(window, -(-len(window) // most))
        expected = np.mean([reference(folder, kind, piece) for piece in pieces], axis=0)
        assert np.abs(features - expected).max() < PARITY
    assert np.abs(net(windows[:1]) - found[:1]).max() < PARITY
    assert np.abs(found[1] - found[2]).max() > 100 * PARITY  # otherwise nothing is compared


@torch.inference_mode()
def test_a_network_that_fuses_pictures_hears_one(tmp_path):
    """CLAP's fused models: no piece is longer than they hear, though the extractor may say so."""
    small = dict(KINDS["clap"].small["audio_config"])
    fusing = {"enable_fusion": True, "fusion_type": "aff_2d", "aff_block_r": 2}
    folder = save(tmp_path / "fused", "clap", audio_config=small | fusing)
    change(folder / "preprocessor_config.json", truncation="fusion")
    source = WeightsSource("hf/me/fused", str(folder / "model.safetensors"))
    net = load(SoundSpec("hf/me/fused", "pretrained"), 0, weights_fetch.fetch(source, folder))
    network, extractor = reference_of(folder, "clap")
    windows = [sound(count, count) for count in (9_000, 48_000, 96_000)]
    found = net(windows)
    assert (found == net(windows)).all()
    for window, features in zip(windows, found, strict=True):
        inputs = extractor(window, sampling_rate=48_000, return_tensors="pt")
        expected = network(inputs.input_features, is_longer=torch.zeros(1, 1, dtype=torch.bool))
        assert np.abs(features - expected.audio_embeds[0].numpy()).max() < PARITY


def test_names_of_tensors_of_earlier_versions_are_read(mirror, loaded, tmp_path):
    """Most published files have these for the weight norm of wav2vec 2's positions."""
    folder = save(tmp_path / "old", "wav2vec2")
    file = folder / "model.safetensors"
    old = {"parametrizations.weight.original0": "weight_g"}
    old |= {"parametrizations.weight.original1": "weight_v"}
    tensors = {}
    for name, tensor in safetensors.torch.load_file(file).items():
        for ours, theirs in old.items():
            name = name.replace(ours, theirs)
        tensors[name] = tensor
    assert {name.rpartition(".")[2] for name in tensors} >= {"weight_g", "weight_v"}
    safetensors.torch.save_file(tensors, file)
    weights = weights_fetch.fetch(WeightsSource("hf/me/old", str(file)), tmp_path)
    window = [sound(16_000)]
    found = load(SoundSpec("hf/me/old", "pretrained"), 0, weights)(window)
    assert np.abs(found - loaded("wav2vec2")(window)).max() < PARITY


@pytest.mark.parametrize("kind", KINDS)
def test_sound_of_any_length_has_features(kind, loaded):
    net = loaded(kind)
    windows = [np.zeros(count, np.float32) for count in (0, 1, 399, net.rate // 2)]
    assert np.isfinite(net(windows)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_records_files_processor_and_pooling(kind, loaded):
    attributes = loaded(kind).attributes
    assert set(attributes["weights_files"]) == {"config.json", "preprocessor_config.json"}
    assert attributes["pooling"] == KINDS[kind].pooling
    assert attributes["processor"]["sampling_rate"] == loaded(kind).rate
    assert attributes["versions"]["transformers"] == transformers.__version__
    json.dumps(attributes)


@pytest.mark.parametrize("model", {known.kind: model for model, known in KNOWN.items()}.values())
def test_random_weights_need_no_file_and_depend_on_the_seed_alone(model):
    first, again, other = (load(SoundSpec(model, "random"), seed) for seed in (1, 1, 2))
    window = [sound(first.rate)]
    assert (first(window) == again(window)).all()
    assert (first(window) != other(window)).any()
    assert first.attributes["pretrained"] is False


def test_random_weights_of_an_unknown_model_are_refused():
    with pytest.raises(UserError, match="weights: random needs a model whose kind is known"):
        load(SoundSpec("hf/someone/unknown", "random"), 0)


def test_without_the_library_there_is_one_clear_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(UserError, match=r"pip install -c lock.txt -e '.\[hf\]'$"):
        load(SoundSpec("hf/openai/whisper-tiny", "random"), 0)


def test_the_record_keeps_the_hashes_of_all_files(mirror, tmp_path):
    model = "hf/someone/hubert"
    weights = weights_fetch.fetch(WeightsSource(model), tmp_path, str(mirror[0]))
    write_weights(tmp_path / "record.json", weights)
    assert read_weights(tmp_path / "record.json") == weights
    spec = SoundSpec(model, "pretrained")
    before = SoundRecipe(spec, "code", 0, weights).determined_by
    assert before["weights_files"] == weights.beside
    config = Path(weights.file).with_name("config.json")
    config.write_text(config.read_text().replace("gelu", "relu"))
    with pytest.raises(UserError, match="config.json is gone or changed; fetch it again"):
        load(spec, 0, weights)


def test_the_users_own_file_is_read_with_those_beside_it(mirror, tmp_path):
    folder = save(tmp_path / "mine", "wav2vec2")
    file = folder / "model.safetensors"
    weights = weights_fetch.fetch(WeightsSource("hf/me/mine", str(file)), tmp_path)
    assert weights.file == str(file) and weights.source == "supplied by the user"
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match="there is no file .*preprocessor_config.json"):
        weights_fetch.fetch(WeightsSource("hf/me/mine", str(file)), tmp_path)
    with pytest.raises(UserError, match="no .safetensors file; other formats may hold code"):
        weights_fetch.fetch(WeightsSource("hf/me/mine", "pytorch_model.bin"), tmp_path)


def refusal(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        source = WeightsSource("hf/me/odd", str(folder / "model.safetensors"))
        weights_fetch.fetch(source, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    "values, message",
    [
        ({"auto_map": {"AutoModel": "odd.Model"}}, "names code of its repository (auto_map)"),
        ({"quantization_config": {"bits": 4}}, "describes quantized weights"),
        ({"model_type": "llama"}, "its model_type is 'llama', not one that gives features"),
        ({"model_type": ["whisper"]}, "not one that gives features"),
        ({"num_hidden_layers": 10**9}, "'num_hidden_layers' is 1000000000; at most 200"),
        ({"hidden_size": 10**12}, "'hidden_size' is 1000000000000; at most 1000000"),
        ({"hidden_size": 800_000, "num_attention_heads": 1}, "claims"),
        ({"intermediate_size": 900_000}, "claims"),
        ({"conv_dim": [32] * 100_000}, "'conv_dim' has 100000 values"),
        ({"num_hidden_layers": 3}, "claims"),
        ({"hidden_size": "many"}, "none of its kind"),
        ({"conv_kernel": [10**6] * 7}, "do not fit one another: 1500 positions, of at least"),
        ({"conv_stride": [10**6] * 7}, "do not fit one another: 0 positions"),
        ({"conv_stride": [1] * 7}, "do not fit one another: 480000 positions"),
        ({"conv_stride": [0] * 7}, "do not fit one another"),
        ({"conv_stride": None}, "none of its kind"),
    ],
)
def test_a_hostile_configuration_is_refused(values, message, tmp_path):
    folder = save(tmp_path / "odd", "wav2vec2")
    change(folder / "config.json", **values)
    assert message in refusal(folder)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"sampling_rate": 10**9}, "at most 1000000"),
        ({"sampling_rate": 500_000}, "sampling_rate is 500000; allowed"),
        ({"chunk_length": 10**5}, "chunk_length is 100000; allowed"),
        ({"feature_size": 2.5}, "feature_size is 2.5; allowed"),
        ({"n_fft": 0}, "n_fft is 0; allowed"),
        ({"hop_length": [1]}, "hop_length is [1]; allowed"),
        ({"feature_extractor_type": "Odd"}, "is of a 'Odd'"),
        ({"auto_map": {}}, "names code of its repository"),
        ({"chunk_length": 9}, "do not fit one another"),
    ],
)
def test_a_hostile_processor_is_refused(values, message, tmp_path):
    folder = save(tmp_path / "odd", "whisper")
    change(folder / "preprocessor_config.json", **values)
    assert message in refusal(folder)


def test_hostile_files_are_refused(tmp_path):
    folder = save(tmp_path / "odd", "wav2vec2")
    file, whole = folder / "model.safetensors", (folder / "model.safetensors").read_bytes()
    torch.save({"odd": torch.zeros(3)}, file)
    assert "does not hold its weights" in refusal(folder)
    file.write_bytes(whole[: len(whole) // 2])
    assert "does not hold its weights" in refusal(folder)
    tensors = safetensors.torch.load(whole)
    name = next(name for name in tensors if "layers.1" in name)
    tensors["odd"] = tensors.pop(name)
    safetensors.torch.save_file(tensors, file)
    assert "1 tensors are missing" in refusal(folder)
    file.write_bytes(whole)
    (folder / "config.json").write_text("[1, 2")
    assert "config.json, line 1, column 6: not JSON" in refusal(folder)
    (folder / "config.json").write_text("[1, 2]")
    assert "holds no mapping" in refusal(folder)
    (folder / "config.json").write_bytes(b" " * 5_000_000)
    assert "config.json" in refusal(folder)


def test_a_configuration_chooses_neither_kernels_nor_precision(tmp_path):
    folder = save(tmp_path / "odd", "wav2vec2")
    change(
        folder / "config.json",
        _attn_implementation="someone/kernels",
        attn_implementation="someone/kernels",
        dtype="float16",
    )
    source = WeightsSource("hf/me/odd", str(folder / "model.safetensors"))
    weights = weights_fetch.fetch(source, folder)
    assert load(SoundSpec("hf/me/odd", "pretrained"), 0, weights)([sound(16_000)]).shape == (1, 32)


@pytest.mark.parametrize(
    "kind, values, message",
    [
        # Each value alone is allowed.
        ("clap", {"fft_window_size": 16_384, "hop_length": 16}, "claim too much memory: 96000 sa"),
        ("clap", {"sampling_rate": 192_000, "max_length_s": 60}, "memory: 11520000 samples"),
        ("whisper", {"n_fft": 16_384, "hop_length": 16}, "claim too much memory: 64000 samples"),
        ("whisper", {"sampling_rate": 192_000, "chunk_length": 60}, "memory: 11520000 samples"),
        ("audio-spectrogram-transformer", {"max_length": 6_000, "num_mel_bins": 512}, "memory"),
        ("audio-spectrogram-transformer", {"std": "x"}, "std is 'x'"),
        ("audio-spectrogram-transformer", {"do_normalize": "x"}, "do_normalize is 'x'"),
        ("audio-spectrogram-transformer", {"mean": None}, "mean is None"),
        ("audio-spectrogram-transformer", {"std": 0}, "its features are not finite"),
        ("audio-spectrogram-transformer", {"mean": 1e39}, "its features are not finite"),
        ("wav2vec2", {"sampling_rate": 192_000}, "do not fit one another: 18000 positions"),
        ("wav2vec2", {"padding_value": "x"}, "padding_value is 'x'"),
    ],
)
def test_a_processor_of_odd_products_or_types_is_refused(kind, values, message, tmp_path):
    folder = save(tmp_path / "odd", kind)
    change(folder / "preprocessor_config.json", **values)
    assert message in refusal(folder)


def test_convolutions_without_bound_are_refused(tmp_path):
    folder = save(tmp_path / "odd", "wav2vec2")
    change(folder / "config.json", conv_dim=[900_000] + [32] * 6)
    assert "claim too much memory" in refusal(folder)


@pytest.mark.parametrize("error", [MemoryError(), TypeError("two\nlines"), KeyError("x")])
def test_whatever_the_trial_raises_is_one_line(error, tmp_path, monkeypatch):
    folder = save(tmp_path / "odd", "wav2vec2")

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(transformers.Wav2Vec2FeatureExtractor, "__call__", fail)
    reason = {MemoryError: "MemoryError", TypeError: "two lines", KeyError: "'x'"}[type(error)]
    assert refusal(folder).endswith(f"its files do not fit one another: {reason}")


@pytest.mark.parametrize(
    "kind, values",
    [
        ("audio-spectrogram-transformer", {"time_stride": 1, "max_length": 10**6}),
        ("clap", {"audio_config": {"spec_size": 10**6}}),
        ("whisper", {"max_source_positions": 10**6}),
    ],
)
def test_a_picture_without_bound_is_refused(kind, values, tmp_path):
    folder = save(tmp_path / "odd", kind)
    if kind == "clap":
        own = json.loads((folder / "config.json").read_text())["audio_config"]
        values = {"audio_config": own | values["audio_config"]}
    change(folder / "config.json", **values)
    assert "do not fit one another" in refusal(folder)


def test_a_million_labels_take_no_memory(tmp_path):
    folder = save(tmp_path / "odd", "wav2vec2")
    change(folder / "config.json", num_labels=10**6)
    assert "num_labels" not in hub.read_config(folder / "config.json", "hf/me/odd")


def test_a_processors_noise_is_not_taken(tmp_path):
    folder = save(tmp_path / "odd", "whisper")
    change(folder / "preprocessor_config.json", dither=1.0)
    source = WeightsSource("hf/me/odd", str(folder / "model.safetensors"))
    net = load(SoundSpec("hf/me/odd", "pretrained"), 0, weights_fetch.fetch(source, folder))
    assert (net([sound(8_000)]) == net([sound(8_000)])).all()


@pytest.mark.parametrize(
    "name", ["hf/one", "hf/a/b/c", "hf/../b", "hf/a/..", "hf/a/b@", "hf/a/b@x/y"]
)
def test_an_odd_name_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="write hf/OWNER/NAME"):
        weights_fetch.fetch(WeightsSource(name), tmp_path)
