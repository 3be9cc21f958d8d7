"""The sample project, and toy words to index it with: pairs of letters need no Kiwi."""

from pathlib import Path

from yukjo.serve.tools.means import Means

EXAMPLE = Path(__file__).parents[1] / "examples" / "gov"


def pairs(text: str) -> list[str]:
    """Pairs of neighbouring letters of each word."""
    return [word[at : at + 2] for word in text.split() for at in range(max(1, len(word) - 1))]


TOY = Means(pairs, "pairs")
