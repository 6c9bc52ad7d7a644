"""A WordPiece vocabulary learnt from text, in the files that transformers and Riparian read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

PADDING, UNKNOWN, BEGIN, END, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""The first numbers of the vocabulary, in this order."""

_ALPHABET = 1_000


def learn(texts: Iterable[str], size: int, lower: bool) -> Tokenizer:
    """At most `size` pieces (more only where the special tokens and letters alone are more), BERT's cuts and frame.

    The same texts give the same pieces. (The library alone numbers the letters inside words in an order that changes
    from run to run, and breaks ties by it; so they are counted and numbered here.)
    """
    tokenizer = _cutting(models.WordPiece(unk_token=UNKNOWN), lower)
    words = Counter(word for text in texts for word in _words(tokenizer, text))
    letters = _letters(words)
    inside = {f"##{letter}" for word in words for letter in word[1:] if letter in letters}
    first = [*SPECIAL, *sorted(letters), *sorted(inside)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        special_tokens=first,
        initial_alphabet=sorted(letters),
        limit_alphabet=len(letters),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_repeated(words), trainer)
    return _framed(_cutting(models.WordPiece(tokenizer.get_vocab(), unk_token=UNKNOWN), lower))


def _cutting(model: models.WordPiece, lower: bool) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _framed(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.add_special_tokens(list(SPECIAL))
    ends = [(name, number(tokenizer, name)) for name in (BEGIN, END)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}", pair=f"{BEGIN} $A {END} $B:1 {END}:1", special_tokens=ends
    )
    return tokenizer


def _words(tokenizer: Tokenizer, text: str) -> Iterator[str]:
    normal = tokenizer.normalizer.normalize_str(text)
    return (word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))


def _letters(words: Counter[str]) -> set[str]:
    """The most frequent ones."""
    counted: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            counted[letter] += count
    ranked = sorted(counted, key=lambda letter: (-counted[letter], letter))
    return set(ranked[:_ALPHABET])


def _repeated(words: Counter[str]) -> Iterator[str]:
    """Each word as often as it was counted, in an order that does not depend on the texts'."""
    for word in sorted(words):
        yield from repeat(word, words[word])


def number(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token. `KeyError` where the vocabulary lacks it."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise KeyError(token)
    return found


def write(folder: Path, tokenizer: Tokenizer, max_length: int, lower: bool) -> None:
    """`tokenizer.json` and the two small files that name its special tokens and longest input."""
    named = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL, strict=True))
    about = {**named, "tokenizer_class": "BertTokenizer", "model_max_length": max_length, "do_lower_case": lower}
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(named, indent=2) + "\n", encoding="utf-8")
