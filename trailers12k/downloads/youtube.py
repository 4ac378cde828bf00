"""The yt-dlp client: formats, logging, progress.

Reads and writes nothing itself. Must not know the ledger.
"""

# decord cannot open AV1, so H.264 is asked for; one stream, so that nothing must be merged. Formats
# whose ids end in -sr are enlarged by the site.
FORMAT = (
    "bv[vcodec^=avc1][ext=mp4][protocol=https][format_id!$=-sr]"
    "/b[vcodec^=avc1][ext=mp4][protocol=https]/bv*[vcodec^=avc1][ext=mp4]/b"
)

ANY_FORMAT = "bv*/b"


class _Quiet:
    """yt-dlp's messages go nowhere: they may show whole URLs, and the ledger has the reason."""

    def debug(self, message: str) -> None:
        pass

    info = warning = error = debug
