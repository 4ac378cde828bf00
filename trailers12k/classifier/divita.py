"""DIViTA, the classifier: snippets of clip features -> genre logits.

Reads and writes nothing but tensors. Must not know files, movies, or how it is trained.

Source: Montalvo-Lezama et al., "Improving Transfer Learning for Movie Trailer Genre
Classification using a Dual Image and Video Transformer", Information Processing & Management 2023.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Stream(nn.Module):
    """The network of one stream (image or video): (B, S, F) float32 -> (B, genres) logits.

    Normalise each feature over batch and clips, project, one transformer block without positions
    or mask, mean over the clips, classify. The block's attention has no biases and no dropout.
    """

    def __init__(
        self, features: int, hidden: int, heads: int, feedforward: int, dropout: float, genres: int
    ):
        super().__init__()
        if hidden % heads:
            raise ValueError(f"hidden={hidden} does not divide into heads={heads}")
        self.heads = heads
        self.norm_in = nn.BatchNorm1d(features)
        self.project = nn.Linear(features, hidden)
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.value = nn.Linear(hidden, hidden, bias=False)
        self.attention_out = nn.Linear(hidden, hidden, bias=False)
        self.norm1 = nn.LayerNorm(hidden)
        self.ff1 = nn.Linear(hidden, feedforward)
        self.ff2 = nn.Linear(feedforward, hidden)
        self.norm2 = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(hidden, genres)

    def attend(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Multi-head self-attention over the clips, (B, S, hidden) -> (B, S, hidden).

        mask: (B, 1, 1, S) bool; where it is false, nobody looks.
        """
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        heads = F.scaled_dot_product_attention(query, key, value, mask)
        return self.attention_out(heads.transpose(1, 2).flatten(-2))

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """valid: (B, S) bool; clips where it is false count for nothing. None: all count."""
        # As (B * S, F) BatchNorm sees each feature over batch and clips without a transposed copy.
        x = self.project(self.norm_in(x.flatten(0, 1))).unflatten(0, x.shape[:2])
        x = self.dropout(
            self.norm1(self.attend(x, None if valid is None else valid[:, None, None]) + x)
        )
        x = self.dropout(self.norm2(self.ff2(F.relu(self.ff1(x))) + x))
        if valid is None:
            return self.classify(x.mean(1))
        return self.classify((x * valid[..., None]).sum(1) / valid.sum(1, keepdim=True))


FUSIONS = ("late", "early")
EARLY = "together"


class DIViTA(nn.Module):
    """One `Stream` per feature store; their logits are averaged (late fusion, the paper's).

    `features` names the streams and their feature sizes: `DIViTA({"image": 1024, "video": 512})`.
    With `fusion="early"` there is one `Stream` on the features of all, clip by clip in one row.
    The defaults are the paper's. Parameters start from torch's own initialisation.
    Raises ValueError without a stream, for another fusion, and when `hidden` does not divide into
    `heads`.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        hidden: int = 128,
        heads: int = 4,
        feedforward: int = 768,
        dropout: float = 0.25,
        genres: int = 10,
        fusion: str = "late",
    ):
        super().__init__()
        if not features:
            raise ValueError("DIViTA needs at least one stream, e.g. {'image': 1024}")
        if fusion not in FUSIONS:
            raise ValueError(f"fusion={fusion!r}: it must be one of {', '.join(FUSIONS)}")
        self.inputs = list(features)
        self.fusion = fusion
        if fusion == "early":
            features = {EARLY: sum(features.values())}
        self.streams = nn.ModuleDict(
            {
                name: Stream(size, hidden, heads, feedforward, dropout, genres)
                for name, size in features.items()
            }
        )

    def forward(self, snippets: Mapping[str, Tensor], valid: Tensor | None = None) -> Tensor:
        """The logits, (B, genres), of one snippet a row: stream -> (B, S, F) float32.

        S is clips, F the stream's features: the rows of a store as they are; S is 1 for posters. A
        genre's probability is the sigmoid of its logit. Streams that are not the model's are
        ignored; one that is missing is a KeyError. `valid`, (B, S) bool, masks clips.
        """
        rows = {name: snippets[name] for name in self.inputs}
        if self.fusion == "early":
            clips = max(x.shape[1] for x in rows.values())
            rows = {EARLY: torch.cat([x.expand(-1, clips, -1) for x in rows.values()], -1)}
        logits = [
            network(rows[name], None if rows[name].shape[1] == 1 else valid)
            for name, network in self.streams.items()
        ]
        return torch.stack(logits).mean(0)
