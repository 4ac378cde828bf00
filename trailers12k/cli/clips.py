"""`trailers12k clips cut`: a clip's exact frames as a video file.

Reads data/clips.csv and the trailers' ledger. Must not know how frames are read or encoded.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from trailers12k.cli.collection import examples, read_settings
from trailers12k.cli.output import check_output
from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.local_files import is_same_file, local_path

CLIPS = Path("data/clips.csv")
PRODUCTS = ("data", "build", "results", ".snakemake")
"""Folders of a collection that hold what runs make."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    clips = typer.Typer(
        name="clips", help="Look at clips.", no_args_is_help=True, rich_markup_mode=None
    )
    clips.command("cut", epilog=examples("trailers12k clips cut tt0111161 0 first.mp4"))(cut)

    # With a single command typer would make it the command `clips` itself.
    @clips.callback()
    def options() -> None:
        pass

    app.add_typer(clips)


def cut(
    mid: Annotated[str, typer.Argument(help="The movie's id.", show_default=False)],
    number: Annotated[
        int,
        typer.Argument(
            metavar="N",
            min=0,
            help="The clip's number, from 0: its row in the movie's features.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT.mp4", help="The file to write.", show_default=False)
    ],
) -> None:
    """Cut a clip's exact frames out of its trailer: the ones its features are computed from."""
    from trailers12k.common.movie import is_mid, shard_of
    from trailers12k.jobs.ledger import read_shard
    from trailers12k.jobs.runner import source_file
    from trailers12k.video.clip_export import cut
    from trailers12k.video.clip_table import read_clips

    settings = read_settings()
    if not is_mid(mid):
        raise UserError(f"{quoted(mid)} is not a movie id, such as tt0111161")
    _check_output(out)
    if not CLIPS.is_file():
        raise UserError(f"{CLIPS} does not exist yet; run first: trailers12k run clips")
    clips = read_clips(CLIPS).get(mid)
    if not clips:
        raise UserError(
            f"{mid} has no clips in {CLIPS}; data/ledger.csv has the reason, if the "
            "collection has this movie"
        )
    if number >= len(clips):
        raise UserError(f"{mid} has {len(clips)} clips; allowed: 0 to {len(clips) - 1}")
    ledger = Path(f"build/ledger/trailers/{shard_of(mid, settings.shards)}.csv")
    rows = {row["mid"]: row for row in read_shard(ledger)} if ledger.is_file() else {}
    row = rows.get(mid, {})
    if not row.get("file") or not Path(row["file"]).is_file():
        raise UserError(f"the trailer of {mid} is not on this machine; fetch it: trailers12k run")
    _check_trailer(row, out)
    try:
        with source_file(row, "download_trailers") as file:
            frames = cut(
                file,
                row["decoder"],
                clips[number],
                out,
                settings.clips.fps,
                settings.clips.fpc,
            )
    except Failure as error:
        raise UserError(f"{row['file']} cannot be decoded: {error.detail}") from error
    clip = clips[number]
    typer.echo(f"{out}: {frames} frames of {mid}, {clip.start:.3f} to {clip.end:.3f} s")


def _check_output(out: Path) -> None:
    """Raise `UserError` for a path where no clip is written."""
    if out.suffix.lower() != ".mp4":
        raise UserError(f"{shown_path(out)} does not end in .mp4; choose another name")
    check_output(out)
    if not out.parent.is_dir():
        raise UserError(
            f"the folder {shown_path(out.parent)} does not exist; create it, or choose another"
        )
    # A link in such a folder would be replaced; a link into it leads to a product.
    places = out.parent.resolve() / out.name, out.resolve()
    for name in PRODUCTS:
        if any(place.is_relative_to(Path(name).resolve()) for place in places):
            raise UserError(
                f"{shown_path(out)} is in the collection's folder {name}/, which runs write; "
                "choose another folder"
            )


def _check_trailer(row: Mapping[str, str], out: Path) -> None:
    """Raise `UserError` where `out` is the trailer.

    row: of the trailers' ledger.
    """
    original = local_path(row.get("address") or row["file"])
    for trailer in filter(None, (Path(row["file"]), original)):
        if is_same_file(out, trailer):
            raise UserError(f"{shown_path(out)} is the trailer itself; choose another name")
