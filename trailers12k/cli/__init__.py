"""The command `trailers12k`: one module per command.

Each module imports what it needs when its command runs. Must not compute anything itself.
"""
