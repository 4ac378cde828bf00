"""Write the configuration that this run used, all keys resolved."""

import yaml

from trailers12k.common.files import write_text
from trailers12k.jobs.context import job


def main() -> None:
    text = yaml.safe_dump(snakemake.params.config, sort_keys=False, allow_unicode=True)
    write_text(snakemake.output.config, text)


if __name__ == "__main__":
    with job(snakemake.log[0], snakemake.input):
        main()
