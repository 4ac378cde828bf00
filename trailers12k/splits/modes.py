"""Words of the section `splits` of the configuration that stand for a way to split.

Reads and writes nothing. Must not know how movies are assigned.
"""

BY_YEAR = "by_year"
"""`splits: by_year`: train on older movies, test on newer ones."""
AUTO = "auto"
"""`splits.groups: auto`: the groups are the duplicates among the trailers. A file of this name is
`./auto`."""
DUPLICATES = "build/splits/duplicates.csv"
"""The table `mid,group` of duplicates."""
STANDARD = "results/standard_splits.csv"
"""The standard, stratified splits, in the form of mtgc.csv, to which other splits are compared."""
EFFECT = "results/split_effect.csv"
"""The comparison."""
