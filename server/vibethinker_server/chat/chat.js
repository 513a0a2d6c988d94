"use strict";

const TEXTS = {
  en: {
    skip: "Skip to the question",
    conversation: "Conversation",
    empty: "Ask a question about mathematics or code.",
    question: "Your question (Enter sends, Shift+Enter starts a new line)",
    task: "Task",
    tokens: "{task}, up to {limit} tokens",
    send: "Send",
    stop: "Stop",
    fresh: "New conversation",
    settings: "Settings",
    key: "API key",
    system: "System prompt",
    left: "{left} of {limit} characters left",
    hint: "This model answers best in English.",
    you: "You",
    model: "VibeThinker",
    busy: "Busy, retry in {seconds} s.",
    thinking: "Waiting for the first word …",
    cut: "Cut at {limit} tokens.",
    more: "Continue",
    moreQuestion: "Continue where you stopped.",
    stopped: "Stopped.",
    lost: "The connection was lost. Send again.",
    keyless: "Enter your API key under Settings.",
    denied: "This API key is not accepted. Enter another one under Settings.",
  },
  zh: {
    skip: "跳到提问框",
    conversation: "对话",
    empty: "请提一个数学或编程问题。",
    question: "你的问题（回车发送，Shift+回车换行）",
    task: "任务",
    tokens: "{task}，最多 {limit} 个 token",
    send: "发送",
    stop: "停止",
    fresh: "新对话",
    settings: "设置",
    key: "API 密钥",
    system: "系统提示词",
    left: "还可输入 {left} / {limit} 个字符",
    hint: "此模型用英文提问效果更好。",
    you: "你",
    model: "VibeThinker",
    busy: "繁忙，{seconds} 秒后重试。",
    thinking: "正在等待第一个词……",
    cut: "已在 {limit} 个 token 处截断。",
    more: "继续",
    moreQuestion: "请从中断处继续。",
    stopped: "已停止。",
    lost: "连接已断开，请重新发送。",
    keyless: "请在“设置”中输入 API 密钥。",
    denied: "API 密钥无效，请在“设置”中重新输入。",
  },
};
const KEPT_TRIES = 10;
const DENIED = 401;

const find = (id) => document.getElementById(id);
const settings = JSON.parse(find("settings").textContent);
const state = { language: "en", messages: [], ticket: "", aborter: null };

function say(name, values = {}) {
  return TEXTS[state.language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

function speak(language) {
  state.language = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-text]")) {
    node.textContent = say(node.dataset.text);
  }
  find("log").setAttribute("aria-label", say("conversation"));
  find("log").dataset.empty = say("empty");
  find("language").textContent = language === "zh" ? "English" : "中文";
  find("language").lang = language === "zh" ? "en" : "zh";
  listTasks();
  countSystem();
}

function listTasks() {
  const chosen = find("task").value || settings.defaultTask;
  find("task").replaceChildren(
    ...Object.entries(settings.tasks).map(([task, limit]) => {
      return new Option(say("tokens", { task, limit }), task, false, task === chosen);
    }),
  );
}

function countSystem() {
  const limit = settings.systemPromptCharacters;
  // As the server counts: in characters, not in the browser's 16-bit units.
  const left = limit - [...find("system").value].length;
  find("system-left").textContent = say("left", { left, limit });
  find("system").setAttribute("aria-invalid", String(left < 0));
}

function show(role) {
  const article = document.createElement("article");
  article.className = role;
  const name = document.createElement("h2");
  name.textContent = say(role === "user" ? "you" : "model");
  const text = document.createElement("div");
  article.append(name, text);
  find("log").append(article);
  return text;
}

// Text only: what a model writes is never taken as HTML. Every second part stands between fences.
function write(node, text) {
  node.replaceChildren(
    ...text.split(/^```[^\n]*\n?/m).map((part, index) => {
      const block = document.createElement(index % 2 ? "pre" : "p");
      block.textContent = part;
      return block;
    }),
  );
  find("log").scrollTop = find("log").scrollHeight;
}

function notice(text, live = "polite") {
  find("notice").setAttribute("aria-live", live);
  find("notice").textContent = text;
}

function busy(on) {
  find("send").disabled = on;
  find("stop").hidden = !on;
  // Read aloud when it is whole, and not anew at each word.
  find("log").setAttribute("aria-busy", String(on));
}

function request(signal) {
  const system = find("system").value.trim();
  // An empty box means no system prompt; saying nothing would mean the profile's own.
  const told = system || settings.systemPrompt;
  const first = told ? [{ role: "system", content: system }] : [];
  const headers = { "Content-Type": "application/json", "X-Profile": settings.profile };
  if (find("key").value) headers.Authorization = `Bearer ${find("key").value}`;
  if (state.ticket) headers["X-Session-Ticket"] = state.ticket;
  const body = {
    model: settings.model,
    messages: [...first, ...state.messages],
    task: find("task").value,
    stream: true,
  };
  return fetch("/v1/chat/completions", {
    method: "POST", headers, signal, body: JSON.stringify(body), credentials: "omit",
  });
}

async function wait(seconds, signal) {
  for (let left = seconds; left > 0; left -= 1) {
    // Read aloud once; the seconds that pass are for the eye.
    notice(say("busy", { seconds: left }), left === seconds ? "polite" : "off");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    signal.throwIfAborted();
  }
  notice("");
}

async function answer(signal) {
  for (let tries = 0; ; tries += 1) {
    notice(say("thinking"));
    const response = await request(signal);
    if (response.ok) return response;
    const again = Number(response.headers.get("Retry-After"));
    if (!again || tries >= KEPT_TRIES) throw await explain(response);
    await wait(again, signal);
  }
}

async function explain(response) {
  const { status } = response;
  if (status === DENIED) return { status, message: say(find("key").value ? "denied" : "keyless") };
  try {
    return { status, message: (await response.json()).error.message };
  } catch {
    return { status, message: `HTTP ${status}` };
  }
}

async function* read(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") yield JSON.parse(line.slice(6));
    }
  }
}

async function stream(response, message, node) {
  let reason = null;
  for await (const event of read(response)) {
    if (event.error) throw new Error(event.error.message);
    const choice = event.choices?.[0];
    if (!choice) continue;
    if (choice.delta?.content) {
      notice("");
      message.content += choice.delta.content;
      write(node, message.content);
    }
    reason = choice.finish_reason ?? reason;
  }
  if (reason === null) throw new Error(say("lost"));
  return reason;
}

function offerMore(node, limit) {
  const line = document.createElement("p");
  line.className = "cut";
  const more = document.createElement("button");
  more.type = "button";
  more.textContent = say("more");
  more.addEventListener("click", () => {
    more.remove();
    ask(say("moreQuestion"));
  });
  line.append(`${say("cut", { limit })} `, more);
  node.after(line);
  find("log").scrollTop = find("log").scrollHeight;
}

async function ask(question) {
  if (state.aborter) return;
  const aborter = (state.aborter = new AbortController());
  const conversation = state.messages;
  const before = { said: conversation.length, shown: find("log").childElementCount };
  const message = { role: "assistant", content: "" };
  conversation.push({ role: "user", content: question });
  write(show("user"), question);
  busy(true);
  const failure = await converse(message, aborter.signal);
  state.aborter = null;
  busy(false);
  // Where a new conversation was begun meanwhile, nothing of this one belongs into it.
  if (conversation !== state.messages) return;
  notice(failure?.message ?? "");
  // A question that got no word of an answer is given back, to be sent again.
  if (message.content) conversation.push(message);
  else giveBack(before, question);
  turnTo(failure?.status === DENIED ? "key" : "question");
}

// Fills `message` and shows it; returns what went wrong, null: nothing.
async function converse(message, signal) {
  try {
    const response = await answer(signal);
    state.ticket = response.headers.get("X-Session-Ticket") ?? state.ticket;
    const node = show("assistant");
    const reason = await stream(response, message, node);
    if (reason === "length") offerMore(node, response.headers.get("X-Token-Limit"));
    return null;
  } catch (error) {
    if (signal.aborted) return { message: say("stopped") };
    return error instanceof TypeError ? { message: say("lost") } : error;
  }
}

function turnTo(field) {
  if (field === "key") find("preferences").open = true;
  find(field).focus();
}

function giveBack(before, question) {
  state.messages.length = before.said;
  while (find("log").childElementCount > before.shown) find("log").lastElementChild.remove();
  find("question").value ||= question;
}

function begin() {
  state.aborter?.abort();
  state.messages = [];
  state.ticket = "";
  find("log").replaceChildren();
  notice("");
  find("question").focus();
}

function send() {
  const question = find("question").value.trim();
  if (!question || state.aborter) return;
  find("question").value = "";
  ask(question);
}

find("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
find("question").addEventListener("keydown", (event) => {
  // While an input method composes, Enter takes its proposal.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
find("stop").addEventListener("click", () => state.aborter?.abort());
find("fresh").addEventListener("click", begin);
find("system").addEventListener("input", countSystem);
find("language").addEventListener("click", () => speak(state.language === "zh" ? "en" : "zh"));

find("model").textContent = settings.model;
find("key-field").hidden = !settings.keyRequired;
find("system").value = settings.systemPrompt;
speak(navigator.language.startsWith("zh") ? "zh" : "en");
