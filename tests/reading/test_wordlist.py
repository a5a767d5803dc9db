"""Words looked up in texts: as they stand, and with one character misread."""

from hypothesis import given
from hypothesis import strategies as st

from digitizer.reading.wordlist import WordList

WORDS = WordList(["SPINE", "CERVICAL SPINE", "LEG", "C-SPINE", "PORT A CATH"])


def test_words_of_several_are_found_where_they_stand_together() -> None:
    """Parts of words, and words apart, are none."""
    assert WORDS.among(["AP", "CERVICAL", "SPINE", "LEG"]) == {"CERVICAL SPINE", "SPINE", "LEG"}
    assert WORDS.among(["SPINES", "LEGS", "PORT", "CATH", "CERVICAL"]) == set()
    assert WordList([]).among(["A"]) == set()


def test_only_long_words_are_found_misread() -> None:
    """LEE is a name and no leg."""
    assert WORDS.near("SPIME") == {"SPINE"}
    assert WORDS.near("LEE") == WORDS.near("SPYME") == frozenset()
    assert "LEG" in WORDS
    assert "LEE" not in WORDS


@given(
    st.lists(st.sampled_from(["AP", "CERVICAL", "SPINE", "LEG", "C-SPINE", "PORT", "A", "CATH"]))
)
def test_looking_up_finds_what_searching_finds(tokens: list[str]) -> None:
    """A word stands in a text where it stands between spaces."""
    padded = f" {' '.join(tokens)} "
    assert WORDS.among(tokens) == {word for word in WORDS.words if f" {word} " in padded}
