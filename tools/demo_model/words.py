"""Words to spell, and the names and things of word problems."""

WORDS = """
apple banana cherry grape lemon orange peach pear plum melon mango papaya strawberry blueberry raspberry blackberry cranberry
coconut tomato potato carrot onion garlic pepper pumpkin spinach lettuce cabbage broccoli mushroom bread butter cheese milk
coffee tea water juice sugar honey chocolate cookie cake candy pizza pasta noodle rice soup salad sandwich breakfast lunch
dinner kitchen window door table chair sofa bed lamp mirror carpet curtain garden flower tree grass leaf root branch forest
mountain river lake ocean sea beach island desert valley canyon bridge road street city town village country world planet
earth moon sun star sky cloud rain snow storm thunder lightning wind summer winter spring autumn season january february
march april may june july august september october november december monday tuesday wednesday thursday friday saturday
sunday morning evening night today tomorrow yesterday week month year hour minute second time clock watch calendar
computer keyboard mouse screen phone camera radio television internet network server client gateway replica engine token
stream failover baton relay race runner batch cache queue thread kernel memory processor model tensor vector matrix number
letter word sentence paragraph page book paper pencil pen eraser ruler school teacher student lesson homework question
answer library museum hospital doctor nurse police fireman farmer driver pilot sailor soldier artist singer dancer writer
king queen prince princess castle tower palace church temple house home family mother father sister brother uncle aunt
cousin grandmother grandfather baby child friend neighbor people person man woman boy girl dog cat horse cow pig sheep
goat chicken duck goose rabbit turtle snake lizard frog fish shark whale dolphin octopus spider insect butterfly
elephant giraffe lion tiger bear wolf fox deer monkey kangaroo zebra camel penguin eagle parrot owl sparrow crow
red orange yellow green blue purple violet pink brown black white gray silver golden color circle square triangle
happy sad angry tired hungry thirsty brave clever quick slow strong weak tall short long wide narrow deep shallow
heavy light bright dark clean dirty quiet loud soft hard smooth rough sweet sour bitter salty fresh rotten hot cold
warm cool early late young old new ancient modern simple difficult easy beautiful ugly rich poor cheap expensive
run walk jump swim fly climb crawl dance sing speak listen read write draw paint build break open close push pull
carry throw catch kick hit cut cook eat drink sleep wake dream think learn teach remember forget understand know believe
hope love hate like want need give take buy sell find lose win begin start finish stop continue change grow live die
mississippi tennessee alabama massachusetts california banana balloon committee bookkeeper address success process
occurrence necessary accommodate parallel raccoon coffee tattoo assess possess bubble pepper puppet giggle goggle
hello goodbye thanks welcome please sorry yes no maybe always never sometimes often usually again together alone
language english chinese python program software hardware science physics chemistry biology history music football
basketball tennis baseball soccer hockey volleyball swimming running cycling reading painting dancing cooking travel
airport airplane train station bus bicycle car truck ship boat rocket satellite engine wheel brake ticket passport
money bank market store shop office factory company business customer manager worker meeting project problem solution
intelligence artificial learning reasoning inference service available exact reliable distributed system cluster machine
""".split()

NAMES = ["Tom", "Anna", "Ben", "Mia", "Sam", "Lily", "Jack", "Emma", "Leo", "Sara", "Max", "Nina", "Paul", "Kate", "Omar", "Wei"]
ITEMS = ["apples", "books", "coins", "cards", "pencils", "stickers", "marbles", "eggs", "oranges", "stamps", "shells", "cookies",
         "flowers", "toys", "balls", "tickets", "candies", "photos"]
BOXES = ["boxes", "bags", "shelves", "rows", "baskets", "packs"]
ZH_NAMES = ["小明", "小红", "小华", "小李", "小王", "小芳", "小刚", "小美"]
ZH_ITEMS = [("个", "苹果"), ("本", "书"), ("支", "铅笔"), ("张", "卡片"), ("颗", "糖"), ("个", "鸡蛋"), ("朵", "花"), ("枚", "邮票"), ("个", "球")]

GROUPS = ["people", "children", "birds", "students", "cats", "cars", "ducks", "dogs"]

# (pattern of chat_patterns.expand, operator): {n} {m} names, {p} he or she, {a} {b} numbers, {i} things, {g} beings, {x} boxes.
PROBLEMS = [
    ("{n} has {a} {i}[ and|. {p}] [buys|gets|finds|receives|picks|makes|collects|wins] {b} more[ {i}|]. How many[ {i}|] [does {n} have|are there] [now|in total|altogether|in all]?", "+"),
    ("I have {a} {i} and [buy|get|find|win|make] {b} more. How many[ {i}|] do I have [now|in total|altogether|then]?", "+"),
    ("[If I have|I have] {a} {i} and {n} [gives me|brings me|sends me] {b} more, how many[ {i}|] do I have[ now|]?", "+"),
    ("There are {a} {g} in [the park|the room|the garden|a field|the street] and {b} more [come|arrive|join them]. How many {g} are there [now|in total|altogether]?", "+"),
    ("{n} has {a} {i} and {m} has {b}[ {i}|]. How many[ {i}|] do they have [together|in total|altogether]?", "+"),
    ("[Yesterday|On Monday|In the morning] {n} [sold|made|bought|found] {a} {i} and [today|on Tuesday|in the evening] {b}[ {i}| more|]. How many[ {i}|] [is that|are that] [in total|altogether]?", "+"),
    ("{n} is {a} years old. How old will {p} be in {b} years?", "+"),
    ("{n} has {a} {i}[ and|. {p}] [gives {b} to {m}|gives {m} {b}|gives away {b}|loses {b}|eats {b}|sells {b}|uses {b}|breaks {b}][ of them|]. How many[ {i}|] [are left|does {n} have left|remain|does {p} have left|does {n} have now]?", "-"),
    ("If I have {a} {i} and [eat|lose|sell|give away|use|break] {b}[ of them|], how many[ {i}|] [do I have left|are left|remain|do I have]?", "-"),
    ("I [have|had] {a} {i}. I [ate|lost|sold|gave away|used] {b}[ of them|]. How many[ {i}|] [do I have left|are left|remain|do I have now]?", "-"),
    ("There are {a} {g} in [the park|the room|the garden|a field|the street]. {b}[ of them|] [leave|go home|run away|go away]. How many[ {g}|] [are left|remain|stay]?", "-"),
    ("A [shirt|book|toy|game|bike] costs {a} dollars. {n} has {b} dollars. How many [more dollars|dollars more] does {p} need?", "-"),
    ("A [train|car|bus|plane|ship] [travels|drives|goes|moves] [at|] {b} [miles|km|kilometers] [per hour|an hour|each hour|every hour] for {a} hours. How far does it [go|travel|drive]?", "*"),
    ("There are {a} {x} and each [one|box|] [has|holds|contains] {b} {i}. How many[ {i}|] are there [in total|altogether|in all]?", "*"),
    ("{n} [earns|saves|gets|spends] {b} dollars [a day|every day|per day|each day]. How many dollars is that in {a} days?", "*"),
    ("If one [ticket|book|toy|game] costs {b} dollars, how much do {a} [tickets|books|toys|games] cost?", "*"),
    ("[Each of {a} {g} gets|{a} {g} each get|{a} {g} each have] {b} {i}. How many[ {i}|] [is that|are there] [in total|altogether]?", "*"),
    ("{a} {i} are [shared|divided|split] [equally|evenly|fairly] among {b} [friends|children|people]. How many[ {i}|] does each [get|one get|person get]?", "/"),
    ("If {b} [friends|children|people] share {a} {i} [equally|evenly|fairly], how many[ {i}|] does each [get|one get|person get]?", "/"),
    ("{n} has {a} {i} and buys {b} more. How many {i} does {n} have now?", "+"),
    ("{n} has {a} {i}. A friend gives {n} {b} more. How many {i} are there in all?", "+"),
    ("There are {a} red {i} and {b} blue {i}. How many {i} are there in total?", "+"),
    ("A shop sold {a} {i} on Monday and {b} on Tuesday. How many {i} did it sell altogether?", "+"),
    ("{n} collected {a} {i} and {m} collected {b}. How many {i} do they have together?", "+"),
    ("{n} read {a} pages yesterday and {b} pages today. How many pages did {n} read?", "+"),
    ("A bus drives {a} km and then {b} km. How many km is that in total?", "+"),
    ("{n} has {a} {i} and gives away {b}. How many {i} are left?", "-"),
    ("{n} had {a} {i} and lost {b} of them. How many {i} does {n} have left?", "-"),
    ("There were {a} {i} in a box. {b} were taken out. How many {i} remain?", "-"),
    ("A book has {a} pages. {n} has read {b} pages. How many pages are left?", "-"),
    ("{n} has {a} {i} and {m} has {b} {i}. How many more {i} does {n} have than {m}?", "-"),
    ("{n} has {a} dollars and spends {b} dollars. How many dollars are left?", "-"),
    ("A shop had {a} {i} and sold {b}. How many {i} are left in the shop?", "-"),
    ("There are {a} {x} with {b} {i} each. How many {i} are there in total?", "*"),
    ("{n} buys {a} {x} of {i}. Each holds {b} {i}. How many {i} is that?", "*"),
    ("One ticket costs {b} dollars. How many dollars do {a} tickets cost?", "*"),
    ("{n} reads {b} pages a day. How many pages does {n} read in {a} days?", "*"),
    ("A car drives {b} km an hour. How many km does it drive in {a} hours?", "*"),
    ("{n} shares {a} {i} equally among {b} friends. How many {i} does each friend get?", "/"),
    ("{a} {i} are packed into {x} of {b}. How many {x} are filled?", "/"),
    ("{n} has {a} {i} and puts {b} in each bag. How many bags are needed?", "/"),
    ("{a} students form groups of {b}. How many groups are there?", "/"),
]
ZH_PROBLEMS = [
    ("{n}有{a}{u}{i}，[又买了|又得到|又找到|妈妈又给了|又捡到|又做了]{b}{u}[|{i}]，[现在|]一共有[多少|几]{u}[{i}|]？", "+"),
    ("我有{a}{u}{i}，又[买了|得到|找到]{b}{u}，[我|]现在有[几|多少]{u}[{i}|]？", "+"),
    ("[公园|教室|车|操场]里有{a}个人，又来了{b}个[人|]，[现在|]一共有多少[个|]人？", "+"),
    ("树上有{a}只鸟，又飞来{b}只，现在[一共|]有[几|多少]只[鸟|]？", "+"),
    ("{n}今年{a}岁，{b}年后{n}多少岁？", "+"),
    ("{n}有{a}{u}{i}，[吃了|送人|丢了|用了|卖了|送给{m}|弄丢了|用掉|给了{m}|吃掉]{b}{u}，还[剩|剩下|有][几|多少]{u}[{i}|]？", "-"),
    ("我有{a}{u}{i}，[吃了|送人|丢了|用了|卖了|弄丢了]{b}{u}，[我|]还[剩|剩下|有][几|多少]{u}[{i}|]？", "-"),
    ("树上有{a}只鸟，飞走[了|]{b}只，还[剩|有][几|多少]只[鸟|]？", "-"),
    ("[公园|教室|车|操场]里有{a}个人，走了{b}个[人|]，还[剩|有]多少[个|]人？", "-"),
    ("[火车|汽车|飞机|轮船]每小时[行驶|走|开]{b}公里，{a}小时[行驶|走|能走|开]多少公里？", "*"),
    ("每[盒|袋|箱]有{b}{u}{i}，{a}[盒|袋|箱]一共有[多少|几]{u}[{i}|]？", "*"),
    ("{b}个[人|同学|孩子|朋友]平分{a}{u}{i}，每人[得到|分到|有][几|多少]{u}？", "/"),
    ("{n}有{a}{u}{i}，又买了{b}{u}。现在一共有多少{u}{i}？", "+"),
    ("{n}有{a}{u}{i}，{m}有{b}{u}{i}。他们一共有多少{u}{i}？", "+"),
    ("商店上午卖出{a}{u}{i}，下午卖出{b}{u}。一共卖出多少{u}{i}？", "+"),
    ("{n}昨天读了{a}页书，今天读了{b}页。一共读了多少页？", "+"),
    ("{n}有{a}{u}{i}，送给{m}{b}{u}。还剩多少{u}{i}？", "-"),
    ("盒子里有{a}{u}{i}，拿走{b}{u}，还剩多少{u}？", "-"),
    ("一本书有{a}页，{n}读了{b}页，还剩多少页没读？", "-"),
    ("{n}有{a}元钱，花了{b}元，还剩多少元？", "-"),
    ("{n}有{a}{u}{i}，{m}有{b}{u}{i}。{n}比{m}多多少{u}？", "-"),
    ("有{a}个盒子，每个盒子里有{b}{u}{i}。一共有多少{u}{i}？", "*"),
    ("{n}每天读{b}页书，{a}天一共读多少页？", "*"),
    ("一张票{b}元，买{a}张票要多少元？", "*"),
    ("把{a}{u}{i}平均分给{b}个人，每人得到多少{u}？", "/"),
    ("有{a}{u}{i}，每{b}{u}装一盒，可以装多少盒？", "/"),
]
# Two steps: the second number joins with the first sign, the third with the second.
PROBLEMS_TWO = [
    ("{n} has {a} {i}, buys {b} more and then gives away {c}. How many {i} are left?", "+-"),
    ("{n} had {a} {i}, lost {b} and then found {c}. How many {i} does {n} have now?", "-+"),
    ("There are {a} people on a bus. {b} get off and {c} get on. How many people are on the bus now?", "-+"),
    ("{n} has {a} dollars, spends {b} dollars and then {c} dollars. How many dollars are left?", "--"),
    ("There are {a} red, {b} green and {c} blue {i}. How many {i} are there?", "++"),
]
ZH_PROBLEMS_TWO = [
    ("{n}有{a}{u}{i}，又买了{b}{u}，送人{c}{u}。还剩多少{u}{i}？", "+-"),
    ("车上有{a}人，下车{b}人，上车{c}人。现在车上有多少人？", "-+"),
    ("{n}有{a}元，先花了{b}元，又花了{c}元。还剩多少元？", "--"),
]
