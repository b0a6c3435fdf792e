from gunicorn.http import wsgi

# Threads, because most of a request's time is spent waiting for the database; workers start
# anew after some thousand requests, so that memory which a library holds on to is given back.
worker_class = "gthread"
workers = 2
threads = 4
limit_request_line = 8190  # filters stand in addresses
max_requests = 2000
max_requests_jitter = 200
control_socket_disable = True


class Response(wsgi.Response):
    """An answer that does not tell which server gives it; gunicorn has no setting for that."""

    def default_headers(self):
        return [line for line in super().default_headers() if not line.startswith("Server:")]


wsgi.Response = Response
