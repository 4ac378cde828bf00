"""Predictions: needs a trained run and any trailer, makes the trailer's genres."""

if plan.prediction:

    rule fetch_trailer:
        """Have the trailer whose genres are asked for."""
        input:
            file=lambda wc: plan.prediction.files,
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
            address=lambda wc: plan.prediction.address,
        script:
            "../scripts/fetch_trailer.py"

    rule predict_trailer:
        """Predict its genres with the best run's checkpoint."""
        input:
            facts="build/predictions/{name}/trailer.json",
            weights=[path for path in plan.prediction.weights if path],
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
            address=lambda wc: plan.prediction.address,
            chosen=plan.prediction.chosen,
            streams=plan.prediction.streams,
            clips=plan.config["clips"],
            seed=plan.config["seed"],
            code=plan.code(
                "predict_trailer",
                "classifier.prediction",
                "classifier.training",
                "classifier.divita",
                "video.clip_detection",
                "video.clips",
                "video.shots",
                "video.frame_statistics",
            ),
        script:
            "../scripts/predict_trailer.py"
