"""A small byte-level BPE tokenizer in plain Python: training, encoding, decoding, tokenizer.json.

It gives the same ids as Hugging Face `tokenizers` on the text that the generator writes (train.py checks this)
and needs nothing beyond the standard library, so that data can be made and looked at on any machine.
"""

import json
import re
import unicodedata
from collections import Counter, defaultdict

BOS = "<｜begin▁of▁sentence｜>"
EOS = "<｜end▁of▁sentence｜>"
USER = "<｜User｜>"
ASSISTANT = "<｜Assistant｜>"
THINK = "<think>"
END_THINK = "</think>"
# In the order of DeepSeek-R1-Distill-Qwen; only the two sentence markers are special there.
ADDED_TOKENS = [(EOS, True), (USER, False), (ASSISTANT, False), (BOS, True), ("<|EOT|>", False),
                (THINK, False), (END_THINK, False)]

SPLIT_REGEX = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
               "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+")
# The same split in the words of Python's re, which has no \p: \w is letters, numbers and the underscore.
PIECE = re.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:[^\r\n\w]|_)?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*"
                   r"|\s*[\r\n]+|\s+(?!\S)|\s+")

# Text between two of these is encoded one character at a time (see README, "Letters").
LETTERWISE = "\0"

LONGEST_TOKEN = 12  # bytes: whole phrases as one token would waste the small vocabulary


def byte_characters():
    """The printable character that stands for each of the 256 bytes in a byte-level vocabulary."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = {byte: chr(byte) for byte in kept}
    for extra, byte in enumerate(byte for byte in range(256) if byte not in characters):
        characters[byte] = chr(256 + extra)
    return characters


BYTE_TO_CHARACTER = byte_characters()
CHARACTER_TO_BYTE = {character: byte for byte, character in BYTE_TO_CHARACTER.items()}


def to_characters(text):
    """The byte-level spelling of a text: one stand-in character a UTF-8 byte."""
    return "".join(BYTE_TO_CHARACTER[byte] for byte in text.encode("utf-8"))


def split(text):
    """The pre-tokeniser's pieces of a text."""
    return PIECE.findall(text)


class Tokenizer:
    """Byte-level BPE: `vocab` token→id, `merges` a list of pairs in order of rank."""

    def __init__(self, vocab, merges, added):
        self.vocab = vocab
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.added = added
        self.id_of = {content: token for content, token in added.items()}
        self.token_of = {token: text for text, token in vocab.items()}
        self.cache = {}

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        merges = [tuple(merge.split(" ")) for merge in data["model"]["merges"]]
        return cls(data["model"]["vocab"], merges, {t["content"]: t["id"] for t in data["added_tokens"]})

    def encode_piece(self, piece):
        parts = list(to_characters(piece))
        while len(parts) > 1:
            ranked = [(self.ranks.get(pair, 1 << 30), at) for at, pair in enumerate(zip(parts, parts[1:]))]
            rank, at = min(ranked)
            if rank == 1 << 30:
                break
            parts[at:at + 2] = [parts[at] + parts[at + 1]]
        return [self.vocab[part] for part in parts]

    def encode(self, text):
        """Ids of a text without markers; parts between LETTERWISE go one character at a time."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        if LETTERWISE not in text:
            return self.encode_plain(text)
        ids = []
        for index, part in enumerate(text.split(LETTERWISE)):
            for stretch in (part if index % 2 else [part]):
                ids += self.encode_plain(stretch)
        return ids

    def encode_plain(self, text):
        ids, cache = [], self.cache
        for piece in PIECE.findall(text):
            found = cache.get(piece)
            if found is None:
                found = self.encode_piece(piece)
                if len(cache) < 200_000:
                    cache[piece] = found
            ids += found
        return ids

    def decode(self, ids):
        """The text of ids; added tokens as their content."""
        contents = {token: content for content, token in self.added.items()}
        out, pending = [], bytearray()
        for token in ids:
            if token in contents:
                out.append(pending.decode("utf-8", "replace"))
                pending.clear()
                out.append(contents[token])
            else:
                pending += bytes(CHARACTER_TO_BYTE[c] for c in self.token_of[token])
        out.append(pending.decode("utf-8", "replace"))
        return "".join(out)


def train_merges(piece_counts, first_merges, count):
    """`count` merges in order: `first_merges`, then the most frequent pairs of the counted pieces."""
    words = [list(to_characters(piece)) for piece in piece_counts]
    weights = list(piece_counts.values())
    pairs, places = Counter(), defaultdict(set)

    def add(word, sign):
        for pair in zip(words[word], words[word][1:]):
            pairs[pair] += sign * weights[word]
            if sign > 0:
                places[pair].add(word)

    for word in range(len(words)):
        add(word, 1)
    merges = []
    made = set()
    while len(merges) < count:
        if len(merges) < len(first_merges):
            best = first_merges[len(merges)]
        else:
            best = max(pairs, key=lambda pair: (pairs[pair], pair))
            if pairs[best] <= 0:
                break
            if len(best[0]) + len(best[1]) > LONGEST_TOKEN:
                del pairs[best]
                continue
        merges.append(best)
        made.add(best)
        for word in sorted(places.pop(best, ())):
            add(word, -1)
            parts, at = words[word], 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == best:
                    parts[at:at + 2] = ["".join(best)]
                at += 1
            add(word, 1)
        pairs.pop(best, None)
    return merges


def tokenizer_json(merges):
    """The tokenizer.json object, in the form of DeepSeek-R1-Distill-Qwen's."""
    alphabet = sorted(CHARACTER_TO_BYTE)
    vocab = {token: index for index, token in enumerate(alphabet)}
    for left, right in merges:
        vocab.setdefault(left + right, len(vocab))
    added = [{"id": len(vocab) + index, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": special} for index, (content, special) in enumerate(ADDED_TOKENS)]
    bos = next(token["id"] for token in added if token["content"] == BOS)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    marker = {"SpecialToken": {"id": BOS, "type_id": 0}}
    single = [marker, {"Sequence": {"id": "A", "type_id": 0}}]
    pair = single + [{"SpecialToken": {"id": BOS, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT_REGEX}, "behavior": "Isolated", "invert": False}, byte_level]},
        "post_processor": {"type": "TemplateProcessing", "single": single, "pair": pair,
                           "special_tokens": {BOS: {"id": BOS, "ids": [bos], "tokens": [BOS]}}},
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocab, "merges": [" ".join(merge) for merge in merges]},
    }
