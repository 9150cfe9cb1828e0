"""What is told while something takes its time."""


class Progress:
    """What a progress display is told; this one, for no terminal, keeps it to itself."""

    def advance(self, amount: float = 1) -> None:
        """So much more is done, in the unit of the total."""

    def reach(self, done: float, of: float) -> None:
        """So much is done, of a total that is known only now."""

    def describe(self, text: str) -> None:
        """Say what is being done now."""
