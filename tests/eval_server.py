"""A server of OpenAI's chat completions that behaves as a file tells it to, for tests/eval_test.sh.

    python3 tests/eval_server.py PORT_FILE MODE_FILE

writes its port to PORT_FILE and reads MODE_FILE before each answer:
    good           adds the two numbers of the task: Python first, then the solution
    slow           the same, 0.3 s later
    401 429 500    that status, with an error's JSON
    once429        429 with Retry-After for the first request of each conversation, then good
    garbage        200 with something that is no JSON
    wrong          200 with JSON that is no chat completion
    cut            half of what Content-Length promises
    stall          nothing, for as long as the client waits
"""
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port_file, mode_file = sys.argv[1:]
seen = set()


def answer(messages):
    task = next(m["content"] for m in messages if m["role"] == "user")
    x, y = re.findall(r"\d+", task.split("Task:\n")[-1])[:2]
    turns = sum(m["role"] == "assistant" for m in messages)
    if turns == 0:
        return f"<execute>print({x} + {y})</execute>"
    shown = re.search(r"Observation:\n(\d+)", messages[-1]["content"])
    return f"<solution>{shown.group(1) if shown else '?'}</solution>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body, promised=None, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.end_headers()
        self.wfile.write(body)
        if promised is not None:
            self.close_connection = True

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open(mode_file) as f:
            mode = f.read().strip()
        key = json.dumps(request["messages"])
        if mode == "once429" and key not in seen:
            seen.add(key)
            return self.reply(429, b'{"error": {"message": "too fast"}}', headers=[("Retry-After", "0")])
        if mode.isdigit():
            return self.reply(int(mode), b'{"error": {"message": "the server says so"}}')
        if mode == "stall":
            time.sleep(30)
            return None
        if mode == "garbage":
            return self.reply(200, b"<html>busy</html>")
        if mode == "wrong":
            return self.reply(200, b'{"answer": 42}')
        if mode == "slow":
            time.sleep(0.3)
        message = {"role": "assistant", "content": answer(request["messages"])}
        body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}],
                           "usage": {"prompt_tokens": 7, "completion_tokens": 3}}).encode()
        if mode == "cut":
            return self.reply(200, body[:20], promised=len(body))
        return self.reply(200, body)

    def do_GET(self):
        self.reply(200, b'{"data": [{"id": "adder"}]}')


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_address[1]))
import os

os.rename(port_file + ".new", port_file)
server.serve_forever()
