"""How gunicorn serves one release; it is read from the folder in which bin/serve starts it."""

from pathlib import Path

wsgi_app = "shop.wsgi"
workers = 2
threads = 4
daemon = True
# The next release's server listens beside this one before this one ends.
reuse_port = True
errorlog = "data/gunicorn.log"
capture_output = True
# It would be one socket for all gunicorns of a user.
control_socket_disable = True


def post_worker_init(worker):
    """Tells bin/serve that the application is loaded and that requests are taken."""
    Path("serving").touch()
