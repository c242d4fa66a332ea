import unittest

import text_stats
from text_stats import TextStats


def stats_of(*texts: str) -> TextStats:
    stats = TextStats()
    stats.add(texts)
    return stats


class TextStatsTest(unittest.TestCase):
    def test_counts_nothing_in_clean_texts(self):
        stats = stats_of("Lisboa", "Évora", "東京", "تهران", "👩\u200d🔬")
        found = (stats.blank, stats.padded, stats.invisible, stats.decomposed, stats.garbled, stats.lost)
        self.assertEqual(found, (0, 0, 0, 0, 0, 0))
        self.assertEqual(stats.variants(), (0, 0))

    def test_counts_white_space_around_a_text_and_texts_of_nothing_else(self):
        stats = stats_of("Porto ", "\u00a0Porto", "Porto", "", " \t")
        self.assertEqual((stats.texts, stats.padded, stats.blank), (5, 2, 2))

    def test_sees_characters_that_nobody_sees(self):
        self.assertEqual(stats_of("a\u200bb", "a\u202eb", "a\x00b", "ab").invisible, 3)

    def test_sees_decomposed_letters(self):
        self.assertEqual(stats_of("e\u0301", "\u00e9").decomposed, 1)

    def test_sees_utf8_that_was_read_as_another_encoding(self):
        read_wrongly = ["\u00e9".encode().decode("cp1252"), "\u00e1".encode().decode("latin-1")]
        self.assertEqual(stats_of(*read_wrongly, "\u00e9", "caf\u00e9").garbled, 2)

    def test_calls_a_control_in_a_garbled_text_no_fault_of_its_own(self):
        stats = stats_of("\u00c9".encode().decode("latin-1"))
        self.assertEqual((stats.garbled, stats.invisible), (1, 0))

    def test_sees_characters_that_were_lost(self):
        self.assertEqual(stats_of("S\ufffdo Paulo", "São Paulo").lost, 1)

    def test_joins_what_differs_in_case_width_or_inner_spaces(self):
        self.assertEqual(stats_of("New York", "NEW  YORK", "\uff2e\uff45\uff57 York", "Berlin").variants(), (1, 3))

    def test_joins_a_padded_text_with_its_trimmed_self(self):
        self.assertEqual(stats_of("Rome", "Rome ").variants(), (0, 0))

    def test_does_not_judge_the_spelling_of_free_text(self):
        stats = stats_of("a", "A", *(f"text {n}" for n in range(text_stats.MAX_SPELLINGS)))
        self.assertEqual(stats.variants(), (0, 0))
        self.assertEqual(stats_of("sentence " * 20, "SENTENCE " * 20).variants(), (0, 0))


if __name__ == "__main__":
    unittest.main()
