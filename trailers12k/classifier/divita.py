"""DIViTA, the classifier: snippets of clip features -> genre logits.

Reads and writes nothing but tensors. Must not know files, movies, or how it is trained.

Source: Montalvo-Lezama et al., "Improving Transfer Learning for Movie Trailer Genre
Classification using a Dual Image and Video Transformer", Information Processing & Management 2023.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FUSIONS = ("late", "early")

EARLY = "together"
"""Name of the only network of early fusion."""


class Stream(nn.Module):
    """The network of one stream (image or video): (B, S, F) float32 -> (B, genres) logits.

    It normalises each feature over batch and clips, projects it, applies one transformer block
    without positional encoding, averages over the clips, and classifies. The attention of the block
    has no biases and no dropout. Raises ValueError when `hidden` is not divisible by `heads`.
    """

    def __init__(
        self, features: int, hidden: int, heads: int, feedforward: int, dropout: float, genres: int
    ):
        super().__init__()
        if hidden % heads:
            raise ValueError(f"hidden={hidden} is not divisible by heads={heads}")
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

        mask: (B, 1, 1, S) bool; clips where it is false are not attended to.
        """
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        heads = F.scaled_dot_product_attention(query, key, value, mask)
        attended: Tensor = self.attention_out(heads.transpose(1, 2).flatten(-2))
        return attended

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """The logits of snippets x, (B, S, F).

        valid: (B, S) bool; clips where it is false are ignored by attention and mean. None: all
        clips are valid.
        """
        # As (B * S, F) BatchNorm sees each feature over batch and clips without a transposed copy.
        x = self.project(self.norm_in(x.flatten(0, 1))).unflatten(0, x.shape[:2])
        x = self.dropout(
            self.norm1(self.attend(x, None if valid is None else valid[:, None, None]) + x)
        )
        x = self.dropout(self.norm2(self.ff2(F.relu(self.ff1(x))) + x))
        if valid is None:
            pooled = x.mean(1)
        else:
            pooled = (x * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
        logits: Tensor = self.classify(pooled)
        return logits


class DIViTA(nn.Module):
    """One `Stream` per feature store; their logits are averaged (late fusion, the paper's).

    features: stream -> feature size, such as `{"image": 1024, "video": 512}`.
    fusion: "late", or "early": one `Stream` on the features of all streams, concatenated clip by
        clip.
    The other defaults are the paper's. Parameters are initialised as torch does by default.
    Raises ValueError without a stream, for another fusion, and when `hidden` is not divisible by
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
            raise ValueError("DIViTA needs at least one stream, such as {'image': 1024}")
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
        """The logits, (B, genres), of B snippets: stream -> (B, S, F) float32.

        S is the number of clips (1 for posters), F the feature size of the stream. The probability
        of a genre is the sigmoid of its logit. Streams that the model does not have are ignored; a
        missing one is a KeyError. valid: (B, S) bool, see `Stream.forward`.
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
