"""What the classifier reads of a page: the ids of BPE tokens, so that text without spaces has words, too.

DeepSeek-Coder-V2 (section 2) uses the tokenizer of DeepSeek-V2; this one is trained on the run's own examples.
"""

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A byte-level BPE over lower-case NFKC text, with digits apart. The same texts give the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=32,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def lines(tokenizer: Tokenizer, texts: Sequence[str], max_chars: int) -> list[str]:
    """One line of token ids for each text, of its first `max_chars` characters.

    Ids, not tokens: no text can then smuggle in a line end, a label or the end-of-sentence word of fastText.
    """
    encodings = tokenizer.encode_batch_fast([text[:max_chars] for text in texts])
    return [" ".join(map(str, encoding.ids)) for encoding in encodings]
