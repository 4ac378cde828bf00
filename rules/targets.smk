"""Target rules: needs and makes nothing itself; trailers12k/workflow/targets.py lists their files."""

for name in sorted(targets.keys() - {"all"}):

    rule:
        name:
            name
        input:
            targets[name],
