// The official OpenAI client against a running server: BATON_URL (default http://127.0.0.1:7860).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

const base = process.env.BATON_URL ?? 'http://127.0.0.1:7860';
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: 0 });
const model = (await client.models.list()).data[0].id;
const question = [{ role: 'user', content: 'What is 17 * 24?' }];
const greedy = { model, messages: question, temperature: 0, max_tokens: 400 };

async function metric(name) {
  const metrics = await (await fetch(`${base}/metrics`)).text();
  const line = metrics.split('\n').find((l) => l.startsWith(`${name} `) || l.startsWith(`${name}{`));
  assert.ok(line, `${name} is exported`);
  return Number(line.trim().split(' ').pop());
}

test('a whole answer', async () => {
  const answer = await client.chat.completions.create(greedy);
  const choice = answer.choices[0];
  assert.equal(choice.finish_reason, 'stop');
  assert.match(choice.message.content, /408/);
  assert.ok(choice.message.reasoning_content.length > 0);
  assert.equal(choice.message.reasoning, choice.message.reasoning_content);
  assert.ok(!choice.message.content.includes('</think>'));
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.ok(answer.usage.completion_tokens_details.reasoning_tokens > 0);
  assert.match(answer.system_fingerprint, /^fp_[0-9a-f]{16}$/);
});

test('a stream says the same, in pieces', async () => {
  const whole = await client.chat.completions.create(greedy);
  const stream = await client.chat.completions.create({
    ...greedy,
    stream: true,
    stream_options: { include_usage: true },
  });
  let content = '';
  let reasoning = '';
  let finish = null;
  let usage = null;
  let chunks = 0;
  for await (const chunk of stream) {
    chunks += 1;
    if (chunk.usage) usage = chunk.usage;
    const choice = chunk.choices[0];
    if (!choice) continue;
    content += choice.delta.content ?? '';
    reasoning += choice.delta.reasoning_content ?? '';
    finish ??= choice.finish_reason;
    assert.ok(Number.isInteger(chunk.seed), 'every chunk names the seed');
  }
  assert.ok(chunks > 5);
  assert.equal(finish, 'stop');
  assert.equal(content, whole.choices[0].message.content);
  assert.equal(reasoning, whole.choices[0].message.reasoning_content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test('n=2 gives two answers that a seed repeats', async () => {
  const ask = () =>
    client.chat.completions.create({ ...greedy, temperature: 1, n: 2, seed: 11, max_tokens: 60 });
  const [a, b] = [await ask(), await ask()];
  assert.deepEqual(a.choices.map((c) => c.index).sort(), [0, 1]);
  const text = (r) => r.choices.map((c) => [c.message.reasoning_content, c.message.content]);
  assert.deepEqual(text(a), text(b));
  assert.equal(a.seed, 11);
});

test('logprobs', async () => {
  const answer = await client.chat.completions.create({
    ...greedy, logprobs: true, top_logprobs: 3, max_tokens: 12,
  });
  const entries = answer.choices[0].logprobs.content;
  assert.equal(entries.length, answer.usage.completion_tokens);
  for (const entry of entries) {
    assert.equal(entry.top_logprobs.length, 3);
    assert.equal(entry.token, entry.top_logprobs[0].token, 'greedy takes the best');
    assert.ok(entry.logprob <= 0 && entry.logprob >= entry.top_logprobs[1].logprob);
    assert.ok(Array.isArray(entry.bytes));
  }
});

test('a stop string ends the answer before it', async () => {
  const answer = await client.chat.completions.create({ ...greedy, stop: ['40'] });
  assert.equal(answer.choices[0].finish_reason, 'stop');
  const text = (answer.choices[0].message.reasoning_content ?? '') + (answer.choices[0].message.content ?? '');
  assert.ok(!text.includes('40'));
});

test('an abort half-way frees the engine', async () => {
  const before = await metric('baton_engine_steps_total');
  const stream = await client.chat.completions.create({
    ...greedy, stream: true, max_tokens: 1500, temperature: 1, seed: 1, ignore_eos: true,
  });
  let seen = 0;
  for await (const chunk of stream) {
    seen += chunk.choices.length;
    if (seen === 5) break;
  }
  stream.controller.abort();
  for (let i = 0; i < 50 && (await metric('baton_sequences_running')) > 0; i += 1) {
    await new Promise((r) => setTimeout(r, 20));
  }
  assert.equal(await metric('baton_sequences_running'), 0);
  const steps = (await metric('baton_engine_steps_total')) - before;
  assert.ok(steps < 750, `the answer went on for ${steps} steps`);
});

test('completions: text, ids and batches', async () => {
  const text = await client.completions.create({ model, prompt: 'Hello', max_tokens: 4, temperature: 0 });
  assert.equal(text.choices.length, 1);
  const { tokens } = await (await fetch(`${base}/tokenize`, {
    method: 'POST', body: JSON.stringify({ prompt: 'Hello' }),
  })).json();
  const ids = await client.completions.create({
    model, prompt: [tokens, tokens], max_tokens: 4, temperature: 0,
  });
  assert.deepEqual(ids.choices.map((c) => c.text), [text.choices[0].text, text.choices[0].text]);
});

test('errors are OpenAI errors', async () => {
  await assert.rejects(client.chat.completions.create({ ...greedy, temperature: 9 }), (error) => {
    assert.equal(error.status, 400);
    assert.equal(error.param, 'temperature');
    return true;
  });
  await assert.rejects(
    client.chat.completions.create({ ...greedy, model: 'no-such-model' }),
    (error) => error.status === 404,
  );
  await assert.rejects(
    client.chat.completions.create({
      ...greedy, tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
    }),
    (error) => error.status === 400 && /tools/.test(error.message),
  );
});
