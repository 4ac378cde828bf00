import pytest
import torch

from trailers12k.classifier.divita import DIViTA

PARTS = {
    "norm_in": 2_048,
    "project": 131_200,
    "attention": 65_536,
    "feed-forward": 197_504,
    "norms": 512,
    "classify": 1_290,
}
"""Parameters of one stream of 1024 features, from the shapes of the published weights."""


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


def size(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def snippets(**features):
    return {name: torch.randn(3, 7, size) for name, size in features.items()}


def test_parameters_are_the_published_ones():
    stream = DIViTA({"image": 1024}).streams["image"]
    attention = (stream.query, stream.key, stream.value, stream.attention_out)
    assert {
        "norm_in": size(stream.norm_in),
        "project": size(stream.project),
        "attention": size(*attention),
        "feed-forward": size(stream.ff1, stream.ff2),
        "norms": size(stream.norm1, stream.norm2),
        "classify": size(stream.classify),
    } == PARTS
    assert size(stream) == sum(PARTS.values())
    assert size(DIViTA({"image": 1024, "video": 1024})) == 2 * sum(PARTS.values())


def test_fusion_averages_the_logits_of_its_streams():
    fusion = DIViTA({"image": 6, "video": 4}).eval()
    batch = snippets(image=6, video=4)
    alone = []
    for name, features in (("image", 6), ("video", 4)):
        single = DIViTA({name: features}).eval()
        single.streams[name].load_state_dict(fusion.streams[name].state_dict())
        alone.append(single(batch))
    torch.testing.assert_close(fusion(batch), (alone[0] + alone[1]) / 2)
    assert fusion(batch).shape == (3, 10)


def test_the_order_of_clips_does_not_change_the_logits():
    model = DIViTA({"image": 6}).eval()
    batch = snippets(image=6)
    logits = model(batch)
    torch.testing.assert_close(model({"image": batch["image"].flip(1)}), logits)
    torch.testing.assert_close(model({"image": batch["image"].flip(0)}), logits.flip(0))


def test_dropout_only_in_training():
    model = DIViTA({"image": 6})
    batch = snippets(image=6)
    assert not torch.equal(model(batch), model(batch))
    model.eval()
    assert torch.equal(model(batch), model(batch))


def test_input_statistics_are_over_batch_and_clips():
    model = DIViTA({"image": 6})
    batch = snippets(image=6)
    model(batch)
    norm = model.streams["image"].norm_in
    torch.testing.assert_close(norm.running_mean, 0.1 * batch["image"].mean((0, 1)))


def test_masked_clips_do_not_change_the_logits():
    model = DIViTA({"image": 6, "video": 4}).eval()
    batch = snippets(image=6, video=4)
    valid = torch.tensor([[True] * 5 + [False] * 2] * 3)
    short = {name: rows[:, :5] for name, rows in batch.items()}
    torch.testing.assert_close(model(batch, valid), model(short))
    assert not torch.allclose(model(batch), model(short))
    torch.testing.assert_close(model(batch, torch.ones_like(valid)), model(batch))


def test_early_fusion_is_one_network_on_the_features_of_all():
    model = DIViTA({"image": 6, "video": 4, "poster": 2}, fusion="early").eval()
    assert model.streams["together"].norm_in.num_features == 12
    batch = snippets(image=6, video=4) | {"poster": torch.randn(3, 1, 2)}
    posters = batch["poster"].expand(-1, 7, -1)
    together = torch.cat([batch["image"], batch["video"], posters], -1)
    torch.testing.assert_close(model(batch), model.streams["together"](together))
    valid = torch.tensor([[True] * 5 + [False] * 2] * 3)
    short = {name: rows[:, :5] for name, rows in batch.items()}
    torch.testing.assert_close(model(batch, valid), model(short))


def test_posters_are_a_third_stream():
    model = DIViTA({"image": 6, "poster": 2}).eval()
    batch = snippets(image=6) | {"poster": torch.randn(3, 1, 2)}
    valid = torch.tensor([[True] * 5 + [False] * 2] * 3)
    short = {"image": batch["image"][:, :5], "poster": batch["poster"]}
    torch.testing.assert_close(model(batch, valid), model(short))


def test_errors():
    with pytest.raises(ValueError, match="one of late, early"):
        DIViTA({"image": 6}, fusion="middle")
    with pytest.raises(ValueError, match="at least one stream"):
        DIViTA({})
    with pytest.raises(ValueError, match="is not divisible"):
        DIViTA({"image": 6}, hidden=10, heads=4)
    with pytest.raises(KeyError, match="video"):
        DIViTA({"image": 6, "video": 4})(snippets(image=6))
