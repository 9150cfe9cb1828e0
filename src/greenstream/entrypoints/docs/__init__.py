"""The reference pages: prose written by hand, with blocks in it that are generated from the code.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`. `python -m greenstream.entrypoints.docs` writes
all blocks anew; a test fails while one is stale.
"""
