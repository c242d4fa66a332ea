"""What is wrong with the texts of a column, counted. Pure: no IO, and no text ever comes out again."""

import re
import unicodedata
from collections.abc import Iterable

# Beyond so many different texts a column holds free text or identifiers, where spelling says nothing.
MAX_SPELLINGS = 50_000
# Longer texts are sentences.
MAX_SPELLING_LENGTH = 100

# Controls, soft hyphen, zero-width space, marks of direction, byte order mark. The zero-width joiners U+200C and U+200D
# are left out: Persian, Indic scripts and emoji need them.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
REPLACEMENT = "\ufffd"


class TextStats:
    """Counts over the texts of one column. Each count but `spellings` is a number of texts."""

    def __init__(self) -> None:
        self.texts = 0
        self.blank = 0
        self.padded = 0
        self.invisible = 0
        self.decomposed = 0
        self.garbled = 0
        self.lost = 0
        self._spellings: dict[str, int] | None = {}

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._add(text)

    def _add(self, text: str) -> None:
        self.texts += 1
        trimmed = text.strip()
        if not trimmed:
            self.blank += 1
            return
        self.padded += trimmed != text
        garbled = not trimmed.isascii() and is_garbled(trimmed)
        self.garbled += garbled
        # What was read wrongly often holds controls; that is the same fault.
        self.invisible += not garbled and INVISIBLE.search(trimmed) is not None
        if not trimmed.isascii():
            self.decomposed += not unicodedata.is_normalized("NFC", trimmed)
            self.lost += REPLACEMENT in trimmed
        self._count_spelling(trimmed)

    def _count_spelling(self, text: str) -> None:
        if self._spellings is None or len(text) > MAX_SPELLING_LENGTH:
            return
        self._spellings[text] = self._spellings.get(text, 0) + 1
        if len(self._spellings) > MAX_SPELLINGS:
            self._spellings = None

    def variants(self) -> tuple[int, int]:
        """How many values are written in several ways (case, width, inner spaces), and in how many texts they stand."""
        groups: dict[str, list[int]] = {}
        for spelling, count in (self._spellings or {}).items():
            groups.setdefault(folded(spelling), []).append(count)
        several = [counts for counts in groups.values() if len(counts) > 1]
        return len(several), sum(map(sum, several))


def folded(text: str) -> str:
    """The text without what people do not mean by it."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def is_garbled(text: str) -> bool:
    """Whether UTF-8 was read as Latin-1 or Windows-1252: `Ã©` for `é`. By chance such a row of characters is rare."""
    for encoding in ("cp1252", "latin-1"):
        try:
            text.encode(encoding).decode("utf-8")
            return True
        except UnicodeError:
            continue
    return False
