"""A second, independent reading of the contract's file and row rules, slow and obvious: the tests' oracle.

Nothing here imports GreenStream: where both agree, two people read a sentence alike.
"""
