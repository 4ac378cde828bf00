from trailers12k.common.seeds import seed_for


def test_seeds_are_stable_and_differ():
    assert seed_for(0, "swin", 1) == 6016020769438657153
    seeds = {seed_for(seed, name, split) for seed in (0, 1) for name in "ab" for split in (0, 1)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_for(0, "ab", "c") != seed_for(0, "a", "bc")
