import collections, hashlib, hmac, json, os, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("HANDLER_SECRET", "")
SIGNING_KEY = os.environ.get("SIGNING_KEY", "").encode()

class Seen:
    """The newest keys, and whether the work on them is done."""
    def __init__(self, size=100_000):
        self.keys, self.size, self.lock = collections.OrderedDict(), size, threading.Lock()
    def begin(self, key):
        with self.lock:
            if key in self.keys:
                return self.keys[key]
            self.keys[key] = "working"
            if len(self.keys) > self.size:
                self.keys.popitem(last=False)
            return "new"
    def finish(self, key):
        with self.lock:
            self.keys[key] = "done"
    def forget(self, key):
        with self.lock:
            self.keys.pop(key, None)

class SeenInRedis:
    """The same for several processes, for a day."""
    def __init__(self, url):
        import redis
        self.redis = redis.Redis.from_url(url)
    def begin(self, key):
        if self.redis.set("shardgate:" + key, "working", nx=True, ex=60):
            return "new"
        return "done" if self.redis.get("shardgate:" + key) == b"done" else "working"
    def finish(self, key):
        self.redis.set("shardgate:" + key, "done", ex=86_400)
    def forget(self, key):
        self.redis.delete("shardgate:" + key)

seen = SeenInRedis(os.environ["REDIS_URL"]) if "REDIS_URL" in os.environ else Seen()

def genuine(headers, body):
    if SECRET and not hmac.compare_digest(headers.get("Authorization", "").encode(), SECRET.encode()):
        return False
    if not SIGNING_KEY:
        return True
    stamp = headers.get("X-Shardgate-Timestamp", "")
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > 300:
        return False
    wanted = "v1=" + hmac.new(SIGNING_KEY, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    given = headers.get("X-Shardgate-Signature", "").split(",")
    return any(hmac.compare_digest(wanted.encode(), one.strip().encode()) for one in given)

def handle(event, interaction):
    """Your bot. An exception means: not now, send it again."""
    print(event["t"], interaction or "", flush=True)

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not genuine(self.headers, body):
            return self.answer(401)
        key = self.headers["Idempotency-Key"]
        try:
            known = seen.begin(key)
        except Exception:
            return self.answer(503)  # Redis is away: not now
        if known != "new":
            return self.answer(204 if known == "done" else 503)
        try:
            handle(json.loads(body)["data"], self.headers.get("X-Shardgate-Interaction"))
            seen.finish(key)
        except Exception as error:
            print("failed:", key, error, flush=True)
            seen.forget(key)         # it comes again
            return self.answer(500)
        self.answer(204)

    def log_message(self, *args):
        pass

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
    server.serve_forever()
