"""Publishes the finished sample of this folder, runs it again from the publication, and compares.

Every run and epoch of the sample: about two minutes of CPU time. Fails where results/summary.csv
or the labels differ in a byte.

    make publish-roundtrip
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

SAME = ("results/summary.csv", "results/transfer/tst.csv", "data/mtgc.csv")


def main() -> None:
    """Print what is equal; exit 1 where anything is not."""
    command = Path(sys.executable).with_name("trailers12k")
    with TemporaryDirectory() as temporary:
        place, again = Path(temporary, "publication"), Path(temporary, "again")
        subprocess.run([command, "publish", "--to", place], check=True)
        subprocess.run([command, "publish", "--check", place], check=True)
        subprocess.run([command, "init", again, "--publication", place], check=True)
        subprocess.run([command, "run"], cwd=again, check=True)
        differ = [name for name in SAME if Path(name).read_bytes() != (again / name).read_bytes()]
        for name in SAME:
            print(f"{name}: {'differs' if name in differ else 'equal to the last byte'}")
        if differ:
            kept = shutil.copytree(again / "results", "results/roundtrip", dirs_exist_ok=True)
            sys.exit(f"the results of the run from the publication are in {kept}")


if __name__ == "__main__":
    main()
