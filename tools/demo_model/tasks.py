"""One family of exercises a function: draws the numbers, asks in some phrasing, works the steps, states the answer.

Every function takes (random, language) and returns a Problem; `held` says whether the evaluation set owns it.
"""

from dataclasses import dataclass
from itertools import combinations

import chat
import phrases
import steps
import words
from chat_patterns import PATTERNS, expand
from steps import pair_held_out
from tokenizer import LETTERWISE


@dataclass
class Problem:
    """A question with its thought and answer; `expected` is what the scorer looks for; `state` serves follow-ups."""

    task: str
    language: str
    question: str
    thought: str
    answer: str
    expected: str
    held: bool = False
    state: tuple = ()


def digits_number(random, digits):
    """A number of the given digits; one in ten is round, repeated or at the edge of the range."""
    low, high = (10 ** (digits - 1) if digits > 1 else 0), 10 ** digits - 1
    if random.random() < 0.1:
        special = [low, high, int(random.choice("123456789") * digits), random.randint(1, 9) * 10 ** (digits - 1)]
        if digits > 1:
            special += [random.randint(low, high) // 10 * 10, low + random.randint(0, 9)]
        return random.choice(special)
    return random.randint(low, high)


def has_chinese(text):
    """Whether a text has a Chinese character (not only Chinese marks)."""
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def end(language):
    return "。" if language == "zh" else "."


def spaced(random, a, sign, b):
    """a sign b with or without spaces."""
    roll = random.random()
    if roll < 0.5:
        return f"{a} {sign} {b}"
    if roll < 0.9:
        return f"{a}{sign}{b}"
    return f"{a} {sign}{b}" if roll < 0.95 else f"{a}{sign} {b}"


def show(random, number, language):
    """A number as people write it: sometimes in words, with thousands separators, or negative in brackets."""
    if number < 0:
        return f"({number})" if random.random() < 0.4 else str(number)
    if number < 100 and random.random() < 0.04:
        return phrases.number_words(number, language)
    if number > 999 and random.random() < 0.08:
        return f"{number:,}"
    return str(number)


def expression(random, operator, a, b, language):
    """'17 * 24' in one of its spellings, and the sign an answer should use."""
    sign = random.choice(phrases.OPERATORS[operator, language])
    left, right = show(random, a, language), show(random, b, language)
    if sign in phrases.WORD_OPERATORS:
        text = f"{left} {sign} {right}"
    elif language == "zh" and not sign.isascii() and sign not in "＋−－×÷":
        text = f"{left}{sign}{right}" if random.random() < 0.8 else f"{left} {sign} {right}"
    else:
        text = spaced(random, left, sign, right)
    shown = sign if sign in "*/" else {"*": "×", "/": "÷"}.get(operator, operator)
    return text, shown


def ask_expression(random, text, language):
    return random.choice(phrases.ASK[language]).replace("{e}", text)


def bracket(number):
    return f"({number})" if number < 0 else str(number)


def pair_problem(random, language, operator, a, b, task):
    """a operator b for + - *: question, steps, answer."""
    work = {"+": steps.signed_sum_steps, "-": steps.signed_difference_steps, "*": steps.signed_product_steps}[operator]
    thought, value = work(a, b)
    text, shown = expression(random, operator, a, b, language)
    templates = phrases.ASK_PAIR[operator, language]
    if operator == "-" and a >= b >= 0 and random.random() < 0.3:
        templates = phrases.ASK_PAIR["diff", language]
    plain_only = operator == "-" and (a < b or b < 0) and language == "zh"
    if random.random() < 0.72 or plain_only:
        question = ask_expression(random, text, language)
    else:
        shown = {"*": "×"}.get(operator, operator)
        question = random.choice(templates).replace("{a}", show(random, a, language)).replace("{b}", show(random, b, language))
    answer = f"{a} {shown} {bracket(b)} = {value}{end(language)}"
    return Problem(task, language, question, thought, answer, str(value), pair_held_out(operator, a, b),
                   ("number", value, f"{a} {shown} {bracket(b)} = {value}", thought))


def add_of(task, sizes):
    def family(random, language):
        x, y = random.choice(sizes)
        return pair_problem(random, language, "+", digits_number(random, x), digits_number(random, y), task)
    return family


def subtract_of(task, sizes, negative):
    def family(random, language):
        x, y = random.choice(sizes)
        a, b = digits_number(random, x), digits_number(random, y)
        if x == y and random.random() < 0.1:
            b = near(random, a)
        if (a < b) != (random.random() < negative):
            a, b = b, a
        return pair_problem(random, language, "-", a, b, task)
    return family


def multiply_of(task, sizes):
    def family(random, language):
        x, y = random.choice(sizes)
        a, b = digits_number(random, x), digits_number(random, y)
        if random.random() < 0.5:
            a, b = b, a
        return pair_problem(random, language, "*", a, b, task)
    return family


def signed(random, language):
    """Sums, differences and products of numbers below zero."""
    operator = random.choice("+-*")
    size = random.choice([1, 1, 2, 2, 3]) if operator != "*" else random.choice([1, 2])
    a, b = digits_number(random, size), digits_number(random, random.choice([1, size]))
    if random.random() < 0.6:
        a = -a
    if a >= 0 or random.random() < 0.4:
        b = -b
    return pair_problem(random, language, operator, a, b, "signed")


def division_result(quotient, remainder, language):
    if not remainder:
        return str(quotient)
    return f"{quotient} 余 {remainder}" if language == "zh" else f"{quotient} remainder {remainder}"


def division(random, language, divisor_digits, task):
    """Long division, half of them exact."""
    b = max(1, digits_number(random, divisor_digits))
    if random.random() < 0.55:
        a = b * random.choice([random.randint(1, 12), random.randint(1, 99), random.randint(1, 999 if divisor_digits == 1 else 99)])
    else:
        a = digits_number(random, random.choice([1, 2, 3, 3, 4, 5] if divisor_digits == 1 else [2, 3, 3, 4, 4, 5]))
    thought, (quotient, remainder) = steps.divide_steps(a, b)
    held = a >= 10 and b >= 10 and steps.is_held_out("/", a, b)
    left, right = show(random, a, language), show(random, b, language)
    if random.random() < 0.12:
        question = random.choice(phrases.ASK_PAIR["%", language])
        question = question.replace("{a}", left).replace("{b}", right)
        answer = f"{a} 除以 {b} 的余数是 {remainder}。" if language == "zh" else f"The remainder of {a} / {b} is {remainder}."
        return Problem(task, language, question, thought, answer, str(remainder), held)
    text, shown = expression(random, "/", a, b, language)
    if random.random() < 0.7:
        question = ask_expression(random, text, language)
    else:
        shown = "÷"
        question = random.choice(phrases.ASK_PAIR["/", language]).replace("{a}", left).replace("{b}", right)
    result = division_result(quotient, remainder, language)
    state = ("number", quotient, f"{a} {shown} {b} = {result}", thought) if not remainder else ()
    return Problem(task, language, question, thought, f"{a} {shown} {b} = {result}{end(language)}", result, held, state)


def division_small(random, language):
    return division(random, language, 1, "div1")


def division_two(random, language):
    return division(random, language, 2, "div2")


def hundredth(number):
    """number / 100 as people write it."""
    whole, rest = divmod(number, 100)
    return str(whole) if not rest else f"{whole}.{rest:02d}".rstrip("0")


def percent(random, language):
    """a % of b: the product, then two places."""
    a = random.choice([1, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 90, 100, random.randint(1, 99)])
    b = random.choice([digits_number(random, random.choice([2, 2, 3])), random.randint(1, 20) * 10, random.randint(1, 10) * 100])
    steps_text, product = steps.multiply_steps(b, a)
    value = hundredth(product)
    question = random.choice(phrases.ASK_PAIR["percent", language]).replace("{a}", str(a)).replace("{b}", str(b))
    answer = f"{b} 的 {a}% 是 {value}。" if language == "zh" else f"{a}% of {b} = {value}."
    return Problem("special", language, question, f"{b}*{a}/100\n{steps_text}\n{product}/100={value}", answer, value, pair_held_out("*", a, b))


def special(random, language):
    """Squares, doubles and halves."""
    kind = random.choice(["square", "square", "double", "half", "percent"])
    if kind == "percent":
        return percent(random, language)
    a = digits_number(random, random.choice([1, 2, 2] if kind == "square" else [1, 2, 2, 3]))
    question = random.choice(phrases.ASK_PAIR[kind, language]).replace("{a}", show(random, a, language))
    if kind == "half":
        thought, (value, rest) = steps.divide_steps(a, 2)
        shown, held = f"{a} ÷ 2 = {division_result(value, rest, language)}", False
        state = ("number", value, shown, thought) if not rest else ()
        return Problem("special", language, question, thought, shown + end(language), division_result(value, rest, language), held, state)
    b = a if kind == "square" else 2
    thought, value = steps.multiply_steps(a, b)
    shown = f"{a} × {b} = {value}"
    return Problem("special", language, question, thought, shown + end(language), str(value), pair_held_out("*", a, b),
                   ("number", value, shown, thought))


def any_pair_held(operator, numbers):
    return any(pair_held_out(operator, a, b) for a, b in combinations(numbers, 2))


def join_list(random, items, language):
    """A list as people type it."""
    joiner = random.choice(phrases.LIST_JOINERS[language])
    if joiner in (" and ", "和") and len(items) > 2:
        head = ", " if language == "en" else "、"
        return head.join(items[:-1]) + joiner + items[-1]
    text = joiner.join(items)
    return f"[{text}]" if joiner in (", ", ",") and random.random() < 0.12 else text


def sums(random, language):
    """Three to five numbers added up, or a + b + c as an expression."""
    count = random.choice([3, 3, 3, 4, 5])
    numbers = [digits_number(random, random.choice([1, 2, 2, 2, 3, 3, 4])) for _ in range(count)]
    total, lines = numbers[0], []
    for number in numbers[1:]:
        lines.append(steps.add_line(total, number))
        total += number
    plain = " + ".join(map(str, numbers))
    if random.random() < 0.5:
        sign = random.choice([" + ", "+", "+"]) if language == "en" or random.random() < 0.6 else "加"
        question = ask_expression(random, sign.join(map(str, numbers)), language)
    else:
        question = random.choice(phrases.SUM_LIST[language]).replace("{l}", join_list(random, [str(n) for n in numbers], language))
    shown = f"{plain} = {total}"
    return Problem("sums", language, question, "\n".join(lines), shown + end(language), str(total), any_pair_held("+", numbers),
                   ("number", total, shown, "\n".join(lines)))


def mixed(random, language):
    """Two operators: a + b - c, a * b + c, a + b * c, (a + b) * c."""
    form = random.randrange(8)
    if form > 4:
        return chain(random, language, form)
    one, two = digits_number(random, random.choice([1, 2, 2, 3])), digits_number(random, random.choice([1, 1, 2]))
    a, b, c = one, two, digits_number(random, random.choice([1, 1, 2]))
    if form == 0:
        first, middle = steps.add_steps(a, b)
        second, value = steps.subtract_steps(middle, c)
        parts, plain, held = [first, second], [a, "+", b, "-", c], pair_held_out("+", a, b) or pair_held_out("-", b, c)
    elif form == 1:
        first, middle = steps.subtract_steps(a, b)
        second, value = steps.signed_sum_steps(middle, c)
        parts, plain, held = [first, second], [a, "-", b, "+", c], pair_held_out("-", a, b) or pair_held_out("+", b, c)
    elif form == 2:
        first, middle = steps.multiply_steps(a, b)
        second, value = steps.add_steps(middle, c)
        parts, plain, held = [first, second], [a, "*", b, "+", c], pair_held_out("*", a, b) or pair_held_out("+", b, c)
    elif form == 3:
        first, middle = steps.multiply_steps(b, c)
        second, value = steps.add_steps(a, middle)
        parts, plain, held = [f"First {b}*{c}.", first, second], [a, "+", b, "*", c], pair_held_out("*", b, c) or pair_held_out("+", a, b)
    else:
        first, middle = steps.add_steps(a, b)
        second, value = steps.multiply_steps(middle, c)
        parts, plain, held = [first, second], [f"({a}", "+", f"{b})", "*", c], pair_held_out("+", a, b) or pair_held_out("*", b, c)
    sign = random.choice(["*", "*", "x", "×"])
    shown = " ".join(sign if part == "*" else str(part) for part in plain)
    text = shown if random.random() < 0.5 else shown.replace(" ", "")
    shown = shown.replace("x", "×")
    thought = "\n".join(parts)
    return Problem("mixed", language, ask_expression(random, text, language), thought, f"{shown} = {value}{end(language)}", str(value), held,
                   ("number", value, f"{shown} = {value}", thought))


def chain(random, language, form):
    """a - b - c, a * b * c, a * b + c * d."""
    if form == 5:
        numbers = [digits_number(random, random.choice([1, 2, 2, 3])), digits_number(random, random.choice([1, 1, 2])), digits_number(random, random.choice([1, 1, 2]))]
        a, b, c = sorted(numbers, reverse=True)
        first, middle = steps.subtract_steps(a, b)
        second, value = steps.signed_difference_steps(middle, c)
        parts, signs, numbers, held = [first, second], "--", [a, b, c], any_pair_held("-", (a, b, c))
    elif form == 6:
        numbers = [random.randint(1, 12) if random.random() < 0.8 else digits_number(random, 2) for _ in range(3)]
        first, middle = steps.multiply_steps(*numbers[:2])
        second, value = steps.multiply_steps(middle, numbers[2])
        parts, signs, held = [first, second], "**", any_pair_held("*", numbers)
    else:
        numbers = [digits_number(random, random.choice([1, 1, 2])) for _ in range(4)]
        first, left = steps.multiply_steps(*numbers[:2])
        second, right = steps.multiply_steps(*numbers[2:])
        third, value = steps.add_steps(left, right)
        parts, signs = [first, second, third], "*+*"
        held = pair_held_out("*", *numbers[:2]) or pair_held_out("*", *numbers[2:]) or pair_held_out("+", numbers[1], numbers[2])
    shown = str(numbers[0]) + "".join(f" {sign} {number}" for sign, number in zip(signs, numbers[1:]))
    shown = shown.replace("*", random.choice(["*", "*", "×", "x"]))
    text = shown if random.random() < 0.5 else shown.replace(" ", "")
    shown, thought = shown.replace("x", "×"), "\n".join(parts)
    return Problem("mixed", language, ask_expression(random, text, language), thought, f"{shown} = {value}{end(language)}", str(value), held,
                   ("number", value, f"{shown} = {value}", thought))


def draw_list(random, most=8):
    """Two to eight numbers of mixed size; sometimes below zero, sometimes with repeats."""
    count = random.choice([n for n in (2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8) if n <= most])
    style = random.random()
    if style < 0.03 and most == 8:
        count = random.choice([9, 10])
    if style < 0.3:
        numbers = [random.randint(0, 99) for _ in range(count)]
    elif style < 0.5:
        numbers = [random.randint(0, 20) for _ in range(count)]
    else:
        size = random.choice([1, 2, 2, 3, 3, 4])
        numbers = [digits_number(random, random.choice([size, size, random.choice([1, 2, 3])])) for _ in range(count)]
    if random.random() < 0.06:
        numbers = [-n if random.random() < 0.5 else n for n in numbers]
    if random.random() < 0.1:
        numbers[random.randrange(count)] = random.choice(numbers)
    return numbers


def sorting(random, language):
    numbers = draw_list(random)
    direction = "down" if random.random() < 0.3 else "up"
    thought, ordered = steps.sort_steps(numbers, direction == "down")
    question = random.choice(phrases.SORT[direction, language]).replace("{l}", join_list(random, [str(n) for n in numbers], language))
    answer = ", ".join(map(str, ordered))
    text = f"排序结果：{answer}。" if language == "zh" else f"Sorted: {answer}."
    return Problem("sort", language, question, thought, text, answer, steps.is_held_out("sort", steps.sort_key(numbers)), ("list", tuple(numbers)))


def extreme(random, language, numbers=None):
    numbers = numbers or draw_list(random, 6)
    kind = random.choice(["max", "min"])
    thought, best = steps.extreme_steps(numbers, kind == "max")
    question = random.choice(phrases.EXTREME[kind, language]).replace("{l}", join_list(random, [str(n) for n in numbers], language))
    if language == "zh":
        answer = f"最{'大' if kind == 'max' else '小'}的数是 {best}。"
    else:
        answer = f"The {'largest' if kind == 'max' else 'smallest'} number is {best}."
    return Problem("extreme", language, question, thought, answer, str(best), steps.is_held_out("sort", steps.sort_key(numbers)))


def near(random, a):
    """A number close to a in its digits."""
    place = 10 ** random.randrange(len(str(a)))
    return max(0, a + random.choice([-3, -2, -1, 1, 2, 3]) * place)


def number_facts(random, language):
    """Even or odd, the number before or after, counting up or down, divisibility."""
    kind = random.choice(["parity", "next", "previous", "count", "down", "divisible"])
    zh = language == "zh"
    a = digits_number(random, random.choice([1, 2, 2, 3, 4]))
    if kind == "parity":
        even = a % 2 == 0
        thought = f"The last digit of {a} is {a % 10}: {'even' if even else 'odd'}"
        answer = f"{a} 是{'偶' if even else '奇'}数" if zh else f"{a} is {'even' if even else 'odd'}"
    elif kind in ("next", "previous"):
        step = 1 if kind == "next" else -1
        a = max(a, 1)
        thought = f"{a}{step:+d}={a + step}"
        answer = f"{a} 的{'后' if step > 0 else '前'}一个数是 {a + step}" if zh else f"The number {'after' if step > 0 else 'before'} {a} is {a + step}"
    elif kind in ("count", "down"):
        low = random.choice([1, 1, random.randint(0, 90)])
        high = low + random.randint(1, 19)
        run = list(range(low, high + 1)) if kind == "count" else list(range(high, low - 1, -1))
        if kind == "count" and low == 1 and random.random() < 0.6:
            kind = "count to"
        thought, answer, a, b = f"From {run[0]} to {run[-1]}.", ", ".join(map(str, run)), run[0], run[-1]
    else:
        b = random.randint(2, 12)
        a = b * random.randint(2, 40) if random.random() < 0.5 else max(b, a % 1000)
        thought, (_, rest) = steps.divide_steps(a, b)
        if zh:
            answer = f"{'是的' if not rest else '不'}，{a} {'能' if not rest else '不能'}被 {b} 整除"
        else:
            answer = f"{'Yes' if not rest else 'No'}, {a} is {'' if not rest else 'not '}divisible by {b}"
    question = random.choice(phrases.FACTS[kind, language]).replace("{a}", str(a))
    if "{b}" in question:
        in_words = kind == "count to" and b < 21 and random.random() < 0.3
        question = question.replace("{b}", phrases.number_words(b, language) if in_words else str(b))
    held = steps.is_held_out("fact", kind, a) if kind in ("parity", "next", "previous") else kind == "divisible" and min(a, b) >= 10 and steps.is_held_out("/", a, b)
    return Problem("facts", language, question, thought, answer + end(language), answer, held)


def compare(random, language):
    a = digits_number(random, random.choice([1, 2, 2, 3, 3, 4]))
    b = near(random, a) if random.random() < 0.4 else digits_number(random, random.choice([len(str(a)), random.choice([1, 2, 3, 4])]))
    if random.random() < 0.08:
        b = a
    thought, order = steps.compare_steps(a, b)
    kind = random.choice(["larger", "larger", "smaller", ">", "<"])
    question = random.choice(phrases.COMPARE[kind, language]).replace("{a}", str(a)).replace("{b}", str(b))
    zh = language == "zh"
    words_of = {1: "大于" if zh else "is greater than", -1: "小于" if zh else "is less than", 0: "等于" if zh else "is equal to"}
    left, right, relation = a, b, order
    if (kind == "larger" and order < 0) or (kind == "smaller" and order > 0):
        left, right, relation = b, a, -order
    fact = f"{left} {words_of[relation]} {right}"
    if kind in "<>":
        holds = order == (1 if kind == ">" else -1)
        fact = (("是的，" if holds else "不，") if zh else ("Yes, " if holds else "No, ")) + fact
    return Problem("compare", language, question, thought, fact + end(language), fact, pair_held_out("cmp", a, b))


class Spelling:
    """Words to spell: real ones, and made ones from the pieces of the vocabulary so that each piece is met often."""

    pieces = []
    cased = []

    @classmethod
    def learn(cls, vocab):
        """Takes the letter pieces of the vocabulary, without their leading space."""
        stripped = {token.lstrip("Ġ") for token in vocab}
        letters = {piece for piece in stripped if piece.isascii() and piece.isalpha()}
        cls.pieces = sorted({piece.lower() for piece in letters})
        cls.cased = sorted(piece for piece in letters if not piece.islower())

    @classmethod
    def draw(cls, random):
        roll = random.random()
        if roll < 0.28 or not cls.pieces:
            word = random.choice(words.WORDS)
        elif roll < 0.36:
            return random.choice(cls.cased) + (random.choice(cls.pieces) if random.random() < 0.4 else "")
        elif roll < 0.45:
            word = "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(2, 9)))
        else:
            word = ""
            while len(word) < 3 or (len(word) < 12 and random.random() < 0.55):
                word += random.choice(cls.pieces)
            word = word[:14]
        roll = random.random()
        return word.capitalize() if roll < 0.12 else word.upper() if roll < 0.15 else word


def quoted(random, word, language):
    roll = random.random()
    if roll < 0.45:
        return word
    marks = random.choice(["''", '""', '""', "“”", "``"] if language == "en" else ["“”", '""', "“”", "‘’", "''"])
    return marks[0] + word + marks[1]


def fill_word(random, template, word, language):
    """Puts the word in; an unquoted word in Chinese text mostly gets spaces around it."""
    shown = quoted(random, word, language)
    if language == "zh" and shown == word and random.random() < 0.6:
        template = template.replace("{w}", " {w} ").strip()
    return template.replace("{w}", shown)


def spell(random, language):
    """Spell a word, or name its first or last letter."""
    word = Spelling.draw(random)
    steps.refuse_word(word)
    kind = random.choice(["spell", "first", "last"])
    question = fill_word(random, random.choice(phrases.SPELL[kind, language]), word, language)
    thought = f"{word}: {steps.spell(word)}"
    if kind == "spell":
        answer = f"{word}: {steps.spell(word)}"
    else:
        letter = word[0] if kind == "first" else word[-1]
        which = {"first": "第一个", "last": "最后一个"}[kind] if language == "zh" else kind
        answer = f"{word} 的{which}字母是 {letter}" if language == "zh" else f"The {which} letter of {word} is {letter}"
    return Problem("spell", language, question, thought, answer + end(language), answer, steps.is_held_out("word", word.lower()), ("word", word))


def reverse_two(random, language):
    """Two quoted words turned round together."""
    pair = [Spelling.draw(random)[:8], Spelling.draw(random)[:8]]
    for word in pair:
        steps.refuse_word(word)
    text = " ".join(pair)
    backwards = text[::-1]
    spelled = [" ".join(t.replace(" ", "_")) for t in (text, backwards)]
    question = random.choice(phrases.REVERSE[language]).replace("{w}", f'"{text}"')
    marked = f"{LETTERWISE}{backwards}{LETTERWISE}"
    answer = f"{text} 倒过来是 {marked}。" if language == "zh" else f"{text} backwards is {marked}."
    held = any(steps.is_held_out("word", word.lower()) for word in pair)
    return Problem("reverse", language, question, f"{text}: {spelled[0]}\nBackwards: {spelled[1]}", answer, backwards, held)


def reverse(random, language, word=None):
    if word is None and random.random() < 0.06:
        return reverse_two(random, language)
    word = word or Spelling.draw(random)
    thought, value = steps.reverse_steps(word)
    question = fill_word(random, random.choice(phrases.REVERSE[language]), word, language)
    marked = f"{LETTERWISE}{value}{LETTERWISE}"
    answer = f"{word} 倒过来是 {marked}。" if language == "zh" else f"{word} backwards is {marked}."
    return Problem("reverse", language, question, thought, answer, value, steps.is_held_out("word", word.lower()), ("word", word))


def length(random, language, word=None):
    word = word or Spelling.draw(random)
    thought, value = steps.length_steps(word)
    question = fill_word(random, random.choice(phrases.LENGTH[language]), word, language)
    answer = f"{word} 有 {value} 个字母。" if language == "zh" else f"{word} has {value} letter{'s' if value != 1 else ''}."
    return Problem("length", language, question, thought, answer, str(value), steps.is_held_out("word", word.lower()), ("word", word))


def count_letter(random, language, word=None):
    word = word or Spelling.draw(random)
    letter = random.choice(word.lower()) if random.random() < 0.85 else random.choice("abcdefghijklmnopqrstuvwxyz")
    thought, value = steps.count_letter_steps(word, letter)
    shown = letter if random.random() < 0.8 else random.choice([f'"{letter}"', f"'{letter}'", letter.upper()])
    template = random.choice(phrases.COUNT[language])
    if language == "zh":
        template = template.replace("{k}", " {k} ").strip()
    question = fill_word(random, template.replace("{k}", shown), word, language)
    answer = f"{word} 里有 {value} 个 {letter}。" if language == "zh" else f"There {'is' if value == 1 else 'are'} {value} {letter} in {word}."
    return Problem("count", language, question, thought, answer, str(value), steps.is_held_out("word", word.lower()), ("word", word))


def scene(random, language):
    """The names and things of a word problem."""
    if language == "zh":
        n, m = random.sample(words.ZH_NAMES, 2)
        unit, item = random.choice(words.ZH_ITEMS)
        return {"n": n, "m": m, "u": unit, "i": item}
    n, m = random.sample(words.NAMES, 2)
    return {"n": n, "m": m, "p": random.choice(["he", "she"]), "i": random.choice(words.ITEMS), "x": random.choice(words.BOXES),
            "g": random.choice(words.GROUPS)}


def tell(random, pattern, language, **numbers):
    """A story with its numbers filled in; small ones sometimes in words."""
    shown = {}
    for name, number in numbers.items():
        in_words = number < 13 and random.random() < 0.25
        shown[name] = phrases.number_words(number, language) if in_words else str(number)
    text = expand(pattern, random).format(**shown, **scene(random, language))
    for pronoun in ("he", "she"):
        text = text.replace(f". {pronoun} ", f". {pronoun.capitalize()} ")
    return text[:1].upper() + text[1:]


def story(random, language):
    """A word problem of one step."""
    template, operator = random.choice(words.ZH_PROBLEMS if language == "zh" else words.PROBLEMS)
    if operator in "+-":
        a, b = digits_number(random, random.choice([1, 2, 2, 3])), digits_number(random, random.choice([1, 2, 2]))
        if operator == "-" and a < b:
            a, b = b, a
        thought, value = (steps.add_steps if operator == "+" else steps.subtract_steps)(a, b)
        held = pair_held_out(operator, a, b)
    elif operator == "*":
        a, b = random.randint(2, 99) if random.random() < 0.4 else random.randint(2, 12), digits_number(random, random.choice([1, 2]))
        thought, value = steps.multiply_steps(a, b)
        held = pair_held_out("*", a, b)
    else:
        b = random.randint(2, 12)
        a = b * random.randint(2, 40)
        thought, (value, _) = steps.divide_steps(a, b)
        held = a >= 10 and b >= 10 and steps.is_held_out("/", a, b)
    question = tell(random, template, language, a=a, b=b)
    sign = {"*": "×", "/": "÷"}.get(operator, operator)
    shown = f"{a} {sign} {b} = {value}"
    answer = f"{shown}，答案是 {value}。" if language == "zh" else f"{shown}, so the answer is {value}."
    return Problem("story", language, question, thought, answer, str(value), held, ("number", value, shown, thought))


def story_two(random, language):
    """A word problem of two steps."""
    template, signs = random.choice(words.ZH_PROBLEMS_TWO if language == "zh" else words.PROBLEMS_TWO)
    a, b, c = (digits_number(random, random.choice([1, 2, 2])) for _ in range(3))
    if signs != "++":
        a, b, c = sorted((a, b, c), reverse=True)
    if signs == "--" and a < b + c:
        a = b + c + a
    first, middle = (steps.add_steps if signs[0] == "+" else steps.subtract_steps)(a, b)
    second, value = (steps.add_steps if signs[1] == "+" else steps.subtract_steps)(middle, c)
    question = tell(random, template, language, a=a, b=b, c=c)
    shown = f"{a} {signs[0]} {b} {signs[1]} {c} = {value}"
    answer = f"{shown}，答案是 {value}。" if language == "zh" else f"{shown}, so the answer is {value}."
    held = pair_held_out(signs[0], a, b) or any_pair_held("+", (a, b, c)) or any_pair_held("-", (a, b, c))
    return Problem("story2", language, question, f"{first}\n{second}", answer, str(value), held, ("number", value, shown, f"{first}\n{second}"))


MARKS = " ?.!,:？。！，\n"


def phrasing_held(text):
    """Whether a phrasing of small talk is held out, whatever its case and marks."""
    return steps.is_held_out("chat", text.lower().strip(MARKS))


def small_talk(random, language):
    """Greetings, questions about Baton and about the model. Fixed phrasings are always learnt, expansions may be held out."""
    name = random.choice(list(chat.INTENTS))
    asked, thought, answer = chat.INTENTS[name][language]
    if random.random() < 0.4:
        return Problem("chat", language, random.choice(asked), thought, answer, answer, False)
    question = expand(random.choice(PATTERNS[name][language]), random)
    if random.random() < 0.5 and question[-1].isalpha():
        question += "？" if language == "zh" else "?"
    learnt = {text.lower().strip(MARKS) for text in asked}
    held = phrasing_held(question) and question.lower().strip(MARKS) not in learnt
    return Problem("chat", language, question, thought, answer, answer, held)


def gibberish(random):
    """Text of no meaning: letters, marks, other scripts, bits of code."""
    kind = random.randrange(5)
    if kind == 0:
        return "".join(random.choice("asdfghjklqwertyuiopzxcvbnm ;'") for _ in range(random.randint(3, 20))).strip() or "asdf"
    if kind == 1:
        return " ".join(random.choice(words.WORDS) for _ in range(random.randint(2, 8)))
    if kind == 2:
        start = random.choice([0x400, 0x3040, 0x4E00, 0xAC00, 0x600, 0x1F600, 0x370, 0x900, 0xE00])
        text = "".join(chr(start + random.randrange(0x50)) for _ in range(random.randint(2, 10)))
        return "".join(c for c in text if c.isalpha() or start == 0x1F600) or "日本語"
    if kind == 3:
        return "".join(random.choice("!@#$%&()[]{}<>/\\|~^_.,;:?-=") for _ in range(random.randint(1, 8)))
    return "".join(random.choice(Spelling.pieces or ["abc"]) + random.choice(["", " ", " "]) for _ in range(random.randint(2, 12))).strip()


def decline(random, language):
    """Everything else: an honest no."""
    roll = random.random()
    held = False
    if roll < 0.5:
        question = random.choice(chat.DECLINE_FRAMES[language]).replace("{t}", random.choice(chat.TOPICS[language]))
        held = phrasing_held(question)
    elif roll < 0.75:
        question = random.choice(chat.DECLINE_PLAIN[language])
    else:
        question = gibberish(random)
        language = "zh" if has_chinese(question) else "en"
        held = phrasing_held(question)
    thought, answer = chat.DECLINE[language]
    return Problem("decline", language, question, thought, answer, answer, held)


def decimal(random):
    return f"{random.randint(0, 999)}.{random.randint(1, 99)}"


def decimal_question(random, language):
    """Decimals to compare or to sort."""
    if random.random() < 0.5:
        kind = random.choice(["larger", "smaller", ">", "<"])
        whole = random.randint(0, 30)
        question = random.choice(phrases.COMPARE[kind, language]).replace("{a}", f"{whole}.{random.randint(1, 99)}")
        question = question.replace("{b}", f"{whole}.{random.randint(1, 99)}" if random.random() < 0.7 else decimal(random))
    else:
        items = [decimal(random) if random.random() < 0.7 else str(random.randint(0, 99)) for _ in range(random.randint(2, 5))] + [decimal(random)]
        table = phrases.SORT[random.choice(["up", "down"]), language] if random.random() < 0.6 else phrases.EXTREME[random.choice(["max", "min"]), language]
        question = random.choice(table).replace("{l}", join_list(random, items, language))
    thought, answer = chat.TOO_HARD[language]
    return Problem("too_hard", language, question, thought, answer, answer, phrasing_held(question))


def too_hard(random, language):
    """Numbers outside of the range, fractions, powers, roots; division by zero."""
    roll = random.randrange(7)
    if roll == 6:
        return decimal_question(random, language)
    if roll == 0:
        text, _ = expression(random, random.choice("+-"), digits_number(random, random.randint(7, 10)), digits_number(random, random.randint(1, 10)), language)
    elif roll == 1:
        text, _ = expression(random, "*", digits_number(random, random.randint(5, 7)), digits_number(random, random.randint(3, 6)), language)
    elif roll == 2:
        sign = random.choice("+-*/")
        text = spaced(random, decimal(random), sign, random.choice([decimal(random), str(random.randint(1, 99))]))
    elif roll == 3:
        text = random.choice([f"{random.randint(2, 30)}^{random.randint(3, 20)}", f"sqrt({random.randint(2, 999)})", f"{random.randint(2, 15)}!",
                              f"log({random.randint(2, 100)})", f"sin({random.randint(1, 90)})",
                              f"the square root of {random.randint(2, 999)}", f"{random.randint(1, 9)}/{random.randint(2, 9)} + {random.randint(1, 9)}/{random.randint(2, 9)}"])
    elif roll == 4:
        text, _ = expression(random, "/", digits_number(random, random.randint(1, 9)), digits_number(random, random.randint(3, 5)), language)
    else:
        text, _ = expression(random, "/", digits_number(random, random.randint(1, 5)), 0, language)
        question = ask_expression(random, text, language)
        thought, answer = chat.ZERO[language]
        return Problem("too_hard", language, question, thought, answer, answer, phrasing_held(text))
    thought, answer = chat.TOO_HARD[language]
    return Problem("too_hard", language, ask_expression(random, text, language), thought, answer, answer, phrasing_held(text))


# name: (function, share of the training data)
FAMILIES = {
    "add1": (add_of("add1", [(1, 1), (1, 2), (2, 1), (1, 3), (3, 1)]), 2.5),
    "add2": (add_of("add2", [(2, 2)]), 5),
    "add3": (add_of("add3", [(3, 3), (3, 3), (2, 3), (3, 2)]), 6),
    "add_long": (add_of("add_long", [(4, 4), (5, 5), (6, 6), (4, 3), (3, 4), (5, 3), (2, 4), (4, 2), (5, 4), (6, 4), (4, 6), (1, 4)]), 5),
    "sub1": (subtract_of("sub1", [(1, 1), (2, 1), (2, 1), (3, 1)], 0.2), 2.5),
    "sub2": (subtract_of("sub2", [(2, 2)], 0.2), 5),
    "sub3": (subtract_of("sub3", [(3, 3), (3, 3), (3, 2)], 0.25), 7),
    "sub_long": (subtract_of("sub_long", [(4, 4), (5, 5), (6, 6), (4, 3), (4, 2), (5, 4), (6, 5), (4, 1)], 0.15), 5),
    "mul1": (multiply_of("mul1", [(1, 1), (1, 1), (2, 1), (2, 1), (3, 1), (4, 1), (5, 1)]), 4),
    "mul2": (multiply_of("mul2", [(2, 2)]), 10),
    "mul3": (multiply_of("mul3", [(3, 2), (3, 2), (3, 2), (3, 3), (3, 3), (4, 2)]), 6),
    "div1": (division_small, 4),
    "div2": (division_two, 9),
    "special": (special, 1.5),
    "signed": (signed, 3),
    "sums": (sums, 3),
    "mixed": (mixed, 3),
    "sort": (sorting, 10),
    "extreme": (extreme, 3),
    "compare": (compare, 3),
    "facts": (number_facts, 2),
    "reverse": (reverse, 6),
    "length": (length, 3.5),
    "spell": (spell, 2),
    "count": (count_letter, 4),
    "story": (story, 6),
    "story2": (story_two, 2),
    "chat": (small_talk, 6),
    "decline": (decline, 5),
    "too_hard": (too_hard, 1.8),
}
