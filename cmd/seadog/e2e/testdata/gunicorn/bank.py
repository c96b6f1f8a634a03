"""A WSGI application with a lock-order bug: a deposit takes the account and then
the journal, a withdrawal the journal and then the account. Sooner or later two
threads wait for each other, and everybody else for them. With LOCKS=ordered both
take the account first.
"""
import os
import threading
import time

account, journal = threading.Lock(), threading.Lock()
there = (account, journal)
back = there if os.environ.get("LOCKS") == "ordered" else (journal, account)


def application(environ, start_response):
    order = {"/deposit": there, "/withdraw": back}.get(environ["PATH_INFO"])
    if order:
        with order[0]:
            time.sleep(0.002)  # looks something up
            with order[1]:
                pass
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\n"]
