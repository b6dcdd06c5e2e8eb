"""What DigitalOcean's own client asks, for the same work: URL."""

import sys

from pydo import Client

(url,) = sys.argv[1:]
client = Client("dop_t0ken", endpoint=url)
# It would not send a token over plain http otherwise; this is loopback.
plain = {"enforce_https": False}

app = client.apps.list(per_page=200, **plain)["apps"][0]
assert app["spec"]["name"] == "shop", app
client.apps.list_deployments(app["id"], **plain)
begun = client.apps.create_deployment(app["id"], {"force_build": False}, **plain)["deployment"]["id"]
while client.apps.get_deployment(app["id"], begun, **plain)["deployment"]["phase"] != "ACTIVE":
    pass
back = {"deployment_id": begun, "skip_pin": False}
assert client.apps.validate_rollback(app["id"], back, **plain)["valid"]
client.apps.create_rollback(app["id"], back, **plain)
client.apps.commit_rollback(app["id"], **plain)
client.apps.cancel_deployment(app["id"], begun, **plain)
client.apps.get_logs_aggregate(app["id"], begun, type="BUILD", **plain)
