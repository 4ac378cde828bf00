"""Tables of clips are read back as they were written, and merged by mid."""

import pytest

from trailers12k.common.errors import UserError
from trailers12k.video import clip_table
from trailers12k.video.clip_detection import partition
from trailers12k.video.clips import Clip


def test_clips_read_back_equal_those_written(tmp_path):
    clips = partition([(0, 100), (100, 131)])
    clip_table.write_clips(tmp_path / "tt0000001.csv", "tt0000001", clips)
    assert clip_table.read_clips(tmp_path / "tt0000001.csv") == {"tt0000001": clips}


def test_merged_tables_are_one_table_by_mid(tmp_path):
    tables = {
        mid: [Clip(0, 0, 0.0, 1.0), Clip(1, 0, 1.0, 2.0)] for mid in ("tt0000003", "tt0000001")
    }
    for mid, clips in (*tables.items(), ("tt0000002", [])):
        clip_table.write_clips(tmp_path / f"{mid}.csv", mid, clips)
    merged = tmp_path / "all.csv"
    assert clip_table.merge(sorted(tmp_path.glob("tt*.csv")), merged) == (2, 4)
    assert clip_table.read_clips(merged) == tables
    assert merged.read_text().splitlines()[1] == "tt0000001,0,0,0.000000,1.000000"


def test_another_table_is_refused(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("mid,offset,clips\n")
    with pytest.raises(UserError, match="other.csv is damaged: it is not a table of clips"):
        clip_table.merge([other], tmp_path / "all.csv")
    with pytest.raises(UserError, match="other.csv is damaged: it has no column clip"):
        clip_table.read_clips(other)
