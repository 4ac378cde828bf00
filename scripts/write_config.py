"""Write the configuration that this run used, all keys resolved."""

from trailers12k.common.files import write_text
from trailers12k.jobs.context import run_job


def main() -> None:
    import yaml

    text = yaml.safe_dump(snakemake.params.config, sort_keys=False, allow_unicode=True)
    write_text(snakemake.output.config, text)


if __name__ == "__main__":
    run_job(snakemake, main)
