import copy
import subprocess
import sys

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from trailers12k.classifier.adamw import AdamW, Plateau
from trailers12k.classifier.checkpoint import TrainingSettings
from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.training import TrainingState

LOSSES = [1.0, 0.9, 0.95, 0.9, 0.89999, 0.91, 0.8, *[0.8] * 30]
"""Falls, rises, repetitions, and a fall that is too small to count."""


def published(model, weight_decay, patience):
    """The published trainer's optimizer and schedule."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=weight_decay, amsgrad=True)
    return optimizer, torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=patience)


def step(model, optimizer, plateau, epoch):
    generator = torch.Generator().manual_seed(epoch)
    snippets = torch.rand(4, 3, 6, generator=generator)
    labels = torch.rand(4, 10, generator=generator).round()
    optimizer.zero_grad()
    binary_cross_entropy_with_logits(
        model({"image": snippets, "video": 1 - snippets}), labels
    ).backward()
    optimizer.step()
    plateau.step(LOSSES[epoch])


@pytest.mark.parametrize("weight_decay", [0.01, 0.0])
def test_steps_and_learning_rates_are_those_of_torch_to_the_bit(weight_decay):
    torch.manual_seed(0)
    ours = DIViTA({"image": 6, "video": 6}, hidden=8, heads=2, feedforward=8, dropout=0.0)
    theirs = copy.deepcopy(ours)
    optimizer = AdamW(ours.parameters(), 1e-3, weight_decay)
    plateau = Plateau(optimizer, 2)
    their_optimizer, their_plateau = published(theirs, weight_decay, 2)
    rates = set()
    for epoch in range(len(LOSSES)):
        step(ours, optimizer, plateau, epoch)
        step(theirs, their_optimizer, their_plateau, epoch)
        assert optimizer.lr == their_optimizer.param_groups[0]["lr"]
        rates.add(optimizer.lr)
        for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(own, other)
    # Down to where a tenth would differ by less than torch's limit.
    assert len(rates) == 6


def test_a_parameter_without_a_gradient_stays_as_in_torch():
    ours = torch.nn.ModuleList([torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)])
    theirs = copy.deepcopy(ours)
    optimizers = (
        AdamW(ours.parameters(), 0.1, 0.01),
        torch.optim.AdamW(theirs.parameters(), 0.1, weight_decay=0.01, amsgrad=True),
    )
    for used in (0, 0, 1, 0):
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model[used](torch.ones(1, 1)).sum().backward()
            optimizer.step()
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(own, other)


def test_the_settings_are_the_published_ones():
    optimizer = TrainingState(torch.nn.Linear(1, 1), TrainingSettings()).optimizer
    assert (optimizer.lr, optimizer.weight_decay) == (1e-4, 0.01)


def test_a_training_imports_neither_the_compiler_nor_readers_of_stores():
    program = """
import sys, torch
from trailers12k.classifier.training import TrainingState, TrainingSettings
from trailers12k.classifier import labels, packed, packed_arrays
from trailers12k.features import store_attributes
from trailers12k.features.backbones import devices, names
state = TrainingState(torch.nn.Linear(1, 1), TrainingSettings())
state.model(torch.ones(1, 1)).sum().backward()
state.optimizer.step()
state.end_epoch(1.0, 1.0)
print([name for name in ("torch._dynamo", "zarr", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
