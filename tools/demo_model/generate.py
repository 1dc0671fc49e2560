"""Dialogues and token batches: what the model is trained on.

`python3 generate.py --show 20` prints examples; `batch(seed, index, …)` gives the same tokens for the same arguments.
"""

import argparse
import random as random_module
from array import array
from dataclasses import dataclass, field

import chat
import phrases
import steps
import tasks
from tokenizer import ASSISTANT, BOS, END_THINK, EOS, LETTERWISE, THINK, USER, Tokenizer

TARGET = 0x8000  # set on a token that counts in the loss


@dataclass
class Dialogue:
    """Earlier turns as (question, answer), then the question whose thought and answer are to be learnt."""

    problem: tasks.Problem
    system: str = ""
    turns: list = field(default_factory=list)

    def messages(self):
        """The conversation up to the question, as chat messages."""
        out = [{"role": "system", "content": self.system}] if self.system else []
        for question, answer in self.turns:
            out += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return out + [{"role": "user", "content": self.problem.question}]


NAMES = list(tasks.FAMILIES)
WEIGHTS = []
for _function, _weight in tasks.FAMILIES.values():
    WEIGHTS.append((WEIGHTS[-1] if WEIGHTS else 0) + _weight)


def draw_problem(random, family=None, language=None):
    """One problem for training: drawn again until it is not held out."""
    family = family or random.choices(NAMES, cum_weights=WEIGHTS)[0]
    language = language or ("zh" if random.random() < 0.3 else "en")
    while True:
        try:
            problem = tasks.FAMILIES[family][0](random, language)
        except steps.HeldOut:
            continue
        if problem.held:
            continue
        dress(random, problem)
        if problem.language == "en" or tasks.has_chinese(problem.question):  # a bare '17*24=' is answered in English
            return problem


def dress(random, problem):
    """Surface changes of the question; the spelling families keep the case of their word."""
    if problem.task in ("reverse", "length", "count", "spell"):
        if random.random() < 0.2:
            problem.question = problem.question.rstrip("?.？。")
        if random.random() < 0.08:
            problem.question = random.choice(phrases.PREFIXES[problem.language]) + problem.question
    elif problem.task == "decline" and random.random() < 0.5:
        return
    else:
        problem.question = phrases.vary(problem.question, problem.language, random)


FOLLOW = {
    ("+", "en"): ["Add {b} to that.", "Add {b}.", "Plus {b}?", "plus {b}", "Now add {b}.", "And plus {b}?", "Add {b} to the result.", "Then add {b}.", "+ {b}", "What if I add {b}?"],
    ("+", "zh"): ["再加{b}", "加上{b}呢？", "再加上{b}等于多少？", "结果加{b}", "然后加{b}。"],
    ("-", "en"): ["Subtract {b} from that.", "Subtract {b}.", "Minus {b}?", "minus {b}", "Now subtract {b}.", "And minus {b}?", "Take {b} away from it.", "Then subtract {b}.", "- {b}"],
    ("-", "zh"): ["再减{b}", "减去{b}呢？", "再减去{b}等于多少？", "结果减{b}", "然后减{b}。"],
    ("*", "en"): ["Multiply that by {b}.", "Times {b}?", "times {b}", "Now multiply by {b}.", "Multiply the result by {b}.", "And times {b}?", "* {b}", "Then multiply it by {b}."],
    ("*", "zh"): ["再乘以{b}", "乘以{b}呢？", "再乘{b}等于多少？", "结果乘以{b}", "然后乘以{b}。"],
    ("/", "en"): ["Divide that by {b}.", "Now divide by {b}.", "Divide the result by {b}.", "divided by {b}?", "/ {b}"],
    ("/", "zh"): ["再除以{b}", "除以{b}呢？", "结果除以{b}"],
}
SURE = {"en": ["Are you sure?", "are you sure?", "Is that right?", "Really?", "Is that correct?", "Check it again.", "Can you check that?", "Double check."],
        "zh": ["你确定吗？", "确定吗？", "对吗？", "真的吗？", "再检查一遍。", "你再算一遍。"]}
LIST_MORE = {("down", "en"): ["Now in descending order.", "Now from largest to smallest.", "And descending?", "Reverse the order.", "Sort them descending."],
             ("down", "zh"): ["从大到小呢？", "改成从大到小。", "现在从大到小排。"],
             ("max", "en"): ["Which one is the largest?", "What is the largest?", "And the maximum?", "What is the biggest one?"],
             ("max", "zh"): ["最大的是哪个？", "哪个最大？", "最大值是多少？"],
             ("min", "en"): ["Which one is the smallest?", "What is the smallest?", "And the minimum?"],
             ("min", "zh"): ["最小的是哪个？", "哪个最小？", "最小值是多少？"]}
WORD_MORE = {("reverse", "en"): ["Now reverse it.", "Spell it backwards.", "And backwards?", "Reverse it."], ("reverse", "zh"): ["把它倒过来。", "倒过来呢？", "反过来写。"],
             ("length", "en"): ["How many letters does it have?", "How long is it?", "How many letters are in it?"], ("length", "zh"): ["它有几个字母？", "有多少个字母？"],
             ("count", "en"): ["How many {k}'s are in it?", "And how many {k}?", "How many {k} does it have?"], ("count", "zh"): ["里面有几个 {k}？", "有几个 {k}？"]}


def follow_number(random, before, language):
    """A further operation on the last result, or a check of it."""
    _, value, shown, thought = before.state
    if random.random() < 0.2:
        question = random.choice(SURE[language])
        answer = f"是的，{shown}。" if language == "zh" else f"Yes, {shown}."
        return tasks.Problem("follow", language, question, f"Check {shown}:\n{thought}", answer, str(value), before.held)
    operator = random.choice("++--**/")
    b = tasks.digits_number(random, random.choice([1, 1, 2, 2, 3] if operator in "+-" else [1, 1, 2]))
    if (abs(value) > 99_999) or (operator == "*" and (abs(value) > 999)) or (operator == "/" and not 0 <= value <= 9999):
        operator = "-"
    head = f"The last result is {value}.\n"
    if operator == "/":
        b = max(1, b % 10)
        steps_text, (quotient, rest) = steps.divide_steps(value, b)
        result, held = tasks.division_result(quotient, rest, language), False
    else:
        work = {"+": steps.signed_sum_steps, "-": steps.signed_difference_steps, "*": steps.signed_product_steps}[operator]
        steps_text, result = work(value, b)
        held = steps.pair_held_out(operator, value, b)
    question = random.choice(FOLLOW[operator, language]).replace("{b}", str(b))
    sign = {"*": "×", "/": "÷"}.get(operator, operator)
    shown = f"{value} {sign} {b} = {result}"
    state = ("number", result, shown, steps_text) if operator != "/" else ()
    return tasks.Problem("follow", language, question, head + steps_text, shown + tasks.end(language), str(result), held, state)


def follow_list(random, before, language):
    """The list of the last turn in the other order, or its extremes."""
    numbers = list(before.state[1])
    kind = random.choice(["down", "max", "min"])
    held = steps.is_held_out("sort", steps.sort_key(numbers))
    question = random.choice(LIST_MORE[kind, language])
    if kind == "down":
        thought, ordered = steps.sort_steps(numbers, True)
        text = ", ".join(map(str, ordered))
        answer = f"排序结果：{text}。" if language == "zh" else f"Sorted: {text}."
        return tasks.Problem("follow", language, question, thought, answer, text, held, before.state)
    thought, best = steps.extreme_steps(numbers, kind == "max")
    if language == "zh":
        answer = f"最{'大' if kind == 'max' else '小'}的数是 {best}。"
    else:
        answer = f"The {'largest' if kind == 'max' else 'smallest'} number is {best}."
    return tasks.Problem("follow", language, question, thought, answer, str(best), held, before.state)


def follow_word(random, before, language):
    """Another question about the last word."""
    word = before.state[1]
    kind = random.choice(["reverse", "length", "count"])
    function = {"reverse": tasks.reverse, "length": tasks.length, "count": tasks.count_letter}[kind]
    problem = function(random, language, word)
    letter = problem.thought.split(" ", 1)[0]
    problem.question = random.choice(WORD_MORE[kind, language]).replace("{k}", letter)
    problem.task = "follow"
    return problem


def draw_follow(random, before):
    """A question that leans on the turn before, or None if there is nothing to lean on."""
    if not before.state:
        return None
    maker = {"number": follow_number, "list": follow_list, "word": follow_word}[before.state[0]]
    for _ in range(20):
        try:
            problem = maker(random, before, before.language)
        except steps.HeldOut:
            continue
        if not (problem.held and steps.Guard.strict):
            return problem
    return None


def plain_answer(problem, random):
    """An answer as it stands in a history: letters joined; with or without the blank line that followed the thought."""
    answer = problem.answer.replace(LETTERWISE, "")
    return "\n\n" + answer if random.random() < 0.3 else answer


def draw_system(random):
    """A system prompt, or mostly none."""
    roll = random.random()
    if roll < 0.82:
        return ""
    if roll < 0.96:
        return " ".join(random.choice(chat.SYSTEM_PROMPTS) for _ in range(random.choice([1, 1, 1, 2, 3])))
    sentences = [random.choice(chat.DECLINE_FRAMES["en"]).replace("{t}", random.choice(chat.TOPICS["en"])) for _ in range(random.randint(1, 6))]
    return " ".join(sentences)


def draw_dialogue(random, longest_history):
    """One training dialogue: three of four have a single turn."""
    dialogue = Dialogue(draw_problem(random), draw_system(random))
    if random.random() < 0.75:
        return dialogue
    turns = random.choice([1, 1, 1, 2, 2, 3])
    if longest_history > 3 and random.random() < 0.4:
        turns = random.randint(3, longest_history)
    language = dialogue.problem.language
    before = dialogue.problem
    for turn in range(turns):
        dialogue.turns.append((before.question, plain_answer(before, random)))
        follow = draw_follow(random, before) if random.random() < 0.55 else None
        before = follow or draw_problem(random, language=language if random.random() < 0.9 else None)
    dialogue.problem = before
    return dialogue


class Encoder:
    """Dialogues to ids, as the chat template and the engine build them."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.bos, self.eos, self.user, self.assistant, self.think, self.end_think = (
            tokenizer.added[name] for name in (BOS, EOS, USER, ASSISTANT, THINK, END_THINK))

    def prompt(self, dialogue):
        encode = self.tokenizer.encode
        ids = [self.bos]
        if dialogue.system:
            ids += encode(dialogue.system)
        for question, answer in dialogue.turns:
            ids += [self.user, *encode(question), self.assistant, *encode(answer), self.eos]
        return ids + [self.user, *encode(dialogue.problem.question), self.assistant, self.think, *encode("\n")]

    def target(self, problem):
        encode = self.tokenizer.encode
        return [*encode(problem.thought + "\n"), self.end_think, *encode("\n\n" + problem.answer), self.eos]


def batch(encoder, seed, index, rows, length):
    """Tokens of batch `index`: rows × length, uint16 array; TARGET set where the token is to be predicted.

    A row is filled with whole dialogues, the last one cut at the row's end.
    """
    random = random_module.Random(f"{seed}/{index}/{length}")
    longest_history = 24 if length >= 2048 else 3
    out = array("H")
    for _ in range(rows):
        row = array("H")
        while len(row) < length:
            dialogue = draw_dialogue(random, longest_history)
            row.extend(encoder.prompt(dialogue))
            row.extend(token | TARGET for token in encoder.target(dialogue.problem))
        out.extend(row[:length])
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", type=int, default=10, help="print this many dialogues")
    parser.add_argument("--family", choices=NAMES, help="only this family, single turns")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--tokenizer", help="a tokenizer.json, to see the token counts")
    options = parser.parse_args()
    random = random_module.Random(options.seed)
    encoder = None
    if options.tokenizer:
        tokenizer = Tokenizer.load(options.tokenizer)
        tasks.Spelling.learn(tokenizer.vocab)
        encoder = Encoder(tokenizer)
    for _ in range(options.show):
        dialogue = Dialogue(draw_problem(random, options.family)) if options.family else draw_dialogue(random, 3)
        problem = dialogue.problem
        if dialogue.system:
            print("system:", dialogue.system)
        for question, answer in dialogue.turns:
            print("user:", question, "\nassistant:", answer.strip())
        print(f"user: {problem.question}\n<think>\n{problem.thought}\n</think>\n\n{problem.answer.replace(LETTERWISE, '')}")
        if encoder:
            print(f"[{problem.task}: prompt {len(encoder.prompt(dialogue))}, target {len(encoder.target(problem))} tokens]")
        print("-" * 60)


if __name__ == "__main__":
    main()
