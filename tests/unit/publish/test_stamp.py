"""The target `publish` notices a publication that was deleted or changed."""

import shutil
from pathlib import Path

import pytest

from trailers12k.publish import publication, stamp


@pytest.fixture
def stamped(run):
    publication.write(run, stamp.FOLDER)
    stamp.write(0)


def delete_all():
    shutil.rmtree(stamp.FOLDER)


def delete_one():
    Path("publication/mtgc.csv").unlink()


def cut_one():
    Path("publication/mtgc.csv").write_text("mid\n")


def change_sums():
    with Path("publication/SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  gone.csv\n")


def test_nothing_is_to_do_before_the_first_and_after_a_sound_one(run):
    assert stamp.attempts() == 0
    publication.write(run, stamp.FOLDER)
    stamp.write(0)
    assert stamp.attempts() == 0
    stamp.STAMP.unlink()  # which Snakemake sees itself
    assert stamp.attempts() == 0


@pytest.mark.parametrize("damage", [delete_all, delete_one, cut_one, change_sums])
def test_a_change_raises_the_count_until_it_is_made_again(stamped, run, damage):
    damage()
    assert stamp.attempts() == 1
    stamp.STAMP.unlink()
    assert stamp.attempts() == 1  # in the process of the job
    publication.write(run, stamp.FOLDER)
    stamp.write(1)
    assert stamp.attempts() == 1


@pytest.mark.parametrize("text", ["", "[]", '{"attempts": "x"}', "[" * 10**5, '{"bytes": 1}'])
def test_a_damaged_record_raises_nothing(stamped, text):
    stamp.RECORD.write_text(text)
    assert stamp.attempts() in (0, 1)
