"""The ways in which people ask: templates in English and Chinese, and small surface changes.

In the templates {e} is an expression, {a} {b} {c} numbers, {l} a list, {w} a word, {k} a letter.
"""

import re

ASK = {
    "en": [
        "What is {e}?", "What is {e}?", "What is {e}?", "What's {e}?", "what is {e}", "{e}", "{e}", "{e} = ?", "{e} =",
        "{e}=", "{e}=?", "{e}?", "Calculate {e}.", "Compute {e}.", "Work out {e}.", "Evaluate {e}.", "Solve {e}.",
        "How much is {e}?", "Can you calculate {e}?", "Could you work out {e} for me?", "Compute {e}", "Tell me {e}.",
        "What does {e} equal?", "What do you get for {e}?", "I need {e}.", "Find {e}.", "Find the value of {e}.",
        "Give me the answer to {e}.", "Do you know what {e} is?", "{e} equals what?", "What is the answer to {e}?",
        "Think step by step: {e}", "Help me with {e}.", "Result of {e}?", "What is the value of {e}?", "Let's do {e}.",
        "My homework says {e}.", "Quick: {e}", "math: {e}", "Q: {e}", "Can you do {e}?", "How about {e}?", "whats {e}",
        "Solve this: {e}", "Solve {e} step by step.", "I want to know {e}.", "What would {e} be?", "And what is {e}?",
        "What is the result of {e}?", "Please calculate: {e}", "Show me {e}.", "Try {e}.", "calc {e}", "Question: what is {e}?",
        "Can you tell me what {e} is?", "What will {e} give?", "how much is {e}", "Do the math: {e}", "Explain {e}.",
    ],
    "zh": [
        "{e}等于多少？", "{e}等于多少？", "{e}是多少？", "{e}=？", "{e}", "{e}=", "计算{e}。", "请计算{e}。", "算一下{e}", "帮我算{e}",
        "请问{e}等于几？", "{e}得多少？", "求{e}的值。", "你知道{e}等于多少吗？", "{e}的结果是什么？", "一步一步算：{e}", "{e}等于几",
        "请帮我算一下{e}。", "我想知道{e}是多少。", "{e}的答案是多少？", "告诉我{e}等于多少。", "能算一下{e}吗？", "那{e}呢？", "计算：{e}",
        "问题：{e}是多少？", "{e}怎么算？", "麻烦算一下{e}，谢谢。", "你会算{e}吗？", "{e}结果是？",
    ],
}

ASK_PAIR = {
    ("+", "en"): ["Add {a} and {b}.", "Add {a} to {b}.", "What is the sum of {a} and {b}?", "Find the sum of {a} and {b}.",
                  "the sum of {a} and {b}", "Sum {a} and {b}.", "{a} and {b} together make what?", "Add up {a} and {b}.",
                  "What do {a} and {b} add up to?", "Can you add {a} and {b}?", "What is {a} added to {b}?",
                  "What is {b} more than {a}?", "Increase {a} by {b}.", "What is the total of {a} and {b}?"],
    ("+", "zh"): ["{a}与{b}的和是多少？", "{a}和{b}的和", "求{a}与{b}的和。", "把{a}和{b}加起来。", "{a}和{b}相加等于多少？",
                  "{a}、{b}之和是多少？", "比{a}多{b}的数是多少？"],
    ("-", "en"): ["Subtract {b} from {a}.", "Take {b} away from {a}.", "What is {b} less than {a}?", "What is {a} take away {b}?",
                  "What is left if I take {b} from {a}?", "Can you subtract {b} from {a}?", "Decrease {a} by {b}.",
                  "What is {b} subtracted from {a}?", "Take {b} from {a}.", "Reduce {a} by {b}."],
    ("-", "zh"): ["从{a}里减去{b}等于多少？", "{a}减掉{b}还剩多少？", "{a}比{b}多多少？", "比{a}少{b}的数是多少？", "从{a}中减去{b}。"],
    ("diff", "en"): ["What is the difference between {a} and {b}?", "Find the difference between {a} and {b}.",
                     "the difference of {a} and {b}", "How much bigger is {a} than {b}?", "How much more is {a} than {b}?"],
    ("diff", "zh"): ["{a}和{b}的差是多少？", "求{a}与{b}的差。", "{a}与{b}相差多少？"],
    ("*", "en"): ["Multiply {a} by {b}.", "Multiply {a} and {b}.", "What is the product of {a} and {b}?",
                  "Find the product of {a} and {b}.", "the product of {a} and {b}", "Can you multiply {a} by {b}?",
                  "What do you get if you multiply {a} by {b}?", "How much is {a} times {b}?", "What are {a} times {b}?",
                  "Multiply {a} with {b}."],
    ("*", "zh"): ["{a}与{b}的积是多少？", "{a}和{b}的乘积", "求{a}与{b}的积。", "{a}和{b}相乘等于多少？", "{a}的{b}倍是多少？", "{b}个{a}是多少？"],
    ("/", "en"): ["Divide {a} by {b}.", "What is {a} divided by {b}?", "How many times does {b} go into {a}?", "Can you divide {a} by {b}?",
                  "Find {a} divided by {b}.", "What do you get if you divide {a} by {b}?", "What is the quotient of {a} and {b}?",
                  "Divide {a} by {b} and give the remainder.", "Split {a} into {b} equal parts."],
    ("/", "zh"): ["{a}除以{b}的商是多少？", "用{a}除以{b}。", "把{a}平均分成{b}份，每份多少？", "{a}除以{b}，商和余数是多少？", "{a}里有几个{b}？"],
    ("%", "en"): ["What is the remainder when {a} is divided by {b}?", "What is {a} mod {b}?", "{a} mod {b}", "{a} % {b}",
                  "Remainder of {a} / {b}?", "Find the remainder of {a} divided by {b}.", "{a} modulo {b}"],
    ("%", "zh"): ["{a}除以{b}的余数是多少？", "{a}除以{b}余几？", "{a} mod {b}等于多少？"],
    ("square", "en"): ["What is {a} squared?", "{a} squared", "{a}^2", "What is the square of {a}?", "Square {a}.", "Compute {a}^2."],
    ("square", "zh"): ["{a}的平方是多少？", "{a}的平方", "{a}^2等于多少？"],
    ("double", "en"): ["What is twice {a}?", "Double {a}.", "What is the double of {a}?", "double {a}"],
    ("double", "zh"): ["{a}的两倍是多少？", "{a}翻一倍是多少？"],
    ("percent", "en"): ["What is {a}% of {b}?", "{a}% of {b}", "Calculate {a}% of {b}.", "How much is {a} percent of {b}?", "What is {a} percent of {b}?", "Find {a}% of {b}."],
    ("percent", "zh"): ["{b}的{a}%是多少？", "{b}的{a}%", "求{b}的{a}%。", "{b}的百分之{a}是多少？"],
    ("half", "en"): ["What is half of {a}?", "Half of {a}?", "Halve {a}.", "half of {a}"],
    ("half", "zh"): ["{a}的一半是多少？", "{a}的一半"],
}

# How an operator may be written inside an expression; weights by repetition.
OPERATORS = {
    ("+", "en"): ["+"] * 8 + ["plus"] * 4 + ["＋", "and"],
    ("+", "zh"): ["+"] * 5 + ["加"] * 4 + ["加上", "＋"],
    ("-", "en"): ["-"] * 8 + ["minus"] * 4 + ["−", "–", "less", "take away"],
    ("-", "zh"): ["-"] * 5 + ["减"] * 4 + ["减去", "−", "－"],
    ("*", "en"): ["*"] * 8 + ["x"] * 3 + ["×"] * 3 + ["times"] * 4 + ["multiplied by", "X", "·"],
    ("*", "zh"): ["*"] * 4 + ["×"] * 3 + ["乘以"] * 4 + ["乘"] * 2 + ["x"],
    ("/", "en"): ["/"] * 8 + ["÷"] * 3 + ["divided by"] * 4 + ["over", ":"],
    ("/", "zh"): ["/"] * 4 + ["÷"] * 3 + ["除以"] * 5,
}
WORD_OPERATORS = {"plus", "and", "minus", "less", "take away", "times", "multiplied by", "divided by", "over"}

SUM_LIST = {
    "en": ["Add {l}.", "What is the sum of {l}?", "Sum {l}.", "Add up {l}.", "Find the total of {l}.", "sum of {l}",
           "What do {l} add up to?", "Add these numbers: {l}", "Total: {l}"],
    "zh": ["求{l}的和。", "{l}的和是多少？", "把{l}加起来。", "{l}加起来是多少？", "把这些数加起来：{l}", "{l}一共是多少？"],
}

SORT = {
    ("up", "en"): ["Sort {l}", "Sort {l}.", "Sort {l} in ascending order.", "Sort these numbers: {l}", "sort: {l}", "Put {l} in order.",
                   "Order {l} from smallest to largest.", "Arrange {l} in ascending order.", "Sort the numbers {l}.",
                   "Can you sort {l}?", "Please sort the list {l}.", "Sort {l} from smallest to biggest.", "order {l}",
                   "Arrange from least to greatest: {l}", "Sort {l} from low to high.", "Sort the following numbers: {l}",
                   "List {l} in increasing order.", "Rank {l} from lowest to highest.", "Sort this list: {l}", "sort {l} ascending",
                   "I need {l} sorted.", "What is {l} in order?", "Put these numbers in order: {l}"],
    ("down", "en"): ["Sort {l} in descending order.", "Sort {l} from largest to smallest.", "Order {l} from biggest to smallest.",
                     "Arrange {l} in descending order.", "Sort {l} descending.", "Sort these numbers from high to low: {l}",
                     "List {l} in decreasing order.", "Rank {l} from highest to lowest.", "Sort {l} backwards, largest first.",
                     "Sort in descending order: {l}", "Put {l} in order from greatest to least.", "reverse sort {l}"],
    ("up", "zh"): ["把{l}排序。", "把{l}从小到大排列。", "排序：{l}", "请将{l}从小到大排序。", "给{l}排序", "{l}从小到大怎么排？",
                   "对{l}进行排序。", "将下列数字排序：{l}", "请排序{l}", "把这些数从小到大排：{l}", "将{l}按升序排列。", "从小到大排列：{l}"],
    ("down", "zh"): ["把{l}从大到小排列。", "请将{l}从大到小排序。", "{l}从大到小怎么排？", "将{l}按降序排列。", "从大到小排列：{l}", "从大到小排序：{l}",
                     "把这些数从大到小排：{l}"],
}

EXTREME = {
    ("max", "en"): ["What is the largest of {l}?", "Which is the largest: {l}?", "Find the maximum of {l}.", "max of {l}", "What is the max of {l}?",
                    "Which number is biggest: {l}?", "What's the biggest number in {l}?", "Find the largest number: {l}", "max({l})",
                    "Which of {l} is the greatest?", "the maximum of {l}", "What is the highest number among {l}?"],
    ("min", "en"): ["What is the smallest of {l}?", "Which is the smallest: {l}?", "Find the minimum of {l}.", "min of {l}", "What is the min of {l}?",
                    "Which number is smallest: {l}?", "What's the smallest number in {l}?", "Find the smallest number: {l}", "min({l})",
                    "Which of {l} is the least?", "the minimum of {l}", "What is the lowest number among {l}?"],
    ("max", "zh"): ["{l}中最大的是哪个？", "{l}里最大的数是多少？", "求{l}的最大值。", "找出{l}中最大的数。", "哪个数最大：{l}？", "{l}哪个最大？"],
    ("min", "zh"): ["{l}中最小的是哪个？", "{l}里最小的数是多少？", "求{l}的最小值。", "找出{l}中最小的数。", "哪个数最小：{l}？", "{l}哪个最小？"],
}

COMPARE = {
    ("larger", "en"): ["Which is larger, {a} or {b}?", "Which is bigger: {a} or {b}?", "Which number is greater, {a} or {b}?", "What is bigger, {a} or {b}?",
                       "Compare {a} and {b}.", "{a} or {b}, which is larger?", "compare {a} with {b}", "Which is more, {a} or {b}?",
                       "Which one is bigger, {a} or {b}?", "{a} vs {b}: which is greater?"],
    ("smaller", "en"): ["Which is smaller, {a} or {b}?", "Which number is less, {a} or {b}?", "What is smaller, {a} or {b}?",
                        "{a} or {b}, which is smaller?", "Which one is smaller: {a} or {b}?", "Which is less, {a} or {b}?"],
    ("larger", "zh"): ["{a}和{b}哪个大？", "{a}和{b}哪个更大？", "比较{a}和{b}。", "{a}与{b}谁大？", "哪个更大，{a}还是{b}？", "比较一下{a}和{b}的大小。"],
    ("smaller", "zh"): ["{a}和{b}哪个小？", "{a}和{b}哪个更小？", "{a}与{b}谁小？", "哪个更小，{a}还是{b}？"],
    (">", "en"): ["Is {a} greater than {b}?", "Is {a} larger than {b}?", "Is {a} > {b}?", "is {a} bigger than {b}", "Is {a} more than {b}?"],
    ("<", "en"): ["Is {a} less than {b}?", "Is {a} smaller than {b}?", "Is {a} < {b}?", "is {a} lower than {b}"],
    (">", "zh"): ["{a}大于{b}吗？", "{a}比{b}大吗？", "{a}是不是比{b}大？"],
    ("<", "zh"): ["{a}小于{b}吗？", "{a}比{b}小吗？", "{a}是不是比{b}小？"],
}

FACTS = {
    ("parity", "en"): ["Is {a} even or odd?", "Is {a} odd or even?", "Is {a} an even number?", "Is {a} odd?", "Is {a} even?", "Is the number {a} odd or even?", "Tell me if {a} is even or odd."],
    ("parity", "zh"): ["{a}是奇数还是偶数？", "{a}是偶数吗？", "{a}是奇数吗？", "{a}是偶数还是奇数？", "判断{a}是奇数还是偶数。"],
    ("next", "en"): ["What comes after {a}?", "What number comes after {a}?", "What is the number after {a}?", "What is the next number after {a}?", "Which number follows {a}?"],
    ("next", "zh"): ["{a}的后一个数是多少？", "{a}后面是几？", "{a}的下一个数是什么？", "{a}之后是多少？"],
    ("previous", "en"): ["What comes before {a}?", "What number comes before {a}?", "What is the number before {a}?", "Which number is just before {a}?"],
    ("previous", "zh"): ["{a}的前一个数是多少？", "{a}前面是几？", "{a}的上一个数是什么？", "{a}之前是多少？"],
    ("count", "en"): ["Count from {a} to {b}.", "count from {a} to {b}", "Can you count from {a} to {b}?", "List the numbers from {a} to {b}.", "Count up from {a} to {b}.", "Write the numbers from {a} to {b}."],
    ("count", "zh"): ["从{a}数到{b}。", "请从{a}数到{b}", "列出从{a}到{b}的数。", "从{a}数到{b}可以吗？"],
    ("count to", "en"): ["Count to {b}.", "count to {b}", "Can you count to {b}?", "Please count to {b}.", "Count up to {b}.", "Count till {b}."],
    ("count to", "zh"): ["数到{b}。", "请数到{b}", "你能数到{b}吗？", "从一数到{b}。"],
    ("down", "en"): ["Count down from {a} to {b}.", "Count backwards from {a} to {b}.", "count down from {a} to {b}", "Can you count down from {a} to {b}?"],
    ("down", "zh"): ["从{a}倒数到{b}。", "请从{a}倒数到{b}", "从{a}往回数到{b}。"],
    ("divisible", "en"): ["Is {a} divisible by {b}?", "Can {a} be divided by {b}?", "Is {a} a multiple of {b}?", "Does {b} divide {a}?", "Is {b} a factor of {a}?"],
    ("divisible", "zh"): ["{a}能被{b}整除吗？", "{a}是{b}的倍数吗？", "{b}能整除{a}吗？", "{b}是{a}的因数吗？"],
}

REVERSE = {
    "en": ["Reverse {w}", "Reverse the word {w}.", "Reverse {w}.", "Spell {w} backwards.", "What is {w} backwards?", "Write {w} backwards.",
           "reverse the letters of {w}", "Can you reverse {w}?", "What is the reverse of {w}?", "Reverse the string {w}.",
           "Reverse the letters in {w}.", "{w} reversed", "{w} backwards", "Spell {w} in reverse.", "Turn {w} around.", "How do you spell {w} backwards?"],
    "zh": ["把{w}倒过来写。", "把{w}反过来。", "反转{w}", "将单词{w}反转。", "{w}倒过来是什么？", "{w}反过来怎么写？", "倒着写{w}", "把单词{w}的字母倒过来。"],
}
SPELL = {
    ("spell", "en"): ["Spell {w}", "Spell {w}.", "Spell the word {w}.", "How do you spell {w}?", "Can you spell {w}?", "spell out {w}", "What is the spelling of {w}?", "What letters are in {w}?",
                      "List the letters of {w}."],
    ("spell", "zh"): ["拼写{w}", "{w}怎么拼写？", "拼一下{w}", "单词{w}怎么拼？", "列出{w}的字母。"],
    ("first", "en"): ["What is the first letter of {w}?", "What letter does {w} start with?", "Which letter does {w} begin with?", "first letter of {w}", "What's the first letter in {w}?"],
    ("first", "zh"): ["{w}的第一个字母是什么？", "{w}的首字母是什么？", "{w}以什么字母开头？"],
    ("last", "en"): ["What is the last letter of {w}?", "What letter does {w} end with?", "Which letter does {w} end in?", "last letter of {w}", "What's the last letter in {w}?"],
    ("last", "zh"): ["{w}的最后一个字母是什么？", "{w}以什么字母结尾？"],
}
LENGTH = {
    "en": ["How many letters are in {w}?", "How many letters are in the word {w}?", "How many letters does {w} have?", "Count the letters in {w}.",
           "What is the length of {w}?", "How long is the word {w}?", "letters in {w}?", "number of letters in {w}", "How many characters are in {w}?",
           "Count the letters of the word {w}."],
    "zh": ["{w}有几个字母？", "单词{w}有多少个字母？", "数一数{w}有几个字母。", "{w}的长度是多少？", "{w}这个单词有几个字母？", "{w}一共有多少个字母？"],
}
COUNT = {
    "en": ["How many {k}'s are in {w}?", "How many {k} are in {w}?", "How many times does {k} appear in {w}?", "Count the {k}'s in {w}.",
           "How many {k}s are there in {w}?", "How many letters {k} are in {w}?", "How many {k}'s are in the word {w}?", "Count the letter {k} in {w}.",
           "count {k} in {w}", "How often does the letter {k} occur in {w}?", "How many {k} in {w}", "number of {k} in {w}",
           "How many times is the letter {k} in the word {w}?"],
    "zh": ["{w}里有几个{k}？", "单词{w}中有多少个{k}？", "{w}中{k}出现了几次？", "数一数{w}里有几个字母{k}。", "{w}里面有多少个字母{k}？", "{k}在{w}里出现几次？"],
}

LIST_JOINERS = {"en": [", ", ", ", ", ", ",", " ", " and "], "zh": ["、", "，", ", ", ",", " ", "和"]}

PREFIXES = {
    "en": ["Please ", "please ", "Hey, ", "Hi! ", "Hello! ", "Hi, ", "OK, ", "Can you help? ", "Hey Baton, ", "Now: ", "Ok. ", "So, ", "Hello Baton! ",
           "I have a question. ", "Next: ", "Hmm, ", "Thanks! "],
    "zh": ["请", "请问，", "你好，", "你好！", "好的，", "帮个忙：", "嗨，", "那么，", "谢谢！", "我有一个问题：", "Baton，"],
}
SUFFIXES = {
    "en": [" please", " Please.", " Thanks!", " thanks", " Thank you.", " :)", " Show your work.", " Think step by step.", " Step by step, please.",
           " Just the answer.", " pls", "\n", " "],
    "zh": ["谢谢", "谢谢！", " 谢谢。", "请一步一步来。", "\n", " "],
}

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
        "nineteen").split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
ZH_DIGITS = "零一二三四五六七八九"


def number_words(number, language):
    """A number from 0 to 99 in words."""
    if language == "zh":
        tens, ones = divmod(number, 10)
        if tens == 0:
            return ZH_DIGITS[ones]
        return ("" if tens == 1 else ZH_DIGITS[tens]) + "十" + (ZH_DIGITS[ones] if ones else "")
    if number < 20:
        return ONES[number]
    return TENS[number // 10] + ("-" + ONES[number % 10] if number % 10 else "")


def misspell(text, random):
    """Two letters swapped, or one lost, in one of the longer words."""
    found = [match.start() for match in re.finditer(r"[a-zA-Z]{4,}", text)]
    if not found:
        return text
    at = random.choice(found) + random.randint(0, 2)
    if random.random() < 0.5:
        return text[:at] + text[at + 1] + text[at] + text[at + 2:]
    return text[:at] + text[at + 1:]


def vary(text, language, random):
    """Surface changes: a polite word before or after, case, the last mark."""
    roll = random.random()
    if roll < 0.10:
        text = random.choice(PREFIXES[language]) + text
    elif roll < 0.18:
        text = text + random.choice(SUFFIXES[language])
    roll = random.random()
    if roll < 0.18:
        text = text.lower()
    elif roll < 0.21:
        text = text.upper()
    elif roll < 0.26:
        text = text[:1].lower() + text[1:]
    if random.random() < 0.025:
        text = misspell(text, random)
    roll = random.random()
    if roll < 0.22:
        text = text.rstrip("?.!？。！")
    elif roll < 0.25:
        text = text.rstrip(".。") + random.choice("?.!") if language == "en" else text.replace("？", "?").replace("。", ".")
    return text
