"""The reasoning itself: worked steps of arithmetic, sorting, comparing and spelling, and the held-out rule.

Every function returns its steps as text (lines joined by newlines) and the result. Steps are small enough for a model of
five million parameters: one digit at a time, carries and borrows written out.
"""

import zlib

HELD_OUT_PERCENT = 10


class HeldOut(Exception):
    """Raised in training mode when a worked step belongs to the evaluation set."""


class Guard:
    """Whether held-out problems are refused (True while training data is made)."""

    strict = True


def is_held_out(kind, *parts):
    """Whether the hash of (kind, parts) falls into the evaluation tenth."""
    key = kind + ":" + ":".join(map(str, parts))
    return zlib.crc32(key.encode("utf-8")) % 100 < HELD_OUT_PERCENT


def pair_held_out(operator, a, b):
    """The rule for a pair of operands, in both orders; only pairs of numbers of two or more digits."""
    a, b = abs(a), abs(b)
    if a > b:
        a, b = b, a
    return a >= 10 and is_held_out(operator, a, b)


def refuse_pair(operator, a, b):
    if Guard.strict and pair_held_out(operator, a, b):
        raise HeldOut


def refuse(kind, *parts):
    if Guard.strict and is_held_out(kind, *parts):
        raise HeldOut


def add_columns(a, b):
    """The column sums of a + b from the right, as a list of texts."""
    x, y = str(a)[::-1], str(b)[::-1]
    if len(x) < len(y):
        x, y = y, x
    carry, columns = 0, []
    for at, digit in enumerate(x):
        other = y[at] if at < len(y) else "0"
        total = int(digit) + int(other) + carry
        columns.append(f"{digit}+{other}+1={total}" if carry else f"{digit}+{other}={total}")
        carry = total // 10
    return columns


def add_line(a, b):
    """a + b as one line inside a longer calculation."""
    refuse_pair("+", a, b)
    if a < 10 and b < 10:
        return f"{a}+{b}={a + b}"
    return f"{a}+{b}: {', '.join(add_columns(a, b))} → {a + b}"


def add_steps(a, b):
    """a + b for a, b ≥ 0, one column a line."""
    refuse_pair("+", a, b)
    if a < 10 and b < 10:
        return f"{a}+{b}={a + b}", a + b
    lines = [f"{a}+{b}, from the right:"]
    columns = add_columns(a, b)
    for at, column in enumerate(columns):
        carried = len(column.split("=")[1]) == 2 and at + 1 < len(columns)
        lines.append(column + (", carry 1" if carried else ""))
    lines.append(f"→ {a + b}")
    return "\n".join(lines), a + b


def subtract_columns(a, b):
    """The columns of a − b, a ≥ b, from the right; borrows written out; and the digits with leading zeros."""
    x, y = str(a)[::-1], str(b)[::-1]
    borrow, columns, digits = 0, [], ""
    for at, digit in enumerate(x):
        other = y[at] if at < len(y) else "0"
        taken = f"{digit}-{other}-1" if borrow else f"{digit}-{other}"
        value = int(digit) - int(other) - borrow
        if value < 0:
            columns.append(f"{taken}={value}, borrow: {value + 10}")
        else:
            columns.append(f"{taken}={value}")
        borrow = int(value < 0)
        digits = str(value % 10) + digits
    return columns, digits


def first_difference(a, b):
    """Two numbers of the same length digit by digit up to the first difference: '7=7, 4<5'."""
    shown = []
    for left, right in zip(str(a), str(b)):
        shown.append(f"{left}{'=' if left == right else '>' if left > right else '<'}{right}")
        if left != right:
            break
    return ", ".join(shown)


def subtract_steps(a, b):
    """a − b for a, b ≥ 0, also when the result is negative; the larger number is found first."""
    refuse_pair("-", a, b)
    if a < 10 and b < 10:
        return f"{a}-{b}={a - b}", a - b
    sign = ">" if a > b else "<" if a < b else "="
    head = f"{a} {sign} {b}"
    if len(str(a)) == len(str(b)):
        head = f"{first_difference(a, b)}: {head}"
    if a == b:
        return f"{head}\n→ 0", 0
    if a < b:
        steps, value = subtract_worked(b, a)
        return f"{head}, so -({b}-{a})\n{steps}\n→ -{value}", -value
    steps, value = subtract_worked(a, b)
    return f"{head}\n{steps}", value


def subtract_worked(a, b):
    """a − b for a > b, one column a line."""
    columns, digits = subtract_columns(a, b)
    lines = [f"{a}-{b}, from the right:", *columns, f"→ {digits}"]
    if digits != str(a - b):
        lines[-1] += f" = {a - b}"
    return "\n".join(lines), a - b


def signed_sum_steps(a, b):
    """a + b where either may be negative: rewritten first."""
    if a >= 0 and b >= 0:
        return add_steps(a, b)
    if a >= 0:
        steps, value = subtract_steps(a, -b)
        return f"{a}+({b}) = {a}-{-b}\n{steps}", value
    if b >= 0:
        steps, value = subtract_steps(b, -a)
        return f"{a}+{b} = {b}-{-a}\n{steps}", value
    steps, value = add_steps(-a, -b)
    return f"{a}+({b}) = -({-a}+{-b})\n{steps}\n→ {-value}", -value


def signed_difference_steps(a, b):
    """a − b where either may be negative: rewritten first."""
    if a >= 0 and b >= 0:
        return subtract_steps(a, b)
    if b < 0:
        steps, value = signed_sum_steps(a, -b)
        return f"{a}-({b}) = {a}+{-b}\n{steps}", value
    steps, value = add_steps(-a, b)
    return f"{a}-{b} = -({-a}+{b})\n{steps}\n→ {-value}", -value


def digit_product_line(a, digit):
    """a × one digit, from the right: '17*4: 7*4=28, 1*4+2=6 → 68'."""
    if a < 10 or digit < 2:
        return f"{a}*{digit}={a * digit}"
    carry, columns = 0, []
    for place in str(a)[::-1]:
        total = int(place) * digit + carry
        columns.append(f"{place}*{digit}+{carry}={total}" if carry else f"{place}*{digit}={total}")
        carry = total // 10
    return f"{a}*{digit}: {', '.join(columns)} → {a * digit}"


def multiply_steps(a, b):
    """a × b for a, b ≥ 0: split by the digits of the shorter factor, then the parts summed."""
    refuse_pair("*", a, b)
    if len(str(a)) < len(str(b)):
        steps, value = multiply_steps(b, a)
        return f"{a}*{b} = {b}*{a}\n{steps}", value
    if b < 10:
        return digit_product_line(a, b), a * b
    parts = [int(digit) * 10 ** place for place, digit in enumerate(str(b)[::-1]) if digit != "0"][::-1]
    lines = []
    if len(parts) > 1:
        lines.append(f"{a}*{b} = " + " + ".join(f"{a}*{part}" for part in parts))
    for part in parts:
        digit = str(part)[0]
        line = digit_product_line(a, int(digit))
        if part >= 10:
            line += f", {a}*{part}={a * part}"
        lines.append(line)
    total = a * parts[0]
    for part in parts[1:]:
        lines.append(add_line(total, a * part))
        total += a * part
    return "\n".join(lines), a * b


def signed_product_steps(a, b):
    """a × b where either may be negative: the sign first."""
    if a >= 0 and b >= 0:
        return multiply_steps(a, b)
    steps, value = multiply_steps(abs(a), abs(b))
    negative = (a < 0) != (b < 0) and value
    sign = "Opposite signs: the product is negative." if (a < 0) != (b < 0) else "Same signs: the product is positive."
    return f"{sign}\n{steps}\n→ {-value if negative else value}", -value if negative else value


def quotient_digit(rest, b):
    """One digit of a long division as text, and the digit.

    A divisor of two digits is rounded down to tens for a first guess, which is never too small; then the guess comes down
    until its product fits: '394: 99*4=396>394, 99*3=297, 394-297=97'.
    """
    digit = rest // b
    guess = min(9, rest // (b // 10 * 10)) if b >= 10 else digit
    tried = [f"{b}*{high}={b * high}>{rest}" for high in range(guess, digit, -1)]
    tried += [f"{b}*{digit}={b * digit}", f"{rest}-{b * digit}={rest - b * digit}"]
    return f"{rest}: {', '.join(tried)}", digit


def divide_steps(a, b):
    """a ÷ b for a ≥ 0, b ≥ 1: long division; returns (quotient, remainder)."""
    if a >= 10 and b >= 10:
        refuse("/", a, b)
    if a < b:
        return f"{a} < {b}, so 0 remainder {a}", (0, a)
    digits = str(a)
    taken = 1
    while int(digits[:taken]) < b:
        taken += 1
    rest, lines = int(digits[:taken]), [f"{a}/{b}, from the left:"]
    for at in range(taken, len(digits) + 1):
        line, digit = quotient_digit(rest, b)
        lines.append(line)
        rest -= b * digit
        if at < len(digits):
            rest = rest * 10 + int(digits[at])
    lines.append(f"→ {a // b} remainder {a % b}")
    return "\n".join(lines), (a // b, a % b)


def sort_key(numbers):
    return ",".join(map(str, sorted(numbers)))


def sort_steps(numbers, descending=False):
    """Groups by the number of digits, then selection sort: each line the numbers left and the one picked."""
    if len(numbers) > 2:
        refuse("sort", sort_key(numbers))
    groups = {}
    for number in numbers:
        groups.setdefault(len(str(number)) if number >= 0 else 0, []).append(number)
    pick, lines = max if descending else min, []
    for size in sorted(groups, reverse=descending):
        left = groups[size]
        name = "below 0" if size == 0 else "1 digit" if size == 1 else f"{size} digits"
        prefix = f"{name}, "
        while left:
            chosen = pick(left)
            lines.append(f"{prefix}{' '.join(map(str, left))}: {chosen}")
            left.remove(chosen)
            prefix = ""
    return "\n".join(lines), sorted(numbers, reverse=descending)


def compare_line(a, b):
    """Why a > b, a < b or a = b."""
    if a == b:
        return f"{a} = {b}"
    sign = ">" if a > b else "<"
    if a < 0 or b < 0:
        return f"{a} {sign} {b}"
    x, y = str(a), str(b)
    if len(x) != len(y):
        return f"{a} has {len(x)} digits, {b} has {len(y)}: {a} {sign} {b}"
    return f"{first_difference(a, b)}: {a} {sign} {b}"


def compare_steps(a, b):
    """Compares two numbers; the held-out rule is the pair's."""
    refuse_pair("cmp", a, b)
    return f"{a} and {b}: {compare_line(a, b)}".replace(" 1 digits", " 1 digit"), (a > b) - (a < b)


def extreme_steps(numbers, largest):
    """The largest or smallest of a list by one pass."""
    if len(numbers) > 2:
        refuse("sort", sort_key(numbers))
    best, lines = numbers[0], [f"{' '.join(map(str, numbers))}"]
    for number in numbers[1:]:
        sign = ">" if best > number else "<" if best < number else "="
        after = max(best, number) if largest else min(best, number)
        lines.append(f"{best} {sign} {number}: {after}")
        best = after
    return "\n".join(lines), best


def spell(word):
    return " ".join(word)


def refuse_word(word):
    refuse("word", word.lower())


def reverse_steps(word):
    """Spell the word, then spell it from the end."""
    refuse_word(word)
    return f"{word}: {spell(word)}\nBackwards: {spell(word[::-1])}", word[::-1]


def length_steps(word):
    """Number the letters."""
    refuse_word(word)
    return f"{word}: " + " ".join(f"{letter}{at}" for at, letter in enumerate(word, 1)), len(word)


def count_letter_steps(word, letter):
    """Spell the word and number the letter where it comes, whatever its case."""
    refuse_word(word)
    seen, spelled = 0, []
    for character in word.lower():
        if character == letter.lower():
            seen += 1
            character += str(seen)
        spelled.append(character)
    return f"{letter.lower()} in {word}: {' '.join(spelled)}\n→ {seen}", seen
