"""DIViTA equals the published model: same weights, same logits, loss, gradients and BatchNorm."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from trailers12k.classifier.divita import DIViTA

TOLERANCE = {"rtol": 0, "atol": 1e-5}
MOMENTUM = 0.1
STATISTICS = ("running_mean", "running_var")


class Golden:
    """One file of golden numbers and a model that holds its weights."""

    def __init__(self, run: str):
        self.numbers = np.load(Path(__file__).parent / f"divita_{run}.npz")
        self.streams = [name for name in ("image", "video") if name in self.numbers]
        # The file's inputs are (B, F, S), the model's (B, S, F).
        self.inputs = {name: self.tensor(name).transpose(1, 2) for name in self.streams}
        features = {name: rows.shape[2] for name, rows in self.inputs.items()}
        self.model = DIViTA(features, dropout=0.0)
        state = {
            "streams." + key.removeprefix("weights/").replace("/", "."): self.tensor(key)
            for key in self.numbers.files
            if key.startswith("weights/")
        }
        self.model.load_state_dict(state)

    def tensor(self, key: str) -> torch.Tensor:
        return torch.from_numpy(self.numbers[key])

    def undo_the_step(self) -> None:
        """Set the running statistics to their values before the golden training step.

        The file's `weights/` hold the statistics after the step (they equal `after_step/`), while
        its `eval_logits` were computed before it.
        """
        for name, rows in self.inputs.items():
            norm = self.model.streams[name].norm_in
            norm.running_mean = (norm.running_mean - MOMENTUM * rows.mean((0, 1))) / (1 - MOMENTUM)
            norm.running_var = (norm.running_var - MOMENTUM * rows.var((0, 1))) / (1 - MOMENTUM)


@pytest.fixture(params=["image", "video", "fusion"])
def golden(request):
    torch.set_num_threads(1)
    return Golden(request.param)


def test_logits_in_evaluation(golden):
    golden.undo_the_step()
    with torch.no_grad():
        logits = golden.model.eval()(golden.inputs)
    np.testing.assert_allclose(logits, golden.numbers["eval_logits"], **TOLERANCE)


def test_a_training_step(golden):
    golden.undo_the_step()
    logits = golden.model.train()(golden.inputs)
    np.testing.assert_allclose(logits.detach(), golden.numbers["train_logits"], **TOLERANCE)

    loss = binary_cross_entropy_with_logits(logits, golden.tensor("labels"))
    np.testing.assert_allclose(loss.item(), golden.numbers["train_loss"], **TOLERANCE)

    loss.backward()
    for name in golden.streams:
        network = golden.model.streams[name]
        for role, parameter in network.named_parameters():
            expected = golden.numbers[f"grad_norm/{name}/{role}"]
            np.testing.assert_allclose(parameter.grad.norm(), expected, **TOLERANCE, err_msg=role)
        for role in STATISTICS:
            expected = golden.numbers[f"after_step/{name}/norm_in.{role}"]
            np.testing.assert_allclose(getattr(network.norm_in, role), expected, **TOLERANCE)


def test_every_gradient_is_compared(golden):
    compared = {key for key in golden.numbers.files if key.startswith("grad_norm/")}
    assert len(compared) == len(list(golden.model.parameters()))
