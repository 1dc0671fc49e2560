"""Scores answers against the requests of make_eval.py: only what stands after </think> counts.

    python3 score.py eval.jsonl answers.jsonl [--show 5] [--require add2=0.95 sort=0.95]

`answers.jsonl` is the output of `baton generate --requests eval.jsonl`: one object a line with "text" and "finish_reason".
Exit status 1 if a required share is missed.
"""

import argparse
import json
import re
import sys
from collections import defaultdict

END_THINK = "</think>"
NUMBER = re.compile(r"-?\d+")
REMAINDER = re.compile(r"= -?\d+ (remainder|余)")
EXACT_TASKS = {"chat", "decline", "too_hard", "compare", "facts", "spell"}


def final_answer(text):
    """What stands after the thought, or None if the thought never ends."""
    return text.rsplit(END_THINK, 1)[1].strip() if END_THINK in text else None


def bare(text):
    return text.strip().rstrip(".。!！").strip()


def is_right(task, expected, text):
    """Whether the final answer states what is expected."""
    answer = final_answer(text)
    if answer is None:
        return False
    if task in EXACT_TASKS:
        return bare(answer) == bare(expected)
    if ", " in expected:
        return NUMBER.findall(answer) == expected.split(", ")
    if re.fullmatch(r"-?\d+", expected):
        found = NUMBER.findall(answer)
        return bool(found) and found[-1] == expected and not REMAINDER.search(answer)
    return bare(answer).endswith(" " + expected)


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def tally(requests, answers):
    """{task: [right, asked]} and the list of (request, answer) that are wrong."""
    counts, wrong = defaultdict(lambda: [0, 0]), []
    for request, answer in zip(requests, answers):
        right = answer.get("finish_reason", "stop") == "stop" and is_right(request["task"], request["expected"], answer["text"])
        counts[request["task"]][0] += right
        counts[request["task"]][1] += 1
        if not right:
            wrong.append((request, answer))
    return counts, wrong


def print_table(counts):
    for task, (right, asked) in counts.items():
        print(f"{task:<10} {right:>5} / {asked:<5} {100 * right / asked:6.2f} %")
    right, asked = (sum(values) for values in zip(*counts.values()))
    print(f"{'all':<10} {right:>5} / {asked:<5} {100 * right / asked:6.2f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requests")
    parser.add_argument("answers")
    parser.add_argument("--show", type=int, default=0, help="print this many wrong answers a task")
    parser.add_argument("--require", nargs="*", default=[], metavar="TASK=SHARE")
    options = parser.parse_args()
    requests, answers = read_lines(options.requests), read_lines(options.answers)
    if len(requests) != len(answers):
        sys.exit(f"{len(requests)} requests but {len(answers)} answers")
    counts, wrong = tally(requests, answers)
    print_table(counts)
    shown = defaultdict(int)
    for request, answer in wrong:
        shown[request["task"]] += 1
        if shown[request["task"]] <= options.show:
            print(f"--- {request['task']}: {request['messages'][-1]['content']!r}, expected {request['expected']!r}\n{answer['text']}")
    missed = False
    counts["all"] = [sum(values) for values in zip(*counts.values())]
    for requirement in options.require:
        task, share = requirement.split("=")
        right, asked = counts.get(task, (0, 1))
        if right < float(share) * asked:
            print(f"{task}: {right} of {asked} is below {share}")
            missed = True
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
