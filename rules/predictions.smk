"""Predictions: needs a trained run and any trailer, makes the trailer's genres.

Included only when a trailer is named: --config trailer=FILE_OR_URL.
"""


rule fetch_trailer:
    """Fetch and verify the trailer."""
    input:
        file=prediction.files,
    output:
        facts="build/predictions/{name}/trailer.json",
    log:
        "logs/fetch_trailer/{name}.log",
    benchmark:
        "benchmarks/fetch_trailer/{name}.tsv"
    localrule: True
    conda:
        "../envs/download.yaml"
    params:
        address=prediction.location,
    script:
        "../scripts/fetch_trailer.py"


rule predict_trailer:
    """Predict its genres with the best run's checkpoint."""
    input:
        facts="build/predictions/{name}/trailer.json",
        weights=prediction.weights,
    output:
        table="results/predictions/{name}.md",
        json="results/predictions/{name}.json",
    log:
        "logs/predict_trailer/{name}.log",
    benchmark:
        "benchmarks/predict_trailer/{name}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
    params:
        address=prediction.url_or_path,
        checkpoint=prediction.checkpoint,
        streams=prediction.streams,
        clips=plain(settings.clips),
        seed=settings.seed,
        code=rule_version("predict_trailer"),
    script:
        "../scripts/predict_trailer.py"
