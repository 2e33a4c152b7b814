"""A source tree in which every line that asks a model says so: UNGOVERNED, GOVERNED or IGNORED in a comment on that line."""

from __future__ import annotations

GATEWAY = "https://prompts.example.com/v1"

PYTHON: dict[str, str] = {
    "openai_plain.py": """
from openai import OpenAI, AsyncOpenAI as Slow
client = OpenAI()
TEXT = "client.chat.completions.create()"  # a text only
def answer(question):
    return client.chat.completions.create(model="gpt-4o", messages=[])  # UNGOVERNED
class Bot:
    def __init__(self):
        self.llm = Slow(api_key="x")
    async def ask(self):
        await self.llm.responses.create(model="x")  # UNGOVERNED
    def other(self):
        self.llm.files.create()
OpenAI().embeddings.create(input="x")  # UNGOVERNED
""",
    "openai_module.py": """
import openai
import openai as ai
openai.chat.completions.create(model="x")  # UNGOVERNED
ai.ChatCompletion.create(model="x")  # UNGOVERNED
c = ai.OpenAI(base_url="https://api.example.org/v1")
c.chat.completions.create(model="x")  # UNGOVERNED
""",
    "openai_governed.py": """
import os
from openai import OpenAI
BASE = "https://prompts.example.com/v1"
one = OpenAI(base_url="https://prompts.example.com/v1", api_key="ps_x")
two = OpenAI(base_url=os.environ["PROMPTSTORE_URL"] + "/v1")
three = OpenAI(base_url=f"{os.environ.get('PROMPTSTORE_SERVING_URL', 'http://x')}/v1")
four = OpenAI(base_url=BASE)
one.chat.completions.create(model="assistant")  # GOVERNED
two.chat.completions.create(model="assistant")  # GOVERNED
three.chat.completions.create(model="assistant")  # GOVERNED
def ask():
    four.responses.create(model="assistant")  # GOVERNED
    with OpenAI(base_url=BASE) as five:
        five.chat.completions.create(model="assistant")  # GOVERNED
    OpenAI(base_url=BASE.rstrip("/")).chat.completions.create(model="assistant")  # GOVERNED
    one.with_options(timeout=3).chat.completions.create(model="assistant")  # GOVERNED
""",
    "settings_governed.py": """
from django.conf import settings
from openai import OpenAI
class Service:
    def __init__(self):
        self.base = settings.PROMPTSTORE_URL
        self.client = OpenAI(base_url=self.base)
    def ask(self):
        return self.client.chat.completions.create(model="assistant")  # GOVERNED
""",
    "anthropic_calls.py": """
import anthropic
a = anthropic.Anthropic()
a.messages.create(model="claude")  # UNGOVERNED
with a.messages.stream(model="claude") as s:  # UNGOVERNED
    pass
def f(client):
    client.messages.create(model="claude")  # UNGOVERNED
""",
    "twilio.py": """
from twilio.rest import Client
client = Client()
client.messages.create(to="+1", body="the anthropic client.messages.create is not this")
""",
    "google_calls.py": """
from google import genai
import google.generativeai as old
client = genai.Client()
client.models.generate_content(model="gemini", contents="x")  # UNGOVERNED
model = old.GenerativeModel("gemini")
model.generate_content("x")  # UNGOVERNED
""",
    "many.py": """
import boto3, cohere, litellm, ollama
from huggingface_hub import InferenceClient
from mistralai import Mistral
from transformers import pipeline
bedrock = boto3.client("bedrock-runtime")
bedrock.invoke_model(modelId="x")  # UNGOVERNED
bedrock.converse(modelId="x")  # UNGOVERNED
boto3.client("s3").get_object(Bucket="x")
co = cohere.ClientV2()
co.chat(model="x")  # UNGOVERNED
litellm.completion(model="x")  # UNGOVERNED
litellm.completion(model="x", api_base="https://prompts.example.com/v1")  # GOVERNED
ollama.chat(model="x")  # UNGOVERNED
m = Mistral(api_key="x")
m.chat.complete(model="x")  # UNGOVERNED
InferenceClient().chat_completion([])  # UNGOVERNED
p = pipeline("text-generation")  # UNGOVERNED
""",
    "chains.py": """
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from llama_index.llms.openai import OpenAI
prompt = ChatPromptTemplate.from_messages([])
llm = ChatOpenAI(model="x")  # UNGOVERNED
good = ChatOpenAI(model="x", base_url="https://prompts.example.com/v1")  # GOVERNED
li = OpenAI(model="x")  # UNGOVERNED
""",
    "by_hand.py": """
import os
import requests, httpx
URL = "https://api.openai.com/v1/chat/completions"
requests.post(URL, json={})  # UNGOVERNED
httpx.post("https://api.anthropic.com/v1/messages", json={})  # UNGOVERNED
requests.get("https://example.com/docs")
requests.post("https://example.com/?see=https://api.openai.com/v1/chat/completions")
requests.post(f"{os.environ['PROMPTSTORE_URL']}/v1/chat/completions", json={})  # GOVERNED
httpx.post("https://prompts.example.com/v1/chat/completions", json={})  # GOVERNED
""",
    "ignored.py": """
import openai
openai.chat.completions.create(model="x")  # promptstore: ignore[offline batch] IGNORED
# promptstore: ignore[compares providers]
openai.chat.completions.create(model="y")  # IGNORED
openai.chat.completions.create(model="z", note="promptstore: ignore[no comment]")  # UNGOVERNED

openai.chat.completions.create(model="w")  # promptstore: ignore[] UNGOVERNED
""",
    "ours.py": """
from promptstore_client import Client
store = Client()  # GOVERNED
""",
}

SCRIPTS: dict[str, str] = {
    "plain.ts": """
import OpenAI from "openai";
const client = new OpenAI({ apiKey: "x" });
// client.chat.completions.create({}) in a comment
const text = "client.chat.completions.create({})";
/* client.chat.completions.create({}) */
const pattern = /['"]client.chat.completions.create\\(/;
export async function answer(q: string) {
  return client.chat.completions.create({ model: "x" }); // UNGOVERNED
}
await client.responses.create({}); // UNGOVERNED
""",
    "governed.ts": """
import OpenAI from "openai";
const BASE = "https://prompts.example.com/v1";
const one = new OpenAI({ baseURL: process.env.PROMPTSTORE_URL });
const two = new OpenAI({ apiKey: f({ a: 1 }), baseURL: `${process.env.PROMPTSTORE_URL}/v1` });
const three: OpenAI = new OpenAI({ baseURL: BASE });
class Bot {
  constructor() { this.llm = new OpenAI({ baseURL: process.env["PROMPTSTORE_URL"] }); }
  ask() { return this.llm.chat.completions.create({}); } // GOVERNED
}
one.chat.completions.create({}); // GOVERNED
two.responses.create({}); // GOVERNED
three.beta.chat.completions.parse({}); // GOVERNED
new OpenAI({ baseURL: "https://prompts.example.com/v1" }).chat.completions.create({}); // GOVERNED
""",
    "others.mjs": """
import Anthropic from "@anthropic-ai/sdk";
import { generateText } from "ai";
import { createOpenAI, openai } from "@ai-sdk/openai";
import { ChatOpenAI } from "@langchain/openai";
const { ConverseCommand } = require("@aws-sdk/client-bedrock-runtime");
const a = new Anthropic();
a.messages.create({}); // UNGOVERNED
generateText({ model: openai("gpt-4o"), prompt: "x" }); // UNGOVERNED
const store = createOpenAI({ baseURL: "https://prompts.example.com/v1" });
generateText({ model: store("assistant"), prompt: "x" }); // GOVERNED
new ChatOpenAI({ model: "x" }); // UNGOVERNED
new ConverseCommand({}); // UNGOVERNED
fetch("https://api.openai.com/v1/chat/completions", { method: "POST" }); // UNGOVERNED
fetch(`${process.env.PROMPTSTORE_URL}/v1/chat/completions`, {}); // GOVERNED
show("Calls https://api.openai.com/v1/chat/completions for you");
""",
    "messages.js": """
import twilio from "twilio";
twilio().messages.create({ body: "x" });
generateText("not the AI SDK");
""",
    "main.go": """
package main
// client.CreateChatCompletion(ctx)
func ask() { client.CreateChatCompletion(ctx, req) } // UNGOVERNED
var url = "https://api.anthropic.com/v1/messages" // UNGOVERNED
""",
    "call.sh": """
# curl https://api.openai.com/v1/chat/completions
curl "https://api.openai.com/v1/chat/completions" -d @x # UNGOVERNED
""",
}
