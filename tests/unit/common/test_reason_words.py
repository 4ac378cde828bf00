"""Every reason has words; that every reason is known is tested in tests/docs."""

from trailers12k.common.reason_words import REASONS, meaning, phrase


def test_phrases_are_short_and_meanings_are_plain_sentences():
    assert len(REASONS) > 40
    for reason, (short, _) in REASONS.items():
        assert phrase(reason) == short and 1 <= len(short.split()) <= 4
        assert meaning(reason).endswith(".") and "`" not in meaning(reason)


def test_an_unlisted_reason_is_shown_as_it_is():
    assert phrase("left_out_here") == "left out here" and meaning("left_out_here") == ""
