from trailers12k.common.fingerprint import fingerprint


def test_a_fingerprint_depends_on_names_and_values_but_not_on_order():
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1)
    assert fingerprint(a=1, b=2) != fingerprint(a=2, b=1)
    assert fingerprint(a=1) != fingerprint(b=1)
