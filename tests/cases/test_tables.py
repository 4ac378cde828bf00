"""Tables as editors and spreadsheets save them, through every reader of a user's table."""

import csv
import io

import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.common.user_table import read_user_table
from trailers12k.movies import curation
from trailers12k.movies.sources import collection, records, trailer_choices
from trailers12k.splits.assignment import split_table
from trailers12k.splits.rows import read_group_names, read_positions
from trailers12k.splits.tables import read_table

MIDS = [f"tt000000{number}" for number in range(1, 4)]


def movies(path):
    return [records.movie_of(each) for each in collection.collect([str(path)], {}).records]


def labels(path):
    mids, names, values = read_table(path)
    return mids, names, values.tolist()


TABLES = {
    "movies": (
        movies,
        "mid,title,year,genres\n" + "".join(f'{mid},"Ä, B",2000,drama\n' for mid in MIDS),
    ),
    "curation": (
        curation.read,
        "mid,decision,note\n" + "".join(f'{mid},accept,"Ä, B"\n' for mid in MIDS),
    ),
    "choices": (
        trailer_choices.corrections,
        ",".join(trailer_choices.COLUMNS)
        + "\n"
        + "".join(f'{mid},"Ä, B",2000,none,,,,,,,,\n' for mid in MIDS),
    ),
    "groups": (read_group_names, "mid,group\n" + "".join(f'{mid},"Ä, B"\n' for mid in MIDS)),
    "extend": (
        read_positions,
        "mid,Ä,split0,split1,split2\n" + "".join(f'{mid},"Ä, B",0,1,2\n' for mid in MIDS),
    ),
    "labels": (labels, "mid,Ä,comedy,split9\n" + "".join(f'{mid},1,0,"Ä, B"\n' for mid in MIDS)),
}
"""Name -> the reader of a table, and a table with a letter outside ASCII and a comma in quotes."""

every_table = pytest.mark.parametrize("name", TABLES)


def with_columns(text, *cells):
    return "".join(
        line + "".join(f",{cell}" for cell in cells) + "\n" for line in text.split("\n")[:-1]
    )


def quoted(text):
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(csv.reader(io.StringIO(text)))
    return file.getvalue()


def spread(text, separator):
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(csv.reader(io.StringIO(text)))
    return file.getvalue()


FORMS = {
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "two byte order marks": lambda text: b"\xef\xbb\xbf" * 2 + text.encode(),
    "mark and quotes": lambda text: b"\xef\xbb\xbf" + quoted(text).encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "all in quotes": lambda text: quoted(text).encode(),
    "rows emptied in a spreadsheet": lambda text: text.replace(
        "\n", "\n" + "," * text.split("\n")[0].count(",") + "\n"
    ).encode(),
    "Ctrl-Z in the last line": lambda text: text.encode() + b"\x1a",
    "Ctrl-Z and a line end": lambda text: text.encode() + b"\r\n\x1a\r\n",
    "Ctrl-Z after the last text": lambda text: text.rstrip("\n").encode() + b"\x1a",
    "marks where files were joined": lambda text: text.replace("\n", "\n\ufeff").encode(),
    "marks before quotes": lambda text: (
        "\ufeff" + quoted(text).replace("\r\n", "\r\n\ufeff").replace(',"', ',\ufeff"')
    ).encode(),
    "an index of pandas": lambda text: "".join(
        f"{place - 1 if place else ''},{line}\n" for place, line in enumerate(text.splitlines())
    ).encode(),
    "an index from 1": lambda text: "".join(
        f"{place or ''},{line}\n" for place, line in enumerate(text.splitlines())
    ).encode(),
    "blank lines": lambda text: ("\n \n" + text.replace("\n", "\n\n\t\n") + "\n\n").encode(),
    "rows of spaces and quotes": lambda text: (text + '"",""\n \u00a0,\u3000\n').encode(),
    "empty columns": lambda text: with_columns(text, "", " ").encode(),
    "a line for Excel": lambda text: b"sep=,\r\n" + text.encode(),
    "spaces after commas": lambda text: text.replace(",", ", ").replace("Ä,  B", "Ä, B").encode(),
}


@every_table
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_is_read_alike(tmp_path, name, form):
    read, text = TABLES[name]
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    plain = read(path)
    path.write_bytes(FORMS[form](text))
    assert read(path) == plain


def first_row(text, change):
    lines = text.split("\n")
    return "\n".join([lines[0], change(lines[1]), *lines[2:]])


FAULTS = {
    "semicolons": (lambda text: spread(text, ";").encode(), "line 1: .*semicolons.* commas"),
    "semicolons and quotes": (
        lambda text: quoted(text).replace('","', '";"').encode(),
        "line 1: .*semicolons.* commas",
    ),
    "semicolons, a mark and a line for Excel": (
        lambda text: b"\xef\xbb\xbfsep=;\r\n" + spread(text, ";").encode(),
        "line 2: .*semicolons.* commas",
    ),
    "tabs": (lambda text: spread(text, "\t").encode(), "line 1: .*tabs.* commas"),
    "UTF-16": (lambda text: spread(text, "\t").encode("utf-16"), "UTF-16.*UTF-8"),
    "UTF-16 of the other order": (
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        "UTF-16.*UTF-8",
    ),
    "UTF-16 without a mark": (lambda text: text.encode("utf-16-le"), "UTF-16.*UTF-8"),
    "UTF-16 without a mark, with zeros side by side": (
        lambda text: text.replace("B", "B\u0100").encode("utf-16-le"),
        "UTF-16.*UTF-8",
    ),
    "UTF-32": (lambda text: text.encode("utf-32"), "UTF-32.*UTF-8"),
    "cp1252": (lambda text: text.encode("cp1252"), "0xC4 .*Windows code page.*UTF-8"),
    "cp1251": (lambda text: text.replace("Ä", "Ж").encode("cp1251"), "Windows code page.*UTF-8"),
    "Shift-JIS": (lambda text: text.replace("Ä", "千").encode("cp932"), "Windows code page.*UTF-8"),
    "Big5": (lambda text: text.replace("Ä", "電影").encode("big5"), "Windows code page.*UTF-8"),
    "a NUL byte": (
        lambda text: first_row(text, lambda row: row + "\0").encode(),
        "line 2: NUL bytes",
    ),
    "NUL bytes after a power cut": (
        lambda text: text.encode() + bytes(500),
        "NUL bytes: the file is damaged",
    ),
    "a workbook": (lambda text: b"PK\x03\x04" + text.encode(), "workbook.*CSV UTF-8"),
    "a quote within quotes": (
        lambda text: (
            first_row(text, lambda row: row.replace("Ä, B", 'Ä" B')).encode()
            if "Ä, B" in text
            else first_row(text, lambda row: row.replace(",1", ',"1"1', 1)).encode()
        ),
        "line 2: not a CSV file: ',' expected after '\"'.*each quote twice",
    ),
    "a quote that stays open": (
        lambda text: text.encode() + b'tt0000004,"open\nto\nthe end\n',
        "line 5: not a CSV file: a quote that opens here is not closed",
    ),
    "a quote that closes in a later row": (
        lambda text: text.encode() + b'tt0000004,"open\ntt0000005,"B"\n',
        "line 5: not a CSV file: a quote that opens here is not closed",
    ),
    "a quote that stays open in a long table": (
        lambda text: text.encode() + b'tt0000004,"open\n' + b"tt0000005,A\n" * 20_000,
        "line 5: not a CSV file: a quote that opens here is not closed",
    ),
    "a column twice": (
        lambda text: with_columns(text, "mid").encode(),
        "line 1: the column 'mid' appears twice",
    ),
    "no first line": (
        lambda text: text.partition("\n")[2].encode(),
        "line 1: the column 'mid' is missing.*the first line holds the names",
    ),
    "a field too few": (
        lambda text: (
            first_row(text, lambda row: row.rpartition(",")[0].rpartition(",")[0]).encode()
            if text.count(",") > 6 and '"Ä, B"\n' in text
            else first_row(text, lambda row: row.rpartition(",")[0]).encode()
        ),
        "line 2: the number of columns is not",
    ),
    "a field too many": (
        lambda text: first_row(text, lambda row: row + ",").encode(),
        "line 2: the number of columns is not",
    ),
    "a comma without quotes": (
        lambda text: first_row(text, lambda row: row.replace('"', "")).encode(),
        "line 2: the number of columns is not .*in quotes",
    ),
    "a value without a name": (
        lambda text: first_row(with_columns(text, ""), lambda row: row + "x").encode(),
        "line 2: 'x' is in a column without a name",
    ),
}


@every_table
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_in_one_line_that_says_where(tmp_path, name, fault):
    read, text = TABLES[name]
    change, message = FAULTS[fault]
    path = tmp_path / "table.csv"
    path.write_bytes(change(text))
    with pytest.raises(UserError, match=message) as error:
        read(path)
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


TITLES = {
    "Persian, joiners within words": "می\u200cخواهم زنده بمانم",
    "Hindi, joiners": "क्\u200dष और क्\u200cष",
    "French, a narrow space": "Qui veut la peau\u202f?",
    "a no-break space": "L\u00a0Amour",
    "Japanese, a wide space": "千と千尋の\u3000神隠し",
    "thin and figure spaces": "A\u2009B\u2007C\u205fD",
    "a family": "The 👨\u200d👩\u200d👧 Movie",
    "a flag of letters": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a heart in colour": "I ❤\ufe0f Huckabees",
    "Hebrew, a direction mark": "שלום!\u200f",
    "Thai, a break between words": "รัก\u200bแห่ง",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180e",
    "accents of their own": "Ame\u0301lie",
    "Vietnamese": "Mùi đu đủ xanh",
    "Khmer": "រូបភាពដែលបាត់",
    "an Arabic number sign": "\u0600١٢",
    "Egyptian hieroglyphs": "\U00013000\U00013430\U00013001",
    "Unicode 16 and 17": "\U0001fae9 \u1c89 \U0001fac8",
    "not assigned yet": "\U0001fc00 \u0378",
    "private": "\ue000 \U000f0000",
    "outside the first plane": "𝕄𝕠𝕧𝕚𝕖 𠮷野",
    "a soft hyphen": "Donau\u00addampf",
    "a replaced character": "Am\ufffdlie",
}


@pytest.mark.parametrize("title", TITLES.values(), ids=list(TITLES))
def test_titles_of_every_script_stay_as_they_are(tmp_path, title):
    path = tmp_path / "movies.csv"
    path.write_text(f"mid,title,year,genres\n{MIDS[0]},{title},2000,drama\n", encoding="utf-8")
    assert movies(path)[0].title == title
    path.write_text(f"mid,decision,note\n{MIDS[0]},accept,{title}\n", encoding="utf-8")
    assert curation.read(path)[MIDS[0]].note == " ".join(title.split())


@pytest.mark.parametrize("title", TITLES.values(), ids=list(TITLES))
def test_titles_of_services_lose_nothing_but_kinds_of_space(title):
    assert one_line(title) == " ".join(title.split())


@pytest.mark.parametrize(
    "character",
    [
        "\x1b",
        "\x07",
        "\x7f",
        "\x85",
        "\x9b",
        "\u2028",
        "\u202a",
        "\u202e",
        "\u2066",
        "\u2069",
        "\ufffe",
    ],
)
def test_control_characters_and_overrides_of_direction_are_refused(tmp_path, character):
    path = tmp_path / "movies.csv"
    text = f'mid,title,year,genres\n{MIDS[0]},"A{character}B",2000,drama\n'
    path.write_bytes(text.encode())
    with pytest.raises(UserError, match="line 2: title: .* is not allowed; allowed: printable"):
        movies(path)
    assert one_line(f"A{character}B").replace(" ", "") == "AB"


@pytest.mark.parametrize("title", ["", "\u00a0", "\u200b", "\u200f\u200e", "\ufeff"])
def test_a_title_without_a_visible_character_is_none(tmp_path, title):
    path = tmp_path / "movies.csv"
    path.write_text(f"mid,title,year,genres\n{MIDS[0]},{title},2000,drama\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 2: title: .* is not allowed; allowed: printable"):
        movies(path)


@pytest.mark.parametrize("values", ["01" * 10, "1" * 20, "0" * 20])
def test_a_table_of_one_label_is_split(tmp_path, values):
    path, out = tmp_path / "one.csv", tmp_path / "out.csv"
    rows = "".join(f"tt{number:07},{value}\n" for number, value in enumerate(values))
    path.write_text("\ufeffmid,a\n" + rows, encoding="utf-8")
    split_table(path, out, seed=1)
    mids, _, labels = read_table(out)
    positions = np.array([read_positions(out)[mid] for mid in mids])
    assert [sum(positions[:, 0] == subset) for subset in range(3)] == [14, 2, 4]
    shares = [labels[positions[:, 0] == subset].mean() for subset in range(3)]
    assert max(shares) == min(shares)


def test_a_folder_and_a_missing_table_are_named(tmp_path):
    with pytest.raises(UserError, match="is a folder; allowed: a file"):
        read_user_table(tmp_path, ["mid"])
    with pytest.raises(FileNotFoundError):
        read_user_table(tmp_path / "none.csv", ["mid"])
    with pytest.raises(UserError, match="none.csv does not exist"):
        read_group_names(tmp_path / "none.csv")
