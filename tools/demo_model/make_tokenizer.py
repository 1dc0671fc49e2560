"""Makes tokenizer.json and tokenizer_config.json of the demo model: byte-level BPE over the generator's own text.

    python3 make_tokenizer.py --out models/demo --like DIR   # DIR: a DeepSeek-R1-Distill-Qwen folder, for its chat template
"""

import argparse
import json
import math
import random as random_module
from collections import Counter
from pathlib import Path

import chat
import generate
import tasks
from tokenizer import ADDED_TOKENS, LETTERWISE, split, tokenizer_json, train_merges, to_characters

VOCABULARY = 2048
SPELLING = {"reverse", "length", "count", "spell"}


def piece_counts(seed, dialogues):
    """How often each piece comes; words that are there to be spelled are left out, so that they stay in small parts."""
    random = random_module.Random(seed)
    counts = Counter()
    for _ in range(dialogues):
        problem = generate.draw_problem(random)
        if problem.task in SPELLING:
            continue
        texts = [problem.thought + "\n", "\n\n" + problem.answer.replace(LETTERWISE, ""), generate.draw_system(random)]
        if problem.task != "decline":
            texts.append(problem.question)
        for text in texts:
            counts.update(split(text))
    for table in (generate.FOLLOW, generate.SURE, generate.LIST_MORE, generate.WORD_MORE, tasks.phrases.REVERSE, tasks.phrases.LENGTH,
                  tasks.phrases.COUNT, tasks.phrases.SPELL, chat.DECLINE_FRAMES, chat.DECLINE_PLAIN, chat.TOPICS):
        for templates in table.values():
            for template in templates:
                for piece in split(template):
                    counts[piece] += dialogues // 2000
    # Square roots: a word of small talk matters nearly as much as a word of every answer.
    return {piece: max(1, round(10 * math.sqrt(count))) for piece, count in sorted(counts.items()) if count > 1}


def first_merges():
    """A space and a letter are always one token: the thoughts spell words that way."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [(to_characters(" "), letter) for letter in letters]


def config_like(folder, context):
    """tokenizer_config.json of the reference folder, with our context length."""
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    config["model_max_length"] = context
    return config


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--like", type=Path, required=True)
    parser.add_argument("--seed", default="tokenizer-1")
    parser.add_argument("--dialogues", type=int, default=40_000)
    parser.add_argument("--context", type=int, default=2048)
    options = parser.parse_args()
    counts = piece_counts(options.seed, options.dialogues)
    data = tokenizer_json(train_merges(counts, first_merges(), VOCABULARY - 256 - len(ADDED_TOKENS)))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "tokenizer.json").write_text(json.dumps(data, ensure_ascii=False) + "\n", encoding="utf-8")
    config = config_like(options.like, options.context)
    (options.out / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    total = len(data["model"]["vocab"]) + len(data["added_tokens"])
    print(f"{len(counts)} pieces, {total} tokens; least frequent merges: {data['model']['merges'][-8:]}")


if __name__ == "__main__":
    main()
