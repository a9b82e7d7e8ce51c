"""One process of a race: each line on stdin is a request to the token endpoint that sixteen threads send at once.

`python racer.py STORE SETTINGS` builds the filter anew; SETTINGS is JSON. A line is JSON as well, `[form, headers]`,
and is answered by a line with the sixteen answers, `[[status, body], ...]`.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from werkzeug.test import Client as Browser

from oauth_filter import OAuthFilter
from oauth_filter import Settings
from oauth_filter.stores import open_store

THREADS = 16


def nothing(environ, start_response):
    start_response("204 No Content", [])
    return []


if __name__ == "__main__":
    _, url, settings = sys.argv
    store = open_store(url, now=time.time)
    guarded = OAuthFilter(nothing, Settings(**json.loads(settings)), store=store)
    start = threading.Barrier(THREADS)

    def attempt(request):
        form, headers = request
        start.wait()
        answer = Browser(guarded).post("/oauth2/token", data=form, headers=headers)
        return answer.status_code, answer.json

    with ThreadPoolExecutor(THREADS) as pool:
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(list(pool.map(attempt, [json.loads(line)] * THREADS))), flush=True)
    store.close()
