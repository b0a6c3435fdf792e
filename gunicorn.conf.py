# Threads, because most of a request's time is spent waiting for the database; workers start
# anew after some thousand requests, so that memory which a library holds on to is given back.
worker_class = "gthread"
workers = 2
threads = 4
max_requests = 2000
max_requests_jitter = 200
control_socket_disable = True
