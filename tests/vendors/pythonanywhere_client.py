"""PythonAnywhere's own client, asked for what deploy asks: `pythonanywhere_client.py ADDRESS USER DOMAIN`. It takes https alone;
its requests go to this machine without."""

import os
import sys

import requests

address, user, domain = sys.argv[1:]
os.environ.update(
    API_TOKEN="p4t0k3n", PYTHONANYWHERE_USERNAME=user, PYTHONANYWHERE_SITE=address.removeprefix("http://")
)
over_tls = requests.request
requests.request = lambda **what: over_tls(**{**what, "url": what["url"].replace("https://", "http://", 1)})

from pythonanywhere_core.exceptions import MissingCNAMEException  # noqa: E402: it reads the variables
from pythonanywhere_core.files import Files  # noqa: E402
from pythonanywhere_core.webapp import Webapp  # noqa: E402

app = Webapp(domain)
app.get()
Files().path_get(f"/var/log/{domain}.error.log")
try:
    app.reload()
except MissingCNAMEException:
    print("reloaded, without a CNAME", file=sys.stderr)
