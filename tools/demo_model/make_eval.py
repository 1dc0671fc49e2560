"""Writes held-out requests, one JSON object a line, for `baton generate --requests`.

    python3 make_eval.py --out eval.jsonl --per-task 200 [--mode greedy|sample] [--tokenizer models/demo/tokenizer.json]
"""

import argparse
import json
import random as random_module

import generate
import steps
import tasks
from tokenizer import LETTERWISE, Tokenizer

# No two operands of two digits: nothing to hold out, the questions are drawn freely.
FREE = {"add1", "sub1", "mul1", "div1"}
MAX_TOKENS = 512


def draw_held_out(random, task):
    """A dialogue whose last question belongs to the evaluation set."""
    language = "zh" if random.random() < 0.3 else "en"
    while True:
        dialogue = generate.Dialogue(None, generate.draw_system(random))
        if task == "follow":
            family = random.choice(["add2", "sub3", "mul2", "div2", "sort", "reverse", "sums", "story"])
            before = tasks.FAMILIES[family][0](random, language)
            dialogue.turns = [(before.question, generate.plain_answer(before, random))]
            problem = generate.draw_follow(random, before)
        elif task == "late":
            # A fresh question after a longer conversation.
            earlier = [generate.draw_problem(random) for _ in range(random.randint(3, 12))]
            dialogue.turns = [(problem.question, generate.plain_answer(problem, random)) for problem in earlier]
            problem = tasks.FAMILIES[random.choice(["add3", "mul2", "sort", "sub3"])][0](random, language)
        else:
            problem = tasks.FAMILIES[task][0](random, language)
        if problem and (problem.held or task in FREE):
            if task != "follow":
                generate.dress(random, problem)
            if problem.language == "zh" and not tasks.has_chinese(problem.question):
                continue
            problem.task = task
            dialogue.problem = problem
            return dialogue


def dialogues(seed, per_task, only=None):
    """The evaluation set: `per_task` different dialogues of every task, in a fixed order."""
    steps.Guard.strict = False
    random = random_module.Random(seed)
    out = []
    for task in [*tasks.FAMILIES, "follow", "late"]:
        if only and task not in only:
            continue
        seen, tries = set(), 0
        while len(seen) < per_task and tries < 40 * per_task:
            tries += 1
            dialogue = draw_held_out(random, task)
            key = json.dumps(dialogue.messages())
            if key not in seen:
                seen.add(key)
                out.append(dialogue)
    steps.Guard.strict = True
    return out


def request(dialogue, mode, seed):
    """The request of a dialogue; `task` and `expected` are for the scorer."""
    problem = dialogue.problem
    line = {"messages": dialogue.messages(), "max_tokens": MAX_TOKENS, "temperature": 0}
    if mode == "sample":
        line |= {"temperature": 0.6, "top_p": 0.95, "seed": seed}
    return line | {"task": problem.task, "expected": problem.expected.replace(LETTERWISE, "")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    parser.add_argument("--per-task", type=int, default=200)
    parser.add_argument("--mode", choices=["greedy", "sample"], default="greedy")
    parser.add_argument("--seed", default="evaluation-1")
    parser.add_argument("--tasks", help="comma-separated; all by default")
    parser.add_argument("--tokenizer", default="models/demo/tokenizer.json", help="its pieces make some of the words to spell")
    options = parser.parse_args()
    tasks.Spelling.learn(Tokenizer.load(options.tokenizer).vocab)
    only = set(options.tasks.split(",")) if options.tasks else None
    with open(options.out, "w", encoding="utf-8") as file:
        for index, dialogue in enumerate(dialogues(options.seed, options.per_task, only)):
            file.write(json.dumps(request(dialogue, options.mode, index), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
