"""Where decord has no wheel, PyAV decodes everything, and the records say so."""

import json
import subprocess
import sys

from .rendering import render_shots

WITHOUT_DECORD = """
import json
import sys

sys.modules["decord"] = None  # as if it were not installed: importing it raises ImportError

import numpy as np
from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.extraction import extract_trailer
from trailers12k.features.recipe import Sampling
from trailers12k.video.clips import Clip
from trailers12k.video.probe import probe
from trailers12k.video.reader import decoder_versions, read_frames

path = sys.argv[1]
video = probe(path)
frames = list(read_frames(path, "decord", np.arange(24) / 24))  # probed where decord is installed
net = load(BackboneSpec("torchvision/shufflenet_v2_x0_5", input="frames", weights="random"), 0)
networks = {"store": (net, Sampling(24, 4))}
features = extract_trailer(networks, path, video.decoder, [Clip(0, 0, 0.0, 0.5)])["store"]
print(json.dumps([video.decoder, decoder_versions(), len(frames), features.shape]))
"""


def test_probe_frames_and_features_work_without_decord(tmp_path):
    path = render_shots(tmp_path / "trailer.mp4", (24, 24))
    command = [sys.executable, "-c", WITHOUT_DECORD, str(path)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    decoder, versions, frames, shape = json.loads(process.stdout)
    assert decoder == "pyav"
    assert versions.startswith("PyAV ") and "decord" not in versions
    assert frames == 24 and shape == [1, 1024]
