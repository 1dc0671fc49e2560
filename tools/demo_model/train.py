"""Trains the demo model on one GPU within a time budget, then saves and checks it.

    python3 train.py --out OUT --tokenizer models/demo --minutes 8 [--per-task 300] [--sample-per-task 100]

Data are made by worker processes while the GPU runs; the learning rate follows the clock, so the run always ends on time.
Writes OUT/model.safetensors, config.json, generation_config.json and report.json.
"""

import argparse
import json
import multiprocessing
import os
import queue
import sys
import threading
import time
from pathlib import Path

import generate
import make_eval
import score
import tasks
from tokenizer import LETTERWISE, Tokenizer

CONFIG = {
    "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": None, "eos_token_id": None, "hidden_act": "silu",
    "hidden_size": 256, "initializer_range": 0.02, "intermediate_size": 640, "max_position_embeddings": 2048, "max_window_layers": 7,
    "model_type": "qwen2", "num_attention_heads": 4, "num_hidden_layers": 7, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
    "rope_theta": 10000, "sliding_window": 2048, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "transformers_version": "4.44.0",
    "use_cache": True, "use_mrope": False, "use_sliding_window": False, "vocab_size": None,
}
# Rows and tokens of a batch: three batches of short rows, then one of long rows up to the full context.
SHORT, LONG, CYCLE = (128, 512), (32, 2048), 4


def batch_shape(index):
    return LONG if index % CYCLE == CYCLE - 1 else SHORT


def make_batches(worker, workers, seed, tokenizer_path, out):
    """Worker process: batches worker, worker + workers, … in order."""
    tokenizer = Tokenizer.load(tokenizer_path)
    tasks.Spelling.learn(tokenizer.vocab)
    encoder = generate.Encoder(tokenizer)
    index = worker
    while True:
        out.put(generate.batch(encoder, seed, index, *batch_shape(index)).tobytes())
        index += workers


class Feed:
    """Batches in order of their index from worker processes, turned into pinned tensors by a thread."""

    def __init__(self, workers, seed, tokenizer_path):
        context = multiprocessing.get_context("spawn")
        self.queues = [context.Queue(maxsize=6) for _ in range(workers)]
        self.processes = [context.Process(target=make_batches, args=(i, workers, seed, tokenizer_path, q), daemon=True)
                          for i, q in enumerate(self.queues)]
        for process in self.processes:
            process.start()
        self.ready = queue.Queue(maxsize=16)

    def start_thread(self):
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        import numpy
        import torch
        index = 0
        while True:
            raw = self.queues[index % len(self.queues)].get()
            tokens = numpy.frombuffer(raw, dtype=numpy.uint16).astype(numpy.int32).reshape(batch_shape(index))
            self.ready.put(torch.from_numpy(tokens).pin_memory())
            index += 1

    def next(self):
        return self.ready.get()

    def stop(self):
        for process in self.processes:
            process.terminate()


def define_model(torch, config):
    """The Qwen2 network in PyTorch, with Hugging Face's parameter names."""
    nn, functional = torch.nn, torch.nn.functional
    hidden, heads, groups = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    head = hidden // heads
    epsilon = config["rms_norm_eps"]

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(hidden))

        def forward(self, x):
            wide = x.float()
            return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + epsilon) * self.weight).to(x.dtype)

    def rotate(x, cosine, sine):
        """x [rows, heads, tokens, head]; the two halves of a head are the pair."""
        left, right = x.float().chunk(2, -1)
        return torch.cat((left * cosine - right * sine, right * cosine + left * sine), -1).to(x.dtype)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.q_proj, self.k_proj, self.v_proj = nn.Linear(hidden, heads * head), nn.Linear(hidden, groups * head), nn.Linear(hidden, groups * head)
            self.o_proj = nn.Linear(heads * head, hidden, bias=False)

        def forward(self, x, cosine, sine):
            rows, tokens, _ = x.shape
            q = rotate(self.q_proj(x).view(rows, tokens, heads, head).transpose(1, 2), cosine, sine)
            k = rotate(self.k_proj(x).view(rows, tokens, groups, head).transpose(1, 2), cosine, sine)
            v = self.v_proj(x).view(rows, tokens, groups, head).transpose(1, 2)
            k, v = k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1)
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.o_proj(mixed.transpose(1, 2).reshape(rows, tokens, heads * head))

    class Mlp(nn.Module):
        def __init__(self):
            super().__init__()
            inner = config["intermediate_size"]
            self.gate_proj, self.up_proj = nn.Linear(hidden, inner, bias=False), nn.Linear(hidden, inner, bias=False)
            self.down_proj = nn.Linear(inner, hidden, bias=False)

        def forward(self, x):
            return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.input_layernorm, self.self_attn, self.post_attention_layernorm, self.mlp = Norm(), Attention(), Norm(), Mlp()

        def forward(self, x, cosine, sine):
            x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
            return x + self.mlp(self.post_attention_layernorm(x))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed_tokens = nn.Embedding(config["vocab_size"], hidden)
            self.layers = nn.ModuleList(Layer() for _ in range(config["num_hidden_layers"]))
            self.norm = Norm()
            positions = torch.arange(config["max_position_embeddings"]).float()
            rates = config["rope_theta"] ** (-torch.arange(0, head, 2).float() / head)
            angles = positions[:, None] * rates[None]
            self.register_buffer("cosine", angles.cos(), persistent=False)
            self.register_buffer("sine", angles.sin(), persistent=False)
            for name, weight in self.named_parameters():
                if weight.ndim == 2:
                    nn.init.normal_(weight, std=0.02)
                elif name.endswith("bias"):
                    nn.init.zeros_(weight)
            for layer in self.layers:
                for matrix in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                    matrix.data /= (2 * config["num_hidden_layers"]) ** 0.5

        def forward(self, ids):
            """ids [rows, tokens] → hidden states [rows, tokens, hidden] after the last norm."""
            x = self.embed_tokens(ids).to(torch.bfloat16)
            cosine, sine = self.cosine[:ids.shape[1]], self.sine[:ids.shape[1]]
            for layer in self.layers:
                x = layer(x, cosine, sine)
            return self.norm(x)

    return Model()


def define_muon(torch):
    """Muon: momentum, then the nearest orthogonal matrix by a Newton-Schulz iteration (Jordan et al., 2024)."""

    @torch.compile(dynamic=False)
    def orthogonalise(x):
        """x [count, out, in] bf16; five steps of the quintic iteration."""
        turned = x.shape[-2] > x.shape[-1]
        if turned:
            x = x.mT
        x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
        for _ in range(5):
            gram = x @ x.mT
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        return x.mT if turned else x

    class Muon:
        def __init__(self, matrices, momentum=0.95, decay=0.01):
            shapes = sorted({tuple(m.shape) for m in matrices})
            self.groups = [[m for m in matrices if tuple(m.shape) == shape] for shape in shapes]
            self.states = [torch.zeros(len(g), *g[0].shape, device=g[0].device) for g in self.groups]
            self.momentum, self.decay = momentum, decay

        @torch.no_grad()
        def step(self, rate):
            for group, state in zip(self.groups, self.states):
                gradient = torch.stack([m.grad for m in group])
                state.lerp_(gradient, 1 - self.momentum)
                update = orthogonalise(gradient.lerp(state, self.momentum).bfloat16()).float()
                scale = rate * max(1, update.shape[-2] / update.shape[-1]) ** 0.5
                torch._foreach_mul_(group, 1 - rate * self.decay)
                torch._foreach_add_(group, list(update.unbind()), alpha=-scale)

    return Muon


def rate_at(progress):
    """The learning rate's share at a progress of 0…1: short warm-up, flat, then straight down to zero."""
    return min(1.0, progress / 0.01, (1.0 - progress) / 0.6)


def train(torch, model, feed, options, started):
    """Runs until options.minutes after `started`; returns (steps, tokens, target share, seconds of training)."""
    functional = torch.nn.functional
    Muon = define_muon(torch)
    matrices = [w for name, w in model.named_parameters() if w.ndim == 2 and "embed" not in name]
    others = [w for name, w in model.named_parameters() if w.ndim != 2 or "embed" in name]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=options.adam_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    torch._dynamo.config.recompile_limit = 64
    for layer in model.layers:
        layer.compile(dynamic=False)

    @torch.compile(dynamic=False)
    def loss_of(hidden, embedding, ids, counted):
        """Mean cross entropy of the next token where it counts."""
        logits = functional.linear(hidden, embedding.to(hidden.dtype))
        targets = ids.roll(-1, 1)
        each = functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
        weight = counted.roll(-1, 1).clone()
        weight[:, -1] = False
        return (each * weight.flatten()).sum() / weight.sum()

    def run_batch(raw):
        raw = raw.cuda(non_blocking=True)
        ids, counted = (raw & 0x7FFF).long(), raw >= generate.TARGET
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = loss_of(model(ids), model.embed_tokens.weight, ids, counted)
        loss.backward()
        return loss

    for shape_index in (0, CYCLE - 1):  # compile both shapes before the clock of the schedule starts
        run_batch(torch.randint(0, 2000, batch_shape(shape_index), dtype=torch.int32) | generate.TARGET)
        muon.step(0.0)
        model.zero_grad(set_to_none=True)
    for state in muon.states:
        state.zero_()
    torch.cuda.synchronize()
    begun = time.time()
    budget = started + options.minutes * 60 - begun
    print(f"compiled {begun - started:.0f} s after the start; training for {budget:.0f} s", flush=True)
    steps_done = tokens = 0
    waited = 0.0
    while True:
        progress = (time.time() - begun) / budget
        if progress >= 1:
            break
        before = time.time()
        raw = feed.next()
        waited += time.time() - before
        loss = run_batch(raw)
        share = rate_at(progress)
        muon.step(options.muon_rate * share)
        for group in adam.param_groups:
            group["lr"] = options.adam_rate * share
        adam.step()
        model.zero_grad(set_to_none=True)
        steps_done += 1
        tokens += raw.numel()
        if steps_done % 8 == 0:
            value = loss.item()  # also keeps the host from running ahead of the clock
            if steps_done % 200 == 0:
                seconds = time.time() - begun
                print(f"step {steps_done} loss {value:.4f} rate {share:.3f} {tokens / seconds / 1e6:.2f} M tokens/s "
                      f"waited {waited:.1f} s of {seconds:.0f}", flush=True)
    torch.cuda.synchronize()
    return steps_done, tokens, time.time() - begun


def save(torch, model, config, out):
    """Weights in bf16 with Hugging Face's names, and the two config files."""
    from safetensors.torch import save_file
    state = {"model." + name: weight.detach().to(torch.bfloat16).cpu().contiguous() for name, weight in model.named_parameters()}
    save_file(state, str(out / "model.safetensors"), metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    generation = {"_from_model_config": True, "bos_token_id": config["bos_token_id"], "eos_token_id": config["eos_token_id"], "do_sample": True,
                  "temperature": 0.6, "top_p": 0.95, "transformers_version": "4.39.3"}
    (out / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    return sum(weight.numel() for weight in state.values())


def check_tokenizer(tokenizer, encoder, folder, dialogues):
    """Compares our ids with those of `tokenizers` and of the chat template; returns the number of differences."""
    from transformers import PreTrainedTokenizerFast
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    reference = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), bos_token="<｜begin▁of▁sentence｜>",
                                        eos_token="<｜end▁of▁sentence｜>", chat_template=settings["chat_template"])
    different = 0
    for dialogue in dialogues:
        text = reference.apply_chat_template(dialogue.messages(), tokenize=False, add_generation_prompt=True)
        prompt = encoder.prompt(dialogue)
        if any("</think>" in turn[1] for turn in dialogue.turns):
            continue
        answer = "\n\n" + dialogue.problem.answer.replace(LETTERWISE, "")
        same = reference(text, add_special_tokens=False)["input_ids"] == prompt
        same = same and reference(answer, add_special_tokens=False)["input_ids"] == tokenizer.encode(answer)
        same = same and reference.decode(prompt) == text
        different += not same
        if not same and different < 4:
            print("tokenizer differs:", repr(text[-200:]))
    return different


def evaluate(torch, folder, tokenizer, encoder, dialogues, sample, chunk=1024):
    """Answers from transformers' own Qwen2ForCausalLM in bf16; returns (counts, wrong)."""
    from transformers import AutoModelForCausalLM
    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.bfloat16).cuda().eval()
    torch.manual_seed(1)
    order = sorted(range(len(dialogues)), key=lambda i: len(encoder.target(dialogues[i].problem)))
    texts = [None] * len(dialogues)
    for begin in range(0, len(order), chunk):
        part = order[begin:begin + chunk]
        prompts = [encoder.prompt(dialogues[i]) for i in part]
        width = max(map(len, prompts))
        ids = torch.full((len(part), width), encoder.eos)
        mask = torch.zeros((len(part), width), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt):] = torch.tensor(prompt)
            mask[row, width - len(prompt):] = 1
        most = min(make_eval.MAX_TOKENS, 40 + max(len(encoder.target(dialogues[i].problem)) for i in part))
        how = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 0} if sample else {"do_sample": False, "temperature": None, "top_p": None}
        with torch.no_grad():
            out = model.generate(ids.cuda(), attention_mask=mask.cuda(), max_new_tokens=most, pad_token_id=encoder.eos, **how)
        for i, answer in zip(part, out[:, width:].tolist()):
            text = tokenizer.decode(answer[:answer.index(encoder.eos)]) if encoder.eos in answer else None
            texts[i] = text
    requests = [make_eval.request(dialogue, "greedy", 0) for dialogue in dialogues]
    answers = [{"text": text or "", "finish_reason": "stop" if text is not None else "length"} for text in texts]
    return score.tally(requests, answers)


def report_evaluation(torch, options, tokenizer, encoder):
    """Greedy and sampled accuracy a task."""
    results = {}
    for mode, per_task in (("greedy", options.per_task), ("sample", options.sample_per_task)):
        if not per_task:
            continue
        begun = time.time()
        dialogues = make_eval.dialogues("evaluation-1", per_task)
        counts, wrong = evaluate(torch, options.out, tokenizer, encoder, dialogues, mode == "sample")
        print(f"== {mode}, {time.time() - begun:.0f} s")
        score.print_table(counts)
        results[mode] = {task: right / asked for task, (right, asked) in counts.items()}
        results[mode + "_wrong"] = [{"messages": request["messages"], "expected": request["expected"], "task": request["task"], "text": answer["text"]}
                                    for request, answer in wrong]
    return results


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder with tokenizer.json and tokenizer_config.json")
    parser.add_argument("--minutes", type=float, default=8.0, help="from the start of the program to the end of training, compilation included")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--muon-rate", type=float, default=0.02)
    parser.add_argument("--adam-rate", type=float, default=0.003)
    parser.add_argument("--per-task", type=int, default=300)
    parser.add_argument("--sample-per-task", type=int, default=100)
    return parser.parse_args()


def main():
    started = time.time()
    options = parse_options()
    options.out.mkdir(parents=True, exist_ok=True)
    feed = Feed(options.workers, f"train-{options.seed}", str(options.tokenizer / "tokenizer.json"))
    tokenizer = Tokenizer.load(options.tokenizer / "tokenizer.json")
    tasks.Spelling.learn(tokenizer.vocab)
    encoder = generate.Encoder(tokenizer)
    config = CONFIG | {"bos_token_id": encoder.bos, "eos_token_id": encoder.eos, "vocab_size": len(tokenizer.vocab) + len(tokenizer.added)}

    import torch
    feed.start_thread()
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    model = define_model(torch, config).cuda()
    steps_done, tokens, seconds = train(torch, model, feed, options, started)
    feed.stop()
    parameters = save(torch, model, config, options.out)
    report = {"parameters": parameters, "steps": steps_done, "tokens": tokens, "training_seconds": round(seconds, 1), "seed": options.seed,
              "minutes": options.minutes, "device": torch.cuda.get_device_name(), "torch": torch.__version__}
    print(json.dumps(report), flush=True)
    dialogues = make_eval.dialogues("tokenizer-check", 20)
    print("tokenizer differences:", check_tokenizer(tokenizer, encoder, options.tokenizer, dialogues), "of", len(dialogues), flush=True)
    report |= report_evaluation(torch, options, tokenizer, encoder)
    report["total_seconds"] = round(time.time() - started, 1)
    (options.out / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"done after {report['total_seconds']} s", flush=True)
    sys.stdout.flush()
    os._exit(0)  # the worker processes and the feeding thread have nothing more to do


if __name__ == "__main__":
    main()
