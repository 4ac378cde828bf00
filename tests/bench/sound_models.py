"""What models of sound without a download cost: CPU seconds for a minute of clips of a second.

Each model hears the same minute in turn, on one thread, with its own context around each clip.
Printed are the medians of the rounds; beside Silero VAD, the time of the same minute by the package
itself (TorchScript), and how far the probabilities of both are apart. `make bench` runs it.
"""

import argparse
import time
import warnings

import figures
import numpy as np
import torch

from trailers12k.features.backbones import silero, sound
from trailers12k.features.backbones.sound_spec import SoundSpec

MODELS = {
    "logmel": SoundSpec("logmel/64", "none"),
    "speech": SoundSpec("silero/vad", "package"),
}
CLIPS = 60


def seconds_of(net: sound.SoundBackbone) -> float:
    """CPU seconds for a minute of clips."""
    random = np.random.default_rng(0)
    count = round((1 + 2 * net.context) * net.rate)
    clips = [random.normal(0, 0.1, count).astype(np.float32) for _ in range(CLIPS)]
    start = time.process_time()
    for first in range(0, CLIPS, net.batch):
        net(clips[first : first + net.batch])
    return time.process_time() - start


def package_figures() -> dict[str, float]:
    """The package's own time for a minute, and the greatest difference of probabilities."""
    import silero_vad

    warnings.simplefilter("ignore", FutureWarning)
    theirs = silero_vad.load_silero_vad()
    ours = silero.SpeechNet()
    ours.load(silero.packaged_file())
    random = np.random.default_rng(0)
    samples = torch.from_numpy(random.normal(0, 0.1, CLIPS * silero.RATE).astype(np.float32))
    with torch.inference_mode():
        start = time.process_time()
        expected = theirs.audio_forward(samples[None], silero.RATE)[0]
        seconds = time.process_time() - start
        apart = float((ours(samples) - expected).abs().max())
    return {"package_speech_seconds": seconds, "speech_apart": apart}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    nets = {name: sound.load(spec, 0) for name, spec in MODELS.items()}
    for net in nets.values():
        seconds_of(net)
    measured = {
        f"{name}_seconds": float(np.median([seconds_of(net) for _ in range(rounds)]))
        for name, net in nets.items()
    }
    measured |= package_figures()
    for name, value in measured.items():
        print(f"{name}: {value:.4g}")
    figures.write("sound_models", measured)


if __name__ == "__main__":
    main()
