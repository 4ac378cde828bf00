"""The paper's stores, runs and record of published files: defaults of the settings.

Reads and writes nothing. Must not know the models of the settings.
"""

from types import MappingProxyType

RECORD_URL = "https://zenodo.org/records/5716410/files"
"""The authors' record."""

RECORD_MD5 = MappingProxyType(
    {
        "mtgc.csv": "d730579950345b2c0f9c4a9779bd9d44",
        "trailers_i_shufflenet_fpc24.zarr.tar.gz": "15eac938134322e8e6c611f844ef3d32",
        "trailers_k_shufflenet_fps24_fpc24.zarr.tar.gz": "cbf2016ad294c50b75baaf8e25c7aaaf",
        "trailers_i_resnet_fpc24.zarr.tar.gz": "ed284507adcd04d067ba48a1ceab1b3d",
        "trailers_k_r2plus1d_fps24_fpc24.zarr.tar.gz": "90897c9508790e67aab3c3b8c69ce668",
        "trailers_i_swin_fpc24.zarr.tar.gz": "d544acb04179bc723d46c88adfa43aa0",
        "trailers_ik_swin_fps24_fpc24.zarr.tar.gz": "e4f57101c465b6426bc3d9909ba36bdb",
        "posters_i_swin.zarr.tar.gz": None,
    }
)
"""File of the record -> its md5. The record states none for the posters."""

STORES = MappingProxyType(
    {
        "trailers_i_shufflenet_fpc24": {
            "model": "torchvision/shufflenet_v2_x1_0.IMAGENET1K_V1",
            "input": "frames",
        },
        "trailers_i_resnet_fpc24": {
            "model": "torchvision/resnet50.IMAGENET1K_V1",
            "input": "frames",
        },
        "trailers_i_swin_fpc24": {
            "model": "timm/swin_tiny_patch4_window7_224.ms_in1k",
            "input": "frames",
        },
        "trailers_k_shufflenet_fps24_fpc24": {
            "model": "shufflenet3d/1.0x",
            "input": "clips",
            # Its authors publish it on a drive that programs cannot fetch from.
            "file": "kinetics_shufflenetv2_1.0x_RGB_16_best.pth",
        },
        "trailers_k_r2plus1d_fps24_fpc24": {
            "model": "torchvision/r2plus1d_18.KINETICS400_V1",
            "input": "clips",
        },
        "trailers_ik_swin_fps24_fpc24": {
            "model": "torchvision/swin3d_t.KINETICS400_V1",
            "input": "clips",
        },
        "posters_i_swin": {
            "model": "timm/swin_tiny_patch4_window7_224.ms_in1k",
            "input": "posters",
        },
    }
)
"""The paper's seven stores: name -> the keys of `BackboneSettings` that are not its defaults."""

RUNS = MappingProxyType(
    {
        "ShuffleNet-2D": {"image": "trailers_i_shufflenet_fpc24"},
        "ShuffleNet-3D": {"video": "trailers_k_shufflenet_fps24_fpc24"},
        "ShuffleNet-Fusion": {
            "image": "trailers_i_shufflenet_fpc24",
            "video": "trailers_k_shufflenet_fps24_fpc24",
        },
        "ResNet": {"image": "trailers_i_resnet_fpc24"},
        "R2+1D": {"video": "trailers_k_r2plus1d_fps24_fpc24"},
        "ResNet-Fusion": {
            "image": "trailers_i_resnet_fpc24",
            "video": "trailers_k_r2plus1d_fps24_fpc24",
        },
        "Swin-2D": {"image": "trailers_i_swin_fpc24"},
        "Swin-3D": {"video": "trailers_ik_swin_fps24_fpc24"},
    }
)
"""The eight rows of the paper's Table 6: run -> stream -> store."""
