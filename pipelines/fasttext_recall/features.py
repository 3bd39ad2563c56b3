"""What the classifier reads of a page: the ids of BPE tokens, so that text without spaces has words, too.

DeepSeek-Coder-V2 (section 2) uses the tokenizer of DeepSeek-V2; this one is trained on the run's own examples.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

# Letters with the space before them, one digit, punctuation, or white space: what a token may not reach across.
# The lengths are bounded so that no text can make a word that takes long to tokenize.
WORD = re.compile(r" ?[^\W\d_]{1,32}|\d| ?(?:[^\w\s]|_){1,16}|\s{1,16}")
MAX_CACHED_WORDS = 500_000


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE over the words of lower-case NFKC text. The same texts give the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator((_words(text) for text in texts), trainer)
    return tokenizer


def _words(text: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFKC", text).lower())


class Featurizer:
    """Turns texts into lines for fastText, remembering the words it has seen: most of them come again."""

    def __init__(self, tokenizer: Tokenizer, max_chars: int) -> None:
        self.tokenizer = tokenizer
        self.max_chars = max_chars
        self.known: dict[str, str] = {}

    def lines(self, texts: Sequence[str]) -> list[str]:
        """One line of token ids for each text, of its first `max_chars` characters.

        Ids, not tokens: no text can then smuggle in a line end, a label or the end-of-sentence word of fastText.
        """
        return [self._line(_words(text[: self.max_chars])) for text in texts]

    def _line(self, words: list[str]) -> str:
        new = [word for word in dict.fromkeys(words) if word not in self.known]
        if len(self.known) + len(new) > MAX_CACHED_WORDS:
            self.known.clear()
            new = list(dict.fromkeys(words))
        for word, encoding in zip(new, self.tokenizer.encode_batch_fast(new), strict=True):
            self.known[word] = " ".join(map(str, encoding.ids))
        return " ".join([self.known[word] for word in words])
