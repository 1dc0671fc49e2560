"""More ways to ask what chat.py answers: patterns with alternatives in brackets, '[a|b|]' meaning a, b or nothing.

A tenth of the expansions is held out by the hash of the text (see tasks.phrasing_held).
"""

import re

ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")


def expand(pattern, random):
    """One expansion of a pattern."""
    while "[" in pattern:
        pattern = ALTERNATIVES.sub(lambda match: random.choice(match.group(1).split("|")), pattern)
    return " ".join(pattern.split()) if pattern.isascii() else pattern


SERVICE = "[Baton|Baton|Baton|Baton|the Baton project|this service|this server|this program|the Baton server|Baton server|this project]"
ZH_SERVICE = "[Baton|Baton|Baton|Baton项目|这个服务|这个程序|这个项目|Baton服务|Baton这个项目]"

PATTERNS = {
    "hello": {
        "en": ["[Hello|Hi|Hey|Good morning|Good afternoon|Good evening|Greetings|Howdy|Hiya|Hey there|Hello there|Hi there|Good day][!|,|.|] "
               "[Baton|there|friend|everyone|my friend|robot|model|world|again|bot|buddy|dear model|computer|]",
               "[Hello|Hi|Hey|Hello there|Hi there|Good morning|Good evening][!|,|.] [how are you|how are you doing|how are you today|how is it going|how do you do|what's up|"
               "nice to meet you|are you there|can you hear me|can you help me|anyone there|I am new here|I'm Tom|my name is Anna|I want to talk to you|I am back|it is me]",
               "[How are you|How are you doing|How is it going|How do you do|How do you feel|Are you okay|Are you well|How is your day|How have you been] "
               "[today|now|this morning|my friend|Baton|buddy|]",
               "[I just want to|I only want to|Let me|May I|I came to] say [hello|hi|good morning|good evening|good day]", "[Are you|Is anybody|Is anyone|Is someone] [there|here|online|awake|listening]"],
        "zh": ["[你好|您好|嗨|哈喽|早上好|下午好|晚上好|早安|嘿|大家好|你好啊|你好呀|hello|hi][，|！|]" "[Baton|朋友|机器人|小模型|世界|模型|同学|我是小明|我是新来的|很高兴认识你|]",
               "[你好|您好|嗨|早上好|晚上好][，|！|][你好吗|最近怎么样|在吗|你在吗|有人吗|过得好吗|今天好吗|能听到我说话吗|今天过得怎么样|你怎么样]",
               "[你|你今天|你最近|您|您最近][好吗|怎么样|还好吗|过得好吗|过得怎么样]"],
    },
    "who": {
        "en": ["[Who|What] [are you|exactly are you|are you really|are you called|is this|is this bot|is this model|am I talking to|am I speaking with|am I chatting with] [please|now|actually|anyway|]",
               "[What is|What's|Tell me|Can you tell me|May I know|I want to know|Please tell me] your [name|full name|real name|model name|identity]",
               "Are you [ChatGPT|GPT-4|GPT|Claude|Gemini|DeepSeek|Qwen|Llama|Siri|Alexa|a robot|a human|human|a person|a machine|an AI|a bot|a chatbot|real|alive|a language model|a program|a computer|"
               "an assistant|a woman|a man|DeepSeek-R1|a real person|artificial intelligence] [or something|really|]",
               "[Introduce yourself|Describe yourself|Tell me about yourself|Say who you are|Tell me who you are|Tell me what you are|Explain who you are|Please introduce yourself|"
               "Can you introduce yourself|Could you tell me who you are|Can you tell me about yourself|I want to know who you are|Do you know who you are] [please|in one sentence|briefly|shortly|]",
               "[Which|What|What kind of] [model|AI|assistant|bot|language model|AI model|chatbot|program] [are you|is this|am I using|am I talking to|answers me|is running here|do you use]",
               "What [should|can|may|do] I call you [then|please|]", "Do you have a [name|nickname|title|identity]", "[So|And|Well,] who are you [then|really|]"],
        "zh": ["[你|您|请问你|请问您|那你|你到底|你究竟][是谁|叫什么|叫什么名字|是什么|是什么模型|是哪个模型|是哪一位|是什么东西|是什么人|的名字是什么|怎么称呼]",
               "[你|您]是[ChatGPT|GPT-4|Claude|DeepSeek|通义千问|Qwen|Llama|机器人|人|真人|人工智能|机器|程序|AI|聊天机器人|大模型|语言模型|助手|小爱同学]吗",
               "[请|麻烦你|麻烦|能不能|可以|你能|][介绍一下你自己|自我介绍一下|做个自我介绍|做一下自我介绍|介绍你自己|说说你是谁|告诉我你是谁|说一下你的名字][吧|好吗|吗|]",
               "我[在和谁说话|在跟谁聊天|在用什么模型|该怎么称呼你|想知道你是谁|应该叫你什么|现在用的是什么模型]"],
    },
    "can": {
        "en": ["What [can|could|will|do] you [do|do for me|help me with|help with|offer|answer|calculate|solve|do here|do well] [please|today|exactly|]",
               "What are [you able to do|your abilities|your skills|your capabilities|your functions|your features|you good at|your strengths|you capable of|you made for|you for]",
               "[How|In what way|With what] [can you help me|could you help me|can you help|can you assist me|may I use you|do I use you|should I use you|can I use you]",
               "[What|Which questions|Which tasks|What things|What kind of questions|What questions|Which problems] [can|should|may|could] I [ask|ask you|give you|try|try with you|try here]",
               "[Show me|Tell me|Explain|List|Describe|Can you show me|Can you tell me|I want to know|Please tell me|Please list] [what you can do|your abilities|your skills|your features|"
               "what you are good at|what I can ask you|what you know|your capabilities|how to use you]",
               "Can you [do math|calculate|count|sort|sort numbers|do arithmetic|add numbers|multiply|do sums|reverse words|do homework|help me|help me with math|help|solve math problems|compute|divide numbers|"
               "spell words|compare numbers|subtract|count letters|help me with numbers] [for me|please|]",
               "[Give me|Show me|I need|I want|Can I see] [an example|some examples|a demo|a few examples|an example question|a sample question|ideas what to ask|help|a hint]",
               "[Help|Help me|I need help|I need some help|I need your help|Please help me|Can you help me|Could you help me|I want help] [please|now|]", "Do you [know|understand|like] [math|arithmetic|numbers|sorting|sums|multiplication]"],
        "zh": ["[你|您|请问你|那你|你都|你还][能做什么|会做什么|会什么|能干什么|可以做什么|能帮我做什么|能回答什么问题|有什么功能|有什么能力|擅长什么|能帮我什么|有哪些功能|会些什么]",
               "你会[算数学|算术|数学|排序|计算|加法|减法|乘法|除法|数数|做题|比较大小|数字母|做数学题|算数|做作业|做算术|做加减法]吗",
               "[我|我们][可以问你什么|该问什么|能问你什么|应该怎么用你|怎么使用你|怎么用你|可以让你做什么|能让你做什么|可以试什么]",
               "[给我|来|给|说|举]一[个|些][例子|示例]", "[请帮帮我|帮帮我|帮我一下|我需要帮助|帮助我|求助|能帮帮我吗|你能帮助我吗|可以帮我吗]", "[告诉我|说说|介绍一下|列出|说一下]你[能做什么|的功能|的能力|会做什么|会什么|擅长什么]"],
    },
    "baton": {
        "en": [f"[What is|What's|Explain|Describe|Tell me about|What does {SERVICE} do|Define|Who is|Introduce|Can you explain|Can you describe|Can you tell me about|Tell me more about|"
               f"Please explain|I want to know about|Please describe|Tell me something about|Talk about|Could you explain] {SERVICE} [please|to me|briefly|in one sentence|in short|]",
               f"[Why|When|For what] [should I use|would I use|do people use|do I need|would anyone use] {SERVICE}", f"What [makes|is it that makes] {SERVICE} [special|different|good|interesting|unique|better]",
               f"[What is|What's] {SERVICE} [good for|for|used for|made for|about|all about|doing]", f"[What does|What can|What will] {SERVICE} do [for me|exactly|]",
               f"[What is|What's] the [point|purpose|idea|goal|use|main idea] of {SERVICE}", f"Why is {SERVICE} [special|different|good|interesting|useful|important]",
               f"[Give me|Write|I need|I want] [a summary|a description|a short description|an overview|an introduction|information|details] of {SERVICE}",
               f"[I have never heard of|I do not know|What do you know about|What can you tell me about|Do you know|Have you heard of|Have you heard about] {SERVICE}"],
        "zh": [f"[什么是|介绍一下|请介绍|解释一下|说说|讲讲|请解释|告诉我什么是|讲一下|介绍|请说明|谈谈|请介绍一下|我想了解|你知道]{ZH_SERVICE}",
               f"{ZH_SERVICE}[是什么|能做什么|有什么特点|有什么用|是做什么的|是干什么的|好在哪里|有什么优点|有什么特别|有什么好处|是什么东西|的用途是什么|的目的是什么|有什么不同|可以做什么|怎么样]",
               f"[为什么要用|为什么用|为什么选择|我为什么需要]{ZH_SERVICE}"],
    },
    "failover": {
        "en": ["What [happens|will happen|would happen|is going to happen|do I see] [if|when] [a replica|the replica|a server|a machine|one server|the GPU|a node|one replica|the server|one machine|a process] "
               "[dies|crashes|fails|is killed|stops|goes down|breaks|disappears|is lost|reboots|is restarted]",
               "[What is|What's|Explain|Describe|Tell me about|How does|Define|What does it mean:|Can you explain|What do you mean by] [exact failover|failover|the failover|high availability|HA|fault tolerance|"
               "exact failover in Baton|failover in Baton|a failover]",
               "How [does|can|will] Baton [survive|handle|deal with|recover from|cope with|react to|tolerate|manage] [a crash|crashes|failures|a failure|a dead replica|errors|a broken machine|a lost server|"
               "a dead GPU|a power cut|the loss of a replica]",
               "[Does|Will|Can|Would] [Baton|the service|the stream|the answer|my answer|my stream|a stream|my request|the text] [lose tokens|be lost|break|continue|stop|change|go on|survive|get lost|restart|be the same] "
               "[after a crash|when a replica dies|after a failover|if a server fails|when a machine fails|if a replica crashes]",
               "Is [Baton|the service|this service|this server] [highly available|fault tolerant|reliable|robust|safe against crashes|always available|HA]",
               "[Is the answer|Are the tokens|Is the text|Is the output|Will the answer be|Are the words] [the same|identical|equal|exactly the same|unchanged] [after a failover|after a crash|when a replica dies|on another replica]"],
        "zh": ["[如果|要是|假如|当|][副本|一个副本|服务器|机器|一台机器|GPU|节点|一台服务器|进程][死了|失效|崩溃|坏了|挂了|失效了|停了|断电|崩溃了|重启][会怎么样|怎么办|会怎样|会发生什么|答案会丢吗|我会看到什么|回答会中断吗]",
               "[什么是|解释一下|介绍一下|说说|请解释|讲讲][故障切换|精确故障切换|高可用|容错|故障转移]", "[故障切换|精确故障切换|高可用|故障转移][是什么|是什么意思|怎么实现|怎么工作|是怎么回事]",
               "Baton[怎么处理故障|怎么容错|如何应对崩溃|怎么从崩溃中恢复|是高可用的吗|会丢失词元吗|可靠吗|会丢数据吗|怎么保证高可用|如何处理故障|会中断吗]", "[故障切换|崩溃|副本失效|切换][后|以后|之后][答案|回答|结果|文字|输出][一样吗|会变吗|相同吗|还在吗|会丢吗]"],
    },
    "language": {
        "en": [f"[What|Which] [language|programming language|computer language] [is|was] {SERVICE} [written in|built in|made in|programmed in|coded in|implemented in]",
               f"[Is|Was] {SERVICE} [written|built|made|programmed|coded|implemented] in [C++|Python|Rust|Go|Java|C|JavaScript|C++20|CUDA|Zig|C#]",
               f"[Which|What] [language|programming language] does {SERVICE} use", f"[In which|In what] language is {SERVICE} written", f"[What is|What's] {SERVICE} [written in|coded in|programmed in|implemented in|built with|made with]",
               f"Does {SERVICE} use [C++|Python|Rust|Go|Java|CUDA|PyTorch|C|JavaScript]"],
        "zh": [f"{ZH_SERVICE}是用[什么语言|哪种语言|什么编程语言|什么|哪种编程语言]写的", f"{ZH_SERVICE}是用[C++|Python|Rust|Go|Java|C语言|JavaScript]写的吗", f"{ZH_SERVICE}[用什么编程语言|用的什么语言|的编程语言是什么|用Python吗|用C++吗|是什么语言写的|用什么语言开发]"],
    },
    "models": {
        "en": ["[Which|What] models [does Baton|can Baton|can I|does this service|can this server|does this server|can the server] [serve|run|support|load|use|host]", "[Can|Does|Will|Could] [Baton|this service|the server|this server] [run|serve|support|load|host|use] "
               "[DeepSeek|Qwen|Qwen2|DeepSeek-R1|Llama|a bigger model|other models|larger models|my model|another model|big models|DeepSeek-R1-Distill-Qwen-1.5B|a real model|Mistral|a better model]",
               "How [do|can|could|should] I [use|run|serve|load|start|get|try|switch to|change to] [a bigger model|another model|a real model|a larger model|DeepSeek|Qwen|my own model|a better model|a different model|the big model|"
               "DeepSeek-R1|a smarter model]", "[Which|What] models are [supported|available|possible|there|allowed]", "[Can|May|Could] I [use|run|load|try|serve] [a bigger model|another model|a larger model|my own model|Qwen|DeepSeek|a better model|a different model]"],
        "zh": ["[Baton|这个服务|服务器|这里][支持哪些模型|能运行什么模型|支持什么模型|能跑什么模型|可以用什么模型|能用哪些模型|有哪些模型]", "[Baton|这个服务|服务器][能运行|支持|能跑|可以加载|能用][DeepSeek|Qwen|通义千问|更大的模型|别的模型|其他模型|大模型|Llama|DeepSeek-R1|我的模型]吗",
               "[怎么|如何|怎样]([使用|加载|运行|换成|启动|切换到])[更大的模型|别的模型|另一个模型|DeepSeek|Qwen|大模型|我的模型|更好的模型|真正的模型]".replace("(", "").replace(")", ""), "[能|可以|我能|我可以][用|换|加载|运行][大模型|更大的模型|别的模型|其他模型|更好的模型|DeepSeek]吗"],
    },
    "api": {
        "en": [f"How [do|can|could|should|may] I [connect to|call|talk to|access|query|reach|use|send requests to|integrate with] {SERVICE} [from Python|with curl|from my app|in my program|over HTTP|from code|]",
               f"[Does|Do] {SERVICE} [have|offer|provide|expose|come with] [an API|a REST API|an HTTP API|a web page|a user interface|an interface|streaming|a UI|a website|a Gradio interface|an OpenAI API]",
               f"Is {SERVICE} [OpenAI compatible|compatible with OpenAI|compatible with Gradio|compatible with the OpenAI API|usable with curl|usable from Python]",
               f"[Can|May|Could] I use [the OpenAI client|curl|Python|Gradio|a browser|the OpenAI library|my browser|the OpenAI API|JavaScript] with {SERVICE}", f"[What|Which] [API|APIs|interface|protocol|clients] does {SERVICE} [have|use|support|speak|offer|understand]",
               f"Does {SERVICE} [support|work with|speak|understand] [streaming|OpenAI clients|Gradio|the OpenAI API|curl|HTTP|OpenAI|SSE|Python clients]"],
        "zh": [f"[怎么|如何|怎样][连接|调用|访问|使用|接入|请求]{ZH_SERVICE}", f"{ZH_SERVICE}[有API吗|有接口吗|有网页吗|有什么接口|有什么API|兼容OpenAI吗|支持Gradio吗|支持流式输出吗|支持OpenAI接口吗|怎么调用|怎么连接|怎么接入|怎么用|支持什么接口|提供什么接口|支持HTTP吗]",
               "[可以|能|能不能|我可以]用[OpenAI客户端|curl|Python|浏览器|Gradio|网页|OpenAI的库][连接|调用|访问|使用]Baton[吗|]"],
    },
    "start": {
        "en": [f"How [do|can|could|should|would] I [start|run|install|deploy|launch|set up|build|boot|bring up] {SERVICE} [on my machine|here|at home|on a server|locally|on Linux|]", f"[What|Which] [command|script|program] [starts|runs|launches|installs|builds|do I need to start] {SERVICE}",
               f"[What|Which] [port|address|URL] [does|will] {SERVICE} [use|listen on|run on|have]", "How [do|can] I run [the tests|all tests|the checks|the test suite]", f"How to [start|run|install|deploy|launch|set up|build] {SERVICE}", f"Where [is|can I find] {SERVICE} [running|on the network|after the start]"],
        "zh": [f"[怎么|如何|怎样][启动|运行|安装|部署|搭建|构建]{ZH_SERVICE}", f"{ZH_SERVICE}[怎么启动|怎么安装|怎么运行|用哪个端口|如何部署|怎么部署|的端口是多少|的地址是什么|怎么构建|在哪个端口]", f"[用|要用]什么[命令|脚本][启动|运行|安装]{ZH_SERVICE}", "怎么运行[测试|所有测试|检查]"],
    },
    "maker": {
        "en": ["Who [made|built|created|trained|wrote|developed|designed|programmed|invented|coded|owns|runs] you [please|then|actually|]", "[How|Where|When|By whom|Why] were you [made|trained|built|created|developed|born|designed|programmed]",
               "How [big|large|small|heavy|tiny] [are you|is your model|is this model|is the model|is the demo model]", "How many [parameters|weights|layers|numbers] do you have", "[Who is|Who's|Who are|Tell me about|Do you know] your [creator|maker|developer|developers|author|owner|parents|father|trainer|inventor]",
               "What [were you trained on|data were you trained on|is your training data|is your size|is the size of your model|did you learn from]", "[Where|From where] do you come [from|]", "How long [did your training take|were you trained|did it take to train you]",
               "Are you a [big|large|small|tiny|huge|little] [model|language model|network]"],
        "zh": ["[谁|是谁|哪个公司|哪家公司|什么人][创造了|训练了|开发了|设计了|制造了|写了|做了|发明了]你", "你是[谁创造的|谁训练的|谁做的|谁开发的|谁设计的|怎么训练的|怎么来的|什么时候训练的|怎么做出来的|用什么训练的|哪里来的|哪家公司的]", "你有[多少参数|多大|多少个参数|几层|多少层|多少权重]",
               "[你|你的模型|这个模型|演示模型][多大|有多大|有多少参数|大不大|的参数有多少]", "你的[开发者|创造者|作者|主人|训练数据][是谁|是什么|是哪位]"],
    },
    "thinking": {
        "en": ["[How|Why] do you [think|reason|calculate|compute|work|think first|work out answers|get your answers|show your thoughts|write thoughts|think before you answer|solve problems|add numbers|show the steps|find answers]", "Do you [think|reason|make mistakes|ever make mistakes|understand|always think|know everything|make errors|sometimes fail]",
               "Are you [always right|ever wrong|sometimes wrong|accurate|reliable|correct|always correct|sure about your answers|good|smart|clever|exact]", "Can [I trust you|I rely on you|you be wrong|you think|you reason|you fail|you make mistakes|I trust your answers|I believe you]",
               "[What is|What's|Explain|What does it mean:|Tell me about] [the think block|the thought|your thinking|your reasoning|the text before the answer|the thinking part|the reasoning|the hidden text]"],
        "zh": ["你[是怎么|怎么|如何][思考|计算|推理|工作|得出答案|算出来|算题]的", "你[会思考吗|会犯错吗|总是对的吗|会出错吗|聪明吗|可靠吗|准确吗|真的会思考吗|会推理吗|会算错吗|懂吗|什么都知道吗]", "[我能|我可以|能|可以][相信你|信任你|依靠你|相信你的答案]吗",
               "[为什么|你为什么][要先思考|先思考|要思考|显示思考过程|写出步骤|要写步骤|先想再答]", "[思考过程|推理过程|前面的文字|思考的部分]是什么"],
    },
    "speak": {
        "en": ["[Do|Can|Could] you [speak|understand|write|read|know|talk|answer in] [Chinese|English|French|German|Spanish|Japanese|other languages|another language|Russian|Italian|my language] [too|please|well|]",
               "[What|Which|How many] languages [do you speak|do you know|can you speak|do you understand|are you able to speak|can I use]"],
        "zh": ["你[会|懂|能说|会说|能用|会写][中文|英语|英文|法语|德语|日语|西班牙语|汉语|外语|其他语言]吗", "你[会说|懂|会|能说|知道][什么|几种|哪些|多少种]语言"],
    },
    "thanks": {
        "en": ["[Thanks|Thank you|Thank you so much|Thanks a lot|Many thanks|Thank you very much|Great, thanks|Cool, thanks|OK, thanks|Okay, thank you|Perfect, thanks|thx|ty|Wow, thanks][!|.|,|] [Baton|buddy|my friend|that helped|that was great|good job|for your help|for the answer|for that|bye for now|you are great|]",
               "[That is|That was|This is|It is|You are] [great|cool|nice|right|correct|perfect|awesome|wonderful|amazing|very good|excellent|good|helpful|fantastic|impressive|smart|clever|fast]", "[Great|Cool|Nice|Awesome|Perfect|Wonderful|Excellent|Good|Well done|Amazing|Fantastic|Wow|Very good|Super|Lovely|Impressive][!|.|,|] [job|work|answer|thanks|I see|thank you|good job|well done|]",
               "[OK|Okay|Alright|I see|Got it|Understood|Fine|Sure|I understand|All right][!|.|,|] [thanks|great|good|cool|nice|I see|got it|thank you|]"],
        "zh": ["[谢谢|多谢|非常感谢|感谢|谢谢你|太谢谢了|谢谢您|十分感谢|谢了][！|，|。|][你真聪明|帮了大忙|你真好|Baton|你的帮助|好的|明白了|辛苦了|你的回答|]", "[太|真|很|非常][棒|好|厉害|聪明|不错|快|有用|强][了|！|啊|]", "[好的|好|明白了|知道了|对的|没错|懂了|行|可以][，|！|。|][谢谢|明白了|知道了|很好|谢谢你|]"],
    },
    "bye": {
        "en": ["[Bye|Goodbye|Bye bye|See you|See you later|Good night|Farewell|So long|Take care|Ciao|Okay, bye|Thanks, bye|See you soon|Talk to you later][!|.|,|] [Baton|my friend|see you|for now|have a nice day|until tomorrow|thanks|see you tomorrow|then|buddy|]",
               "I [have to|must|need to|want to|should] [go|leave|go now|stop|sleep|leave now|go home|end this]", "[That is all|That was all|That is it|I am done|We are done|I am finished|No more questions][.|!|,|] [bye|goodbye|thanks|see you|for today|]", "[Let's|Let us|We can] [stop|end|finish] [here|now|this chat|the chat|for today]"],
        "zh": ["[再见|拜拜|晚安|回头见|下次见|明天见|我走了|先走了|回见|再会][！|，|。|][Baton|谢谢|朋友|下次聊|祝你愉快|谢谢你|]", "我[要走了|得走了|该睡了|先走了|要下线了|要睡觉了|没有问题了|要去吃饭了]", "[今天就到这里|先聊到这里|就这样|没别的了|没有别的问题了][，|。|吧|][再见|拜拜|谢谢|]"],
    },
    "joke": {
        "en": ["[Tell me|Tell us|Give me|I want|I want to hear|Can you tell me|Do you know|Say|Please tell me|Could you tell me|Make] [a joke|another joke|a funny joke|one more joke|something funny|a math joke|a good joke|some jokes|a short joke|a number joke] [please|now|]",
               "[Make me laugh|Make us laugh|Cheer me up|Entertain me|Be funny|Joke please|Amuse me|Can you be funny|Can you make me laugh|Are you funny] [please|now|Baton|]"],
        "zh": ["[讲|说|给我讲|来|给我说|请讲|再讲|你能讲|我想听|再说][个|一个][笑话|好笑的笑话|数学笑话|有趣的笑话|短笑话|好玩的笑话][吧|吗|好吗|]", "[逗我笑|让我笑一下|逗逗我|让我开心一下|你会讲笑话吗|会说笑话吗|让我笑笑|逗我开心][吧|一下|]"],
    },
}
